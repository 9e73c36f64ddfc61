//! A model folder on disk: read whole within limits, and checked against its own manifest.
//!
//! It is an edge: it touches files and knows nothing of texts, policies or ONNX Runtime. Everything
//! that is wrong is reported at once, as diagnostics, so that a person mends a folder in one go.

use std::{collections::BTreeMap, fs::File, io::Read, path::Path, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    encode::Encoder,
    encoder::TextEncoder,
    golden::{self, GOLDEN, GOLDEN_BYTES_MAX, Golden},
    graph::{self, Network},
    manifest::{EncoderSpec, Manifest},
    tokenizer::TokenEncoder,
    vocabulary::Vocabulary,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, SourceFile},
    signal::ModelIdentity,
};

/// The name of the manifest in the folder.
pub const MANIFEST: &str = "model.yaml";
/// Largest file of a model folder, in bytes: models are loaded into memory whole.
pub const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A model folder whose files are what its manifest says.
#[derive(Debug)]
pub struct Folder {
    /// What it says about itself.
    pub manifest: Manifest,
    /// Who it is.
    pub identity: Arc<ModelIdentity>,
    /// Texts to ids.
    pub encoder: Arc<TextEncoder>,
    /// The network, as ONNX.
    pub graph: Arc<[u8]>,
    /// What is known of the network.
    pub network: Network,
    /// What the model said where it was made; empty where the folder does not tell.
    pub golden: Vec<Golden>,
}

impl Folder {
    /// Reads and checks the folder at `path`; nothing, and diagnostics, when anything is wrong with it.
    pub fn read(path: &Path, out: &mut Diagnostics) -> Option<Self> {
        let place = path.join(MANIFEST);
        let text = match text(&place, FILE_BYTES_MAX) {
            Ok(text) => text,
            Err(reason) => {
                let help = "a model folder holds model.yaml and the files it names";
                out.push(Diagnostic::global("M010", cannot_read(&place, &reason)).help(help));
                return None;
            }
        };
        let file = Arc::new(SourceFile { path: place.display().to_string(), text });
        let manifest = Manifest::parse(&file, out)?;
        let mut files = BTreeMap::new();
        for (name, wanted) in &manifest.files {
            let read = checked(&path.join(name), wanted, out);
            files.extend(read.map(|bytes| (name.as_str(), bytes)));
        }
        let golden = golden(&path.join(GOLDEN), out);
        let (graph, known) =
            (files.remove(&*manifest.graph), files.remove(manifest.encoder.file()));
        let (graph, known) = (graph?, known?);
        let network = graph::check(&graph).map_err(|error| error.to_string());
        let network = network.and_then(|network| fits(&manifest, network));
        let network = accepted(&path.join(&manifest.graph), network, out);
        let encoder = encoder(&manifest.encoder, &known);
        let encoder = accepted(&path.join(manifest.encoder.file()), encoder, out);
        let identity = ModelIdentity {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256: hex(&Sha256::digest(file.text.as_bytes())),
        };
        Some(Self {
            identity: Arc::new(identity),
            encoder: Arc::new(encoder?),
            graph: graph.into(),
            network: network?,
            golden: golden?,
            manifest,
        })
    }
}

fn encoder(spec: &EncoderSpec, file: &[u8]) -> Result<TextEncoder, String> {
    match spec {
        EncoderSpec::NGrams { parameters, .. } => {
            let vocabulary = Vocabulary::from_bytes(file).map_err(|error| error.to_string())?;
            Ok(TextEncoder::NGrams(Encoder::new(parameters.clone(), vocabulary)))
        }
        EncoderSpec::Tokens { parameters, .. } => {
            TokenEncoder::new(file, parameters.clone()).map(TextEncoder::Tokens)
        }
    }
}

/// A network in which rows reach each other must see one row at a time.
fn fits(manifest: &Manifest, network: Network) -> Result<Network, String> {
    let alone = match &manifest.encoder {
        EncoderSpec::NGrams { .. } => false,
        EncoderSpec::Tokens { parameters, .. } => parameters.batch == 1,
    };
    if !network.mixes_rows || alone {
        return Ok(network);
    }
    let reason = "it takes its scales over the whole batch (DynamicQuantizeLinear), so that a \
                  score would depend on the posts beside it: say `batch: 1`, or quantise the \
                  network statically";
    Err(reason.to_owned())
}

/// What was made of a file, or a word about why it cannot be used.
fn accepted<T>(place: &Path, made: Result<T, String>, out: &mut Diagnostics) -> Option<T> {
    let refuse = |reason| {
        let message = format!("{} cannot be used: {reason}", place.display());
        out.push(Diagnostic::global("M012", message));
    };
    made.map_err(refuse).ok()
}

/// The golden outputs, none where there is no such file.
fn golden(place: &Path, out: &mut Diagnostics) -> Option<Vec<Golden>> {
    if !place.exists() {
        return Some(Vec::new());
    }
    let read = text(place, GOLDEN_BYTES_MAX).and_then(|text| golden::parse(&text));
    let refuse = |reason| {
        let message = format!("{} cannot be used: {reason}", place.display());
        out.push(Diagnostic::global("M014", message));
    };
    read.map_err(refuse).ok()
}

/// The bytes of a file whose SHA-256 is the wanted one.
fn checked(place: &Path, wanted: &str, out: &mut Diagnostics) -> Option<Vec<u8>> {
    let bytes = match bytes(place, FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(reason) => {
            out.push(Diagnostic::global("M010", cannot_read(place, &reason)));
            return None;
        }
    };
    let found = hex(&Sha256::digest(&bytes));
    if found == wanted {
        return Some(bytes);
    }
    let message = format!("{} is not the file that {MANIFEST} names", place.display());
    let help = format!("its SHA-256 is {found}, not {wanted}: fetch the model folder again");
    out.push(Diagnostic::global("M011", message).help(help));
    None
}

fn text(place: &Path, bytes_max: u64) -> Result<String, String> {
    bytes(place, bytes_max).and_then(|b| String::from_utf8(b).map_err(|error| error.to_string()))
}

/// The bytes of a file; one that is too large is not read at all.
fn bytes(place: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let file = File::open(place).map_err(|error| error.to_string())?;
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    if size > bytes_max {
        return Err(format!("it has {size} bytes, and {bytes_max} are allowed"));
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    let read = file.take(bytes_max).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn cannot_read(place: &Path, reason: &str) -> String {
    format!("{} cannot be read: {reason}", place.display())
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a String takes every write");
        digits
    })
}
