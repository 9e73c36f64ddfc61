//! A model folder on disk: read whole within limits, and checked against its own manifest.
//!
//! It is an edge: it touches files and knows nothing of texts, policies or ONNX Runtime. Everything
//! that is wrong is reported at once, as diagnostics, so that a person mends a folder in one go.

use std::{fs::File, io::Read, path::Path, sync::Arc};

use sha2::{Digest, Sha256};

use super::{encode::Encoder, graph, manifest::Manifest, vocabulary::Vocabulary};
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
    pub encoder: Arc<Encoder>,
    /// The network, as ONNX.
    pub graph: Arc<[u8]>,
}

impl Folder {
    /// Reads and checks the folder at `path`; nothing, and diagnostics, when anything is wrong with it.
    pub fn read(path: &Path, out: &mut Diagnostics) -> Option<Self> {
        let place = path.join(MANIFEST);
        let text = match bytes(&place).and_then(|b| String::from_utf8(b).map_err(|e| e.to_string()))
        {
            Ok(text) => text,
            Err(reason) => {
                let help = "a model folder holds model.yaml and the files it names";
                out.push(Diagnostic::global("M010", cannot_read(&place, &reason)).help(help));
                return None;
            }
        };
        let file = Arc::new(SourceFile { path: place.display().to_string(), text });
        let manifest = Manifest::parse(&file, out)?;
        let mut network = None;
        let mut known = None;
        for (name, wanted) in &manifest.files {
            let Some(bytes) = checked(&path.join(name), wanted, out) else { continue };
            if *name == manifest.graph {
                network = Some(bytes);
            } else if *name == manifest.vocabulary {
                known = Some(bytes);
            }
        }
        let (network, known) = (network?, known?);
        let refuse = |name: &str, reason: String| {
            Diagnostic::global(
                "M012",
                format!("{} cannot be used: {reason}", path.join(name).display()),
            )
        };
        let vocabulary = Vocabulary::from_bytes(&known)
            .map_err(|error| out.push(refuse(&manifest.vocabulary, error.to_string())))
            .ok();
        let sound = graph::check(&network)
            .map_err(|error| out.push(refuse(&manifest.graph, error.to_string())))
            .ok();
        let (vocabulary, ()) = (vocabulary?, sound?);
        let identity = ModelIdentity {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256: hex(&Sha256::digest(file.text.as_bytes())),
        };
        Some(Self {
            identity: Arc::new(identity),
            encoder: Arc::new(Encoder::new(manifest.encoder.clone(), vocabulary)),
            graph: network.into(),
            manifest,
        })
    }
}

/// The bytes of a file whose SHA-256 is the wanted one.
fn checked(place: &Path, wanted: &str, out: &mut Diagnostics) -> Option<Vec<u8>> {
    let bytes = match bytes(place) {
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

fn bytes(place: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(place).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= FILE_BYTES_MAX) {
        return Ok(bytes);
    }
    Err(format!("it has more than {FILE_BYTES_MAX} bytes"))
}

fn cannot_read(place: &Path, reason: &str) -> String {
    format!("{} cannot be read: {reason}", place.display())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a String takes every write");
        digits
    })
}
