//! `model.yaml`: what a model folder says about itself.
//!
//! Pure: text in, a [`Manifest`] or all of its mistakes at once out. It opens no other file; whether
//! the files are what the manifest says is the business of [`super::folder`].

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Evidence,
    calibration::{Calibration, Curve},
    encode::{Parameters, Sizes},
};
use crate::{
    diagnostic::{Diagnostics, SourceFile},
    signal::{Category, Language, Score},
    yaml::{self, Keys, Node, NodeKind, Reader},
};

/// Most labels of a model.
pub const LABELS_MAX: usize = 64;
/// Most code points of a window.
const WINDOW_MAX: usize = 8192;
/// Most windows of a text.
const WINDOWS_MAX: usize = 64;
/// What every manifest with mistakes is told.
const HELP_SHA256: &str = "64 hexadecimal digits, as `sha256sum` prints them";

/// A model folder's description of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The model's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The licence of the weights.
    pub licence: String,
    /// How texts become ids.
    pub encoder: Parameters,
    /// The file with the vocabulary.
    pub vocabulary: String,
    /// The file with the network.
    pub graph: String,
    /// The category of each output, in order.
    pub labels: Vec<Category>,
    /// From raw outputs to probabilities.
    pub calibration: Calibration,
    /// The score that at most one in a hundred decent posts of the language reaches.
    pub thresholds: BTreeMap<Category, BTreeMap<Language, Score>>,
    /// Where the report has evidence.
    pub evidence: Evidence,
    /// The SHA-256 of every file of the folder that decides, as hexadecimal digits.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest; nothing, and diagnostics, when it has a mistake.
    pub fn parse(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<Self> {
        let before = out.len() + out.dropped();
        let root = yaml::parse(file, out)?;
        let manifest = read(&root, &Reader::new(file, out));
        manifest.filter(|_| out.len() + out.dropped() == before)
    }
}

fn read(root: &Node, reader: &Reader<'_>) -> Option<Manifest> {
    let mut keys = reader.keys(root)?;
    let name = keys.require("name", reader).and_then(|node| reader.filled(node));
    let version = keys.require("version", reader).and_then(|node| reader.filled(node));
    let licence = keys.require("licence", reader).and_then(|node| reader.filled(node));
    let encoder = keys.require("encoder", reader).and_then(|node| encoder(node, reader));
    let graph = keys.require("graph", reader).and_then(|node| reader.filled(node));
    let labels = keys.require("labels", reader).map(|node| labels(node, reader));
    let offered = labels.as_deref().unwrap_or_default();
    let calibration = keys.require("calibration", reader).map(|node| {
        let curves = by_category(node, offered, reader, |node| curves(node, reader));
        Calibration::new(curves)
    });
    let thresholds = keys.require("thresholds", reader).map(|node| {
        by_category(node, offered, reader, |node| {
            by_language(node, reader, |node| score(node, reader))
        })
    });
    let evidence = keys.require("evidence", reader).map(|node| {
        by_category(node, offered, reader, |node| {
            reader.items(node).iter().filter_map(|node| language(node, reader)).collect()
        })
    });
    let files = keys.require("files", reader).map(|node| files(node, reader));
    reader.finish(&keys);
    let (encoder, vocabulary) = encoder?;
    let (graph, files) = (graph?, files?);
    for name in [graph, vocabulary] {
        if !files.contains_key(name) {
            reader.error(&root.range, "M003", format!("`files` has no SHA-256 of `{name}`"));
        }
    }
    Some(Manifest {
        name: name?.to_owned(),
        version: version?.to_owned(),
        licence: licence?.to_owned(),
        encoder,
        vocabulary: vocabulary.to_owned(),
        graph: graph.to_owned(),
        labels: labels.clone()?,
        calibration: calibration?,
        thresholds: thresholds?,
        evidence: evidence?,
        files,
    })
}

fn encoder<'n>(node: &'n Node, reader: &Reader<'_>) -> Option<(Parameters, &'n str)> {
    let mut keys = reader.keys(node)?;
    let kind = keys.require("kind", reader)?;
    if reader.filled(kind)? != "hashed_ngrams" {
        let help = "this version of Tidegate knows `hashed_ngrams`";
        reader.error_help(&kind.range, "M001", "the encoder is not known", help);
    }
    let vocabulary = keys.require("vocabulary", reader).and_then(|node| reader.filled(node));
    let word = sizes("word", &mut keys, reader);
    let han = sizes("han", &mut keys, reader);
    let brahmic = sizes("brahmic", &mut keys, reader);
    let hangul = sizes("hangul", &mut keys, reader);
    let window = number("window", WINDOW_MAX, &mut keys, reader);
    let windows = number("windows", WINDOWS_MAX, &mut keys, reader);
    reader.finish(&keys);
    let parameters = Parameters {
        word: word?,
        han: han?,
        brahmic: brahmic?,
        hangul: hangul?,
        window: window?,
        windows: windows?,
    };
    Some((parameters, vocabulary?))
}

