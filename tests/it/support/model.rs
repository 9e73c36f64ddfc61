//! Model folders that read tokens, written anew for each test.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tidegate::{
    classify::{
        Classifier, ClassifyError, Input, Model,
        folder::Folder,
        onnx::{OnnxModel, Runtime},
    },
    diagnostic::Diagnostics,
    signal::{Language, Score},
};

use super::onnx::{Network, tokenizer};

/// What a folder's manifest says, where a test does not say otherwise.
pub(crate) const MANIFEST: &str = "\
name: small
version: '1'
licence: CC0-1.0
encoder:
  kind: hf_tokenizer
  tokenizer: tokenizer.json
  window: 16
  windows: 4
  pad: 0
  inputs: [input_ids, attention_mask]
  batch: 1
graph: model.onnx
head: sigmoid
labels: [toxic, hate]
calibration: {toxic: {und: [1.0, 0.0]}, hate: {und: [1.0, 0.0]}}
thresholds: {toxic: {und: 0.5}, hate: {und: 0.5}}
evidence: {toxic: [en], hate: [en]}
deadline_ms: 300
";

/// A network to which `idiot` is toxic and `fool` hateful.
pub(crate) fn small() -> Network {
    Network::of(&[("idiot", &[3.0, 0.0]), ("fool", &[0.0, 3.0])])
}

/// Writes a folder, with the right hashes.
pub(crate) fn write(folder: &Path, manifest: &str, network: &[u8], tokenizer: &str) {
    fs::create_dir_all(folder).expect("it is writable");
    let mut text = format!("{manifest}files:\n");
    for (name, bytes) in [("model.onnx", network), ("tokenizer.json", tokenizer.as_bytes())] {
        fs::write(folder.join(name), bytes).expect("it is writable");
        writeln!(text, "  {name}: {}", sha256(bytes)).expect("a String takes every write");
    }
    fs::write(folder.join("model.yaml"), text).expect("it is writable");
}

/// The small network's folder below `parent`, its manifest with some words replaced.
pub(crate) fn written(
    parent: &Path,
    name: &str,
    network: &Network,
    edits: &[(&str, &str)],
) -> PathBuf {
    let folder = parent.join(name);
    let mut manifest = MANIFEST.replace("name: small", &format!("name: {name}"));
    for (from, to) in edits {
        assert!(manifest.contains(from), "the manifest has no {from}");
        manifest = manifest.replace(from, to);
    }
    write(&folder, &manifest, &network.onnx(), &tokenizer());
    folder
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a String takes every write");
        digits
    })
}

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn runtime() -> Runtime {
    let library = repository(".tidegate/lib/libonnxruntime.so");
    Runtime::load(&library).expect("`make setup` fetches ONNX Runtime")
}

/// Reads a folder; what is wrong with it, a line each.
pub(crate) fn folder(path: &Path) -> Result<Folder, String> {
    let mut out = Diagnostics::default();
    Folder::read(path, &mut out).ok_or_else(|| {
        let all: Vec<String> =
            out.sorted().iter().map(|d| format!("{} {}", d.code, d.message)).collect();
        all.join("\n")
    })
}

/// Opens a folder, as a worker does.
pub(crate) fn open(path: &Path) -> Result<OnnxModel, String> {
    OnnxModel::new(folder(path)?, &runtime()).map_err(|error| error.to_string())
}

pub(crate) fn session(path: &Path) -> Box<dyn Classifier> {
    let model = open(path).unwrap_or_else(|refused| panic!("{refused}"));
    model.open().expect("another session")
}

pub(crate) fn input(text: &str) -> Input<'_> {
    Input { text, language: Language::new("en") }
}

/// The scores of one text in thousandths, by the order of their paths.
pub(crate) fn scores(session: &mut dyn Classifier, text: &str) -> Result<Vec<u16>, ClassifyError> {
    let scores = session.score(&[input(text)])?.remove(0);
    Ok(scores.iter().map(|(_, score): &(_, Score)| score.thousandths()).collect())
}
