//! The parts of a manifest that are not about the encoder: labels, curves, scores, languages, files.

use std::collections::{BTreeMap, BTreeSet};

use super::LABELS_MAX;
use crate::{
    classify::{Asked, Band, calibration::Curve},
    signal::{Category, Language, Score},
    yaml::{Keys, Node, NodeKind, Reader},
};

/// What every manifest with mistakes is told.
const HELP_SHA256: &str = "64 hexadecimal digits, as `sha256sum` prints them";
/// A label of an output that is nobody's.
const NOBODYS: &str = "~";

/// The outputs in order. Where a category may stand `repeated`, several outputs speak for it.
pub(super) fn labels(node: &Node, repeated: bool, reader: &Reader<'_>) -> Vec<Option<Category>> {
    let label = |text: &str| (text != NOBODYS).then(|| Category::new(text));
    let all: Vec<Option<Category>> = reader.texts(node).into_iter().map(label).collect();
    let known = all.iter().flatten().count();
    if known == 0 || all.len() > LABELS_MAX || (!repeated && known < all.len()) {
        reader.error(&node.range, "M004", format!("a model has 1 to {LABELS_MAX} labels"));
    }
    let twice = all.iter().enumerate().find(|(at, category)| all[..*at].contains(category));
    if let Some((_, Some(category))) = twice.filter(|_| !repeated) {
        let name = category.as_str();
        reader.error(&node.range, "M004", format!("the label `{name}` is there twice"));
    }
    all
}

/// When the model is asked for a second opinion; nothing where it says nothing about that.
pub(super) fn asked(
    keys: &mut Keys<'_>,
    offered: &[Category],
    reader: &Reader<'_>,
) -> Option<Asked> {
    let spoken = keys.take("languages");
    let bands = keys.take("bands");
    let (spoken, bands) = match (spoken, bands) {
        (None, None) => return None,
        (Some(spoken), Some(bands)) => (spoken, bands),
        (Some(node), None) | (None, Some(node)) => {
            let message = "`languages` and `bands` of a second opinion come together";
            reader.error(&node.range, "M013", message);
            return None;
        }
    };
    let known = languages(spoken, reader);
    let mut all = BTreeMap::new();
    for entry in reader.keys(bands)?.entries() {
        let category = Category::new(&entry.key);
        if !offered.contains(&category) {
            let message = format!("`{}` is no label of this model", entry.key);
            reader.error(&entry.key_range, "M005", message);
        }
        all.extend(band(&entry.value, reader).map(|band| (category, band)));
    }
    if known.is_empty() || all.is_empty() {
        reader.error(&bands.range, "M013", "a second opinion has a language and a band");
    }
    Some(Asked { languages: known, bands: all })
}

fn band(node: &Node, reader: &Reader<'_>) -> Option<Band> {
    let band = match &node.kind {
        NodeKind::Sequence(items) => match items.as_slice() {
            [low, high] => Some((score(low, reader)?, score(high, reader)?)),
            _ => None,
        },
        _ => None,
    };
    let band = band.and_then(|(low, high)| Band::new(low, high));
    if band.is_none() {
        reader.error(&node.range, "M013", "a band is `[low, high]`, the lower score first");
    }
    band
}

/// The languages of a list, each once.
pub(super) fn languages(node: &Node, reader: &Reader<'_>) -> BTreeSet<Language> {
    reader.items(node).iter().filter_map(|node| language(node, reader)).collect()
}

pub(super) fn by_category<T: Default>(
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

pub(super) fn by_language<T>(
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
pub(super) fn curves(node: &Node, reader: &Reader<'_>) -> BTreeMap<Language, Curve> {
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

pub(super) fn score(node: &Node, reader: &Reader<'_>) -> Option<Score> {
    let score = Score::new(reader.parsed(node, "a score from 0 to 1")?);
    if score.is_none() {
        reader.error(&node.range, "M008", "a score goes from 0 to 1");
    }
    score
}

pub(super) fn files(node: &Node, reader: &Reader<'_>) -> BTreeMap<String, String> {
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