fn sizes(key: &'static str, keys: &mut Keys<'_>, reader: &Reader<'_>) -> Option<Sizes> {
    let node = keys.require(key, reader)?;
    let mut all = Some(Sizes::default());
    for item in reader.items(node) {
        let size: u8 = reader.parsed(item, "a size")?;
        all = all.and_then(|sizes| sizes.with(size));
    }
    if all.is_none() {
        reader.error(&node.range, "M002", "n-gram sizes go from 1 to 8");
    }
    all
}

fn number(
    key: &'static str,
    max: usize,
    keys: &mut Keys<'_>,
    reader: &Reader<'_>,
) -> Option<usize> {
    let node = keys.require(key, reader)?;
    let value: usize = reader.parsed(node, "a whole number")?;
    if (1..=max).contains(&value) {
        return Some(value);
    }
    reader.error(&node.range, "M002", format!("`{key}` goes from 1 to {max}"));
    None
}

/// The outputs in order.
fn labels(node: &Node, reader: &Reader<'_>) -> Vec<Category> {
    let all: Vec<Category> = reader.texts(node).into_iter().map(Category::new).collect();
    if all.is_empty() || all.len() > LABELS_MAX {
        reader.error(&node.range, "M004", format!("a model has 1 to {LABELS_MAX} labels"));
    }
    let twice = all.iter().enumerate().find(|(at, category)| all[..*at].contains(category));
    if let Some((_, category)) = twice {
        let name = category.as_str();
        reader.error(&node.range, "M004", format!("the label `{name}` is there twice"));
    }
    all
}

fn by_category<T: Default>(
    node: &Node,
    offered: &[Category],
    reader: &Reader<'_>,
    value: impl Fn(&Node) -> T,
) -> BTreeMap<Category, T> {
    let mut all = BTreeMap::new();
    let Some(keys) = reader.keys(node) else { return all };
    for entry in keys.entries() {
        let category = Category::new(&entry.key);
        if !offered.contains(&category) {
            let message = format!("`{}` is no label of this model", entry.key);
            reader.error(&entry.key_range, "M005", message);
        }
        all.insert(category, value(&entry.value));
    }
    for category in offered.iter().filter(|category| !all.contains_key(category)) {
        let message = format!("nothing is said about the label `{}`", category.as_str());
        reader.error(&node.range, "M005", message);
    }
    all
}

fn by_language<T>(
    node: &Node,
    reader: &Reader<'_>,
    value: impl Fn(&Node) -> Option<T>,
) -> BTreeMap<Language, T> {
    let Some(keys) = reader.keys(node) else { return BTreeMap::new() };
    let known = keys.entries().iter().filter_map(|entry| {
        let language = Language::new(&entry.key);
        if language.is_none() {
            let message = format!("`{}` is no language code", entry.key);
            reader.error(&entry.key_range, "M006", message);
        }
        Some((language?, value(&entry.value)?))
    });
    known.collect()
}

fn language(node: &Node, reader: &Reader<'_>) -> Option<Language> {
    let code = reader.filled(node)?;
    let language = Language::new(code);
    if language.is_none() {
        reader.error(&node.range, "M006", format!("`{code}` is no language code"));
    }
    language
}

/// `und` is the curve of every language that has none of its own, so it must be there.
fn curves(node: &Node, reader: &Reader<'_>) -> BTreeMap<Language, Curve> {
    let curves = by_language(node, reader, |node| curve(node, reader));
    if !curves.contains_key(&Language::UNDETERMINED) {
        reader.error(&node.range, "M007", "the curve for `und`, any other language, is missing");
    }
    curves
}

fn curve(node: &Node, reader: &Reader<'_>) -> Option<Curve> {
    let NodeKind::Sequence(items) = &node.kind else {
        reader.error(&node.range, "M007", "a curve is `[slope, offset]`");
        return None;
    };
    let [slope, offset] = items.as_slice() else {
        reader.error(&node.range, "M007", "a curve is `[slope, offset]`");
        return None;
    };
    let slope: f64 = reader.parsed(slope, "a number")?;
    let offset: f64 = reader.parsed(offset, "a number")?;
    let curve = Curve::new(slope, offset);
    if curve.is_none() {
        reader.error(
            &node.range,
            "M007",
            "a slope is over 0 and at most 100, an offset within ±100",
        );
    }
    curve
}

