//! `model.yaml`: what a model folder says about itself.
//!
//! Pure: text in, a [`Manifest`] or all of its mistakes at once out. It opens no other file; whether
//! the files are what the manifest says is the business of [`super::folder`].

mod encoder;
mod parts;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use encoder::{EncoderSpec, Head};

use super::{Asked, Evidence, calibration::Calibration};
use crate::{
    diagnostic::{Diagnostics, SourceFile},
    signal::{Category, Language, Score},
    yaml::{self, Keys, Node, Reader},
};

/// Most labels of a model.
pub const LABELS_MAX: usize = 64;
/// How long one inference may take where the manifest does not say.
const DEADLINE: Duration = Duration::from_secs(2);
/// What a manifest may say instead, in milliseconds.
const DEADLINE_MS: (usize, usize) = (10, 60_000);

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
    pub encoder: EncoderSpec,
    /// The file with the network.
    pub graph: String,
    /// From the network's output to raw probabilities.
    pub head: Head,
    /// The category of each output, in order; an output may be nobody's.
    pub outputs: Vec<Option<Category>>,
    /// From raw probabilities to scores.
    pub calibration: Calibration,
    /// The score that at most one in a hundred decent posts of the language reaches.
    pub thresholds: BTreeMap<Category, BTreeMap<Language, Score>>,
    /// Where the report has evidence.
    pub evidence: Evidence,
    /// When it is asked for a second opinion, where it is made for that.
    pub asked: Option<Asked>,
    /// The longest that one inference may take.
    pub deadline: Duration,
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

    /// The categories that it scores, each once, in the order of their paths.
    pub fn labels(&self) -> Vec<Category> {
        distinct(&self.outputs)
    }
}

fn read(root: &Node, reader: &Reader<'_>) -> Option<Manifest> {
    let mut keys = reader.keys(root)?;
    let name = keys.require("name", reader).and_then(|node| reader.filled(node));
    let version = keys.require("version", reader).and_then(|node| reader.filled(node));
    let licence = keys.require("licence", reader).and_then(|node| reader.filled(node));
    let encoder = keys.require("encoder", reader).and_then(|node| encoder::read(node, reader));
    let tokens = matches!(encoder, Some(EncoderSpec::Tokens { .. }));
    let head = match &encoder {
        Some(EncoderSpec::NGrams { .. }) => Some(Head::Probabilities),
        Some(EncoderSpec::Tokens { .. }) => encoder::head(&mut keys, reader),
        None => {
            // What is wrong with the encoder was said; whether a head belongs to it is not known.
            keys.take("head");
            None
        }
    };
    let graph = keys.require("graph", reader).and_then(|node| reader.filled(node));
    let outputs = keys.require("labels", reader).map(|node| parts::labels(node, tokens, reader));
    let offered = outputs.as_deref().map(distinct).unwrap_or_default();
    let calibration = keys.require("calibration", reader).map(|node| {
        let curves = parts::by_category(node, &offered, reader, |n| parts::curves(n, reader));
        Calibration::new(curves)
    });
    let thresholds = keys.require("thresholds", reader).map(|node| {
        parts::by_category(node, &offered, reader, |node| {
            parts::by_language(node, reader, |node| parts::score(node, reader))
        })
    });
    let evidence = keys
        .require("evidence", reader)
        .map(|node| parts::by_category(node, &offered, reader, |n| parts::languages(n, reader)));
    let asked = parts::asked(&mut keys, &offered, reader);
    let deadline = deadline(&mut keys, reader);
    let files = keys.require("files", reader).map(|node| parts::files(node, reader));
    reader.finish(&keys);
    let (encoder, graph, files) = (encoder?, graph?, files?);
    for name in [graph, encoder.file()] {
        if !files.contains_key(name) {
            reader.error(&root.range, "M003", format!("`files` has no SHA-256 of `{name}`"));
        }
    }
    Some(Manifest {
        name: name?.to_owned(),
        version: version?.to_owned(),
        licence: licence?.to_owned(),
        encoder,
        graph: graph.to_owned(),
        head: head?,
        outputs: outputs?,
        calibration: calibration?,
        thresholds: thresholds?,
        evidence: evidence?,
        asked,
        deadline,
        files,
    })
}

/// Each category once, sorted.
fn distinct(outputs: &[Option<Category>]) -> Vec<Category> {
    let mut all: Vec<Category> = outputs.iter().flatten().cloned().collect();
    all.sort();
    all.dedup();
    all
}

fn deadline(keys: &mut Keys<'_>, reader: &Reader<'_>) -> Duration {
    let millis = encoder::optional_number("deadline_ms", DEADLINE_MS, keys, reader);
    let millis = millis.and_then(|millis| u64::try_from(millis).ok());
    millis.map_or(DEADLINE, Duration::from_millis)
}
