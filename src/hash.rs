//! BLAKE3 over values that cannot run into one another.
//!
//! Every text is preceded by its length (`u32`, little endian) and integers are `u64`, little endian,
//! so that no two sequences of values are the same bytes.

/// Hashes a sequence of values.
#[derive(Debug, Clone, Default)]
pub struct ValueHasher(blake3::Hasher);

impl ValueHasher {
    /// Adds a text or bytes. By reference: the state is two kilobytes, too much to hand around.
    pub fn bytes(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.0.update(&crate::text::offset(bytes.len()).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a number.
    pub fn integer(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// The first 16 bytes of the hash.
    pub fn short(&self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        short
    }

    /// The whole hash in hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_run_into_one_another() {
        let of = |values: [&str; 2]| ValueHasher::default().bytes(values[0]).bytes(values[1]).hex();
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
        assert_eq!(of(["ab", "c"]), of(["ab", "c"]));
    }
}
