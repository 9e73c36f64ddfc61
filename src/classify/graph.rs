//! Looks into an ONNX file before the runtime does, for what must not be there.
//!
//! Tensors in other files would let a model read any file of the machine, and operators of other
//! domains need native code beside the runtime; both are refused. The file is walked as Protocol
//! Buffers wire format; only field numbers of `onnx.proto3` are known here.

use std::str;

/// Deepest nesting of graphs inside attributes.
const DEPTH_MAX: usize = 16;
/// The operator that takes its scale over all of its input.
const SCALES_OVER_ALL: &[u8] = b"DynamicQuantizeLinear";

/// Why a network is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The bytes are no ONNX.
    #[error("it is no ONNX file")]
    Malformed,
    /// Graphs inside graphs beyond the limit.
    #[error("its graphs are nested more than {DEPTH_MAX} deep")]
    Depth,
    /// A tensor lies in another file.
    #[error("a tensor lies in another file (external data); export the model as one file")]
    ExternalData,
    /// An operator comes from elsewhere.
    #[error("it needs operators of the domain `{0}`; only the standard ONNX operators run here")]
    CustomOperators(String),
}

/// What is known of a network that is not refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Network {
    /// Its operators, those of graphs inside operators included.
    pub nodes: usize,
    /// Numbers of one row reach the others of its batch: a scale is taken over the whole input.
    pub mixes_rows: bool,
}

/// Refuses a network with external data or operators that are not standard. That a domain is only
/// declared, as tools do that quantise, does not matter.
pub fn check(onnx: &[u8]) -> Result<Network, GraphError> {
    let mut network = Network::default();
    let mut graphs = 0;
    for field in Fields(onnx) {
        match field? {
            (7, Value::Bytes(bytes)) => {
                graphs += 1;
                graph(bytes, 0, &mut network)?;
            }
            (25, Value::Bytes(bytes)) => function(bytes, &mut network)?,
            _ => {}
        }
    }
    if graphs == 1 { Ok(network) } else { Err(GraphError::Malformed) }
}

/// `FunctionProto`: 7 = node.
fn function(bytes: &[u8], network: &mut Network) -> Result<(), GraphError> {
    for field in Fields(bytes) {
        if let (7, Value::Bytes(bytes)) = field? {
            node(bytes, 0, network)?;
        }
    }
    Ok(())
}

/// `GraphProto`: 1 = node, 5 = initializer, 15 = sparse initializer.
fn graph(bytes: &[u8], depth: usize, network: &mut Network) -> Result<(), GraphError> {
    if depth > DEPTH_MAX {
        return Err(GraphError::Depth);
    }
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(bytes)) => node(bytes, depth, network)?,
            (5, Value::Bytes(bytes)) => tensor(bytes)?,
            (15, Value::Bytes(bytes)) => sparse(bytes)?,
            _ => {}
        }
    }
    Ok(())
}

/// `NodeProto`: 4 = operator, 5 = attribute, 7 = domain; `AttributeProto`: 5, 10 = tensors, 6, 11 = graphs, 22, 23 = sparse.
fn node(bytes: &[u8], depth: usize, network: &mut Network) -> Result<(), GraphError> {
    network.nodes += 1;
    for field in Fields(bytes) {
        match field? {
            (4, Value::Bytes(name)) => network.mixes_rows |= name == SCALES_OVER_ALL,
            (7, Value::Bytes(name)) => domain(name)?,
            (5, Value::Bytes(attribute)) => {
                for field in Fields(attribute) {
                    match field? {
                        (5 | 10, Value::Bytes(bytes)) => tensor(bytes)?,
                        (6 | 11, Value::Bytes(bytes)) => graph(bytes, depth + 1, network)?,
                        (22 | 23, Value::Bytes(bytes)) => sparse(bytes)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `SparseTensorProto`: 1 = values, 2 = indices.
fn sparse(bytes: &[u8]) -> Result<(), GraphError> {
    for field in Fields(bytes) {
        if let (1 | 2, Value::Bytes(bytes)) = field? {
            tensor(bytes)?;
        }
    }
    Ok(())
}

/// `TensorProto`: 13 = external data, 14 = data location, where 1 is external.
fn tensor(bytes: &[u8]) -> Result<(), GraphError> {
    for field in Fields(bytes) {
        match field? {
            (13, _) | (14, Value::Number(1)) => return Err(GraphError::ExternalData),
            _ => {}
        }
    }
    Ok(())
}

fn domain(name: &[u8]) -> Result<(), GraphError> {
    match str::from_utf8(name).map_err(|_| GraphError::Malformed)? {
        "" | "ai.onnx" => Ok(()),
        other => Err(GraphError::CustomOperators(other.to_owned())),
    }
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of one message: (number, value).
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn bytes(&mut self, len: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Bytes(self.bytes(8)?),
            2 => {
                let len = self.varint()?;
                Value::Bytes(self.bytes(len)?)
            }
            5 => Value::Bytes(self.bytes(4)?),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), GraphError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(GraphError::Malformed);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length-delimited field.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let len = u8::try_from(bytes.len()).expect("short");
        assert!(len < 0x80 && number < 16, "one byte each is enough here");
        [&[number << 3 | 2, len], bytes].concat()
    }

    #[test]
    fn accepts_a_plain_graph() {
        let model = [field(7, &field(1, &field(4, b"Relu"))), field(8, &field(1, b""))].concat();
        let network = check(&model).expect("nothing is wrong with it");
        assert_eq!(network, Network { nodes: 1, mixes_rows: false });
        let quantised = field(7, &field(1, &field(4, SCALES_OVER_ALL)));
        assert!(check(&quantised).expect("nothing is wrong with it").mixes_rows);
    }

    #[test]
    fn refuses_external_data_wherever_it_hides() {
        let external = [14 << 3, 1];
        let initializer = field(7, &field(5, &external));
        assert_eq!(check(&initializer), Err(GraphError::ExternalData));
        let constant = field(7, &field(1, &field(5, &field(5, &external))));
        assert_eq!(check(&constant), Err(GraphError::ExternalData));
        let inner = field(5, &field(6, &field(5, &external)));
        assert_eq!(check(&field(7, &field(1, &inner))), Err(GraphError::ExternalData));
    }

    #[test]
    fn refuses_operators_of_other_domains() {
        let wanted = Err(GraphError::CustomOperators("com.example".to_owned()));
        assert_eq!(check(&field(7, &field(1, &field(7, b"com.example")))), wanted);
        let declared = [field(7, b""), field(8, &field(1, b"com.example"))].concat();
        assert_eq!(check(&declared), Ok(Network::default()), "no operator is of it");
        let hidden = field(7, &field(7, b"com.example"));
        let len = u8::try_from(hidden.len()).expect("short");
        let function = [&field(7, b"")[..], &[25 * 8 % 128 + 2 + 128, 1, len], &hidden].concat();
        assert_eq!(check(&function), wanted, "in a function");
    }

    #[test]
    fn refuses_what_is_no_onnx() {
        for bytes in [&b""[..], b"{}", b"\x3A\x7Fshort", &[0xFF; 40]] {
            assert_eq!(check(bytes), Err(GraphError::Malformed), "{bytes:?}");
        }
        let nested = (0..20).fold(Vec::new(), |inner, _| field(1, &field(5, &field(6, &inner))));
        assert_eq!(check(&field(7, &nested)), Err(GraphError::Depth));
    }
}