fn score(node: &Node, reader: &Reader<'_>) -> Option<Score> {
    let score = Score::new(reader.parsed(node, "a score from 0 to 1")?);
    if score.is_none() {
        reader.error(&node.range, "M008", "a score goes from 0 to 1");
    }
    score
}

fn files(node: &Node, reader: &Reader<'_>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let Some(keys) = reader.keys(node) else { return all };
    for entry in keys.entries() {
        let plain = !entry.key.is_empty()
            && !entry.key.starts_with('.')
            && entry.key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain {
            reader.error(&entry.key_range, "M009", "a file of the folder is named here, no path");
        }
        let Some(digits) = reader.filled(&entry.value) else { continue };
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            reader.error_help(&entry.value.range, "M009", "this is no SHA-256", HELP_SHA256);
        }
        all.insert(entry.key.clone(), digits.to_ascii_lowercase());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "
name: small
version: 1.2.3
licence: Apache-2.0
encoder:
  kind: hashed_ngrams
  vocabulary: ngrams.bin
  word: [3, 4]
  han: [1]
  brahmic: [2]
  hangul: [1]
  window: 400
  windows: 8
graph: model.onnx
labels: [hate, spam]
calibration:
  hate: {und: [1.0, 0.0], zh: [0.5, -1.0]}
  spam: {und: [1.0, 0.0]}
thresholds:
  hate: {und: 0.5, zh: 0.75}
  spam: {und: 0.5}
evidence:
  hate: [zh]
  spam: []
files:
  model.onnx: 0000000000000000000000000000000000000000000000000000000000000000
  ngrams.bin: 1111111111111111111111111111111111111111111111111111111111111111
";

    fn parse(text: &str) -> (Option<Manifest>, Vec<&'static str>) {
        let file = Arc::new(SourceFile { path: "model.yaml".to_owned(), text: text.to_owned() });
        let mut out = Diagnostics::default();
        let manifest = Manifest::parse(&file, &mut out);
        (manifest, out.sorted().iter().map(|d| d.code).collect())
    }

    #[test]
    fn reads_a_sound_manifest() {
        let (manifest, codes) = parse(SOUND);
        assert_eq!(codes, [""; 0]);
        let manifest = manifest.expect("a sound manifest");
        let (hate, zh) = (Category::new("hate"), Language::new("zh").expect("a code"));
        assert_eq!(
            manifest.thresholds[&hate][&zh],
            Score::from_thousandths(750).expect("in range")
        );
        assert!(manifest.evidence[&hate].contains(&zh));
    }

    #[test]
    fn every_mistake_has_its_code() {
        let cases = [
            ("kind: hashed_ngrams", "kind: words", "M001"),
            ("word: [3, 4]", "word: [0]", "M002"),
            ("window: 400", "window: 9000", "M002"),
            ("graph: model.onnx", "graph: other.onnx", "M003"),
            ("labels: [hate, spam]", "labels: [hate, spam, spam]", "M004"),
            ("  spam: {und: 0.5}", "  scam: {und: 0.5}", "M005"),
            ("hate: [zh]", "hate: [chinese]", "M006"),
            ("spam: {und: [1.0, 0.0]}", "spam: {zh: [1.0, 0.0]}", "M007"),
            ("spam: {und: [1.0, 0.0]}", "spam: {und: [-1.0, 0.0]}", "M007"),
            ("zh: 0.75", "zh: 1.75", "M008"),
            ("  ngrams.bin: 1111", "  ../ngrams.bin: 1111", "M009"),
            ("0000000000000000000000000000000000000000000000000000000000000000", "00ff", "M009"),
            ("version: 1.2.3", "wersion: 1.2.3", "Y015"),
        ];
        for (from, to, code) in cases {
            assert!(SOUND.contains(from), "{from}");
            let (manifest, codes) = parse(&SOUND.replacen(from, to, 1));
            assert!(manifest.is_none(), "{to} was taken");
            assert!(codes.contains(&code), "{to}: {codes:?}, not {code}");
        }
    }

    #[test]
    fn mistakes_are_reported_together() {
        let text = SOUND.replace("window: 400", "window: 0").replace("zh: 0.75", "zh: 7");
        assert_eq!(parse(&text).1, ["M002", "M008"]);
    }
}
