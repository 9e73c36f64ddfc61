//! From a Hugging Face export to a model folder's manifest: what its `config.json` says, in our words.
//!
//! Pure: it reads no file and opens no network. Its mistakes are one sentence each, for the person who
//! imports.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Deserialize;

use super::{
    manifest::{Head, LABELS_MAX},
    tokens::TokenInput,
};
use crate::{diagnostic::nearest, signal::Language};

/// Most tokens of a window that is asked for where the person does not say.
pub const WINDOW: usize = 256;
/// Most that a manifest may ask for.
const WINDOW_MAX: usize = 512;
/// Windows of a text.
const WINDOWS: usize = 4;
/// Windows of one inference, where rows do not reach each other.
const BATCH: usize = 8;
/// The first model's scores at which an imported model is asked, where nobody has measured better.
const BAND: &str = "[0.05, 0.95]";

/// What a `config.json` says of a network that tells classes apart.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    id2label: Option<BTreeMap<String, String>>,
    problem_type: Option<String>,
    pad_token_id: Option<i64>,
    max_position_embeddings: Option<usize>,
    model_type: Option<String>,
}

/// What a person says beside it.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Labels of the network with the category of each.
    pub map: Vec<(String, String)>,
    /// The model's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The licence of the weights.
    pub licence: String,
    /// Where the person has measured it: there it has evidence, and can give second opinions.
    pub languages: Vec<Language>,
    /// Most tokens of a window.
    pub window: Option<usize>,
    /// The head, where the configuration does not say or is wrong.
    pub head: Option<Head>,
}

/// What is found out about the network itself.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it reads.
    pub inputs: Vec<TokenInput>,
    /// Rows of a batch reach each other.
    pub mixes_rows: bool,
    /// The SHA-256 of the files, by name.
    pub files: BTreeMap<String, String>,
}

/// A manifest, with what the person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The text of `model.yaml`.
    pub manifest: String,
    /// Sentences for the person.
    pub notes: Vec<String>,
}

impl Config {
    /// Reads a `config.json`.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("it is no configuration: {error}"))
    }

    /// The labels in the order of the outputs.
    pub fn labels(&self) -> Result<Vec<&str>, String> {
        let Some(named) = &self.id2label else {
            return Err("it has no `id2label`: this is no export of a classifier".to_owned());
        };
        let label = |at: usize| {
            let label = named.get(&at.to_string()).map(String::as_str);
            label.ok_or_else(|| {
                format!("`id2label` names {} labels and not number {at}", named.len())
            })
        };
        if named.is_empty() || named.len() > LABELS_MAX {
            return Err(format!("it has {} labels; 1 to {LABELS_MAX} are possible", named.len()));
        }
        (0..named.len()).map(label).collect()
    }

    fn head(&self, labels: usize, notes: &mut Vec<String>) -> Result<Head, String> {
        match self.problem_type.as_deref() {
            Some("multi_label_classification") => Ok(Head::Sigmoid),
            Some("single_label_classification") => Ok(Head::Softmax),
            Some(other) => Err(format!("its `problem_type` is `{other}`: this is no classifier")),
            None => {
                let head = if labels == 1 { Head::Sigmoid } else { Head::Softmax };
                let name = head.as_str();
                notes.push(format!(
                    "config.json has no `problem_type`: {labels} labels are taken as {name}; \
                     say --head where that is wrong"
                ));
                Ok(head)
            }
        }
    }

    /// The most tokens that the network has places for.
    fn places(&self) -> usize {
        let places = self.max_position_embeddings.unwrap_or(WINDOW_MAX);
        // Networks of this family count their places from behind the padding's.
        let family = ["roberta", "camembert"].iter().any(|name| {
            self.model_type.as_deref().is_some_and(|model_type| model_type.contains(name))
        });
        let lost = if family { self.pad().saturating_add(1) } else { 0 };
        places.saturating_sub(usize::try_from(lost).unwrap_or_default()).min(WINDOW_MAX)
    }

    fn pad(&self) -> i64 {
        self.pad_token_id.unwrap_or_default().max(0)
    }
}

/// Writes the manifest of an export.
pub fn manifest(config: &Config, wishes: &Wishes, found: &Found) -> Result<Imported, String> {
    let mut notes = Vec::new();
    let labels = config.labels()?;
    let columns = columns(&labels, &wishes.map)?;
    let head = match wishes.head {
        Some(head) => head,
        None => config.head(labels.len(), &mut notes)?,
    };
    if head == Head::Softmax && labels.len() == 1 {
        return Err("a soft-max over one label always says 1: say --head sigmoid".to_owned());
    }
    let left_out: Vec<&str> = labels
        .iter()
        .zip(&columns)
        .filter(|(_, of)| of.is_none())
        .map(|(label, _)| *label)
        .collect();
    if !left_out.is_empty() {
        notes.push(format!("these labels are nobody's: {}", left_out.join(", ")));
    }
    if wishes.languages.is_empty() {
        notes.push(
            "the model has no evidence in any language, so that no policy may name its scores: \
             measure it, then say --languages"
                .to_owned(),
        );
    }
    let manifest = written(config, wishes, found, head, &columns)?;
    Ok(Imported { manifest, notes })
}

/// The category of each output; a label that the network has not is a mistake.
fn columns<'w>(
    labels: &[&str],
    map: &'w [(String, String)],
) -> Result<Vec<Option<&'w str>>, String> {
    if map.is_empty() {
        let labels = labels.join(", ");
        return Err(format!("no label is mapped; the network has {labels}: say --map {labels}=…"));
    }
    for (label, category) in map {
        if !labels.contains(&label.as_str()) {
            let near = nearest(label, labels.iter().copied());
            let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
            let labels = labels.join(", ");
            return Err(format!("the network has no label `{label}`{near} It has {labels}"));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || b"_/".contains(&byte);
        if category.is_empty() || !category.bytes().all(plain) {
            return Err(format!("`{category}` is no category"));
        }
    }
    let category = |label: &&str| {
        let mapped = map.iter().find(|(from, _)| from == label);
        mapped.map(|(_, category)| category.as_str())
    };
    Ok(labels.iter().map(category).collect())
}

fn written(
    config: &Config,
    wishes: &Wishes,
    found: &Found,
    head: Head,
    columns: &[Option<&str>],
) -> Result<String, String> {
    let places = config.places();
    let window = wishes.window.unwrap_or(WINDOW.min(places));
    if window > places {
        return Err(format!("the network has places for {places} tokens, not for {window}"));
    }
    let mut categories: Vec<&str> = columns.iter().flatten().copied().collect();
    categories.sort_unstable();
    categories.dedup();
    let languages: Vec<&str> = wishes.languages.iter().map(Language::as_str).collect();
    let inputs: Vec<&str> = found.inputs.iter().map(|input| input.as_str()).collect();
    let outputs: Vec<&str> = columns.iter().map(|column| column.unwrap_or("~")).collect();
    let each = |value: &str| -> String {
        categories.iter().fold(String::new(), |mut text, category| {
            writeln!(text, "  {category}: {value}").expect("a String takes every write");
            text
        })
    };
    let second = if languages.is_empty() {
        String::new()
    } else {
        format!("languages: [{}]\nbands:\n{}", languages.join(", "), each(BAND))
    };
    let files = found.files.iter().fold(String::new(), |mut text, (name, sha256)| {
        writeln!(text, "  {name}: {sha256}").expect("a String takes every write");
        text
    });
    Ok(format!(
        "# Written by `tidegate model import`. Nothing in it was measured: calibration, thresholds,
# bands and evidence are for whoever has posts of their own to measure on.
name: {name}
version: {version}
licence: {licence}
{second}encoder:
  kind: hf_tokenizer
  tokenizer: tokenizer.json
  window: {window}
  windows: {WINDOWS}
  pad: {pad}
  inputs: [{inputs}]
  batch: {batch}
graph: model.onnx
head: {head}
labels: [{outputs}]
calibration:
{calibration}thresholds:
{thresholds}evidence:
{evidence}files:
{files}",
        name = quoted(&wishes.name),
        version = quoted(&wishes.version),
        licence = quoted(&wishes.licence),
        pad = config.pad(),
        inputs = inputs.join(", "),
        batch = if found.mixes_rows { 1 } else { BATCH },
        head = head.as_str(),
        outputs = outputs.join(", "),
        calibration = each("{und: [1.0, 0.0]}"),
        thresholds = each("{und: 0.5}"),
        evidence = each(&format!("[{}]", languages.join(", "))),
    ))
}

/// A text that YAML takes as it is.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        classify::manifest::Manifest,
        diagnostic::{Diagnostics, SourceFile},
    };

    const CONFIG: &str = r#"{"model_type": "bert", "max_position_embeddings": 512,
        "pad_token_id": 0, "id2label": {"0": "neutral", "1": "toxic", "2": "insult"},
        "problem_type": "multi_label_classification", "hidden_size": 8}"#;

    fn import(
        config: &str,
        map: &[(&str, &str)],
        window: Option<usize>,
    ) -> Result<Imported, String> {
        let map = map.iter().map(|(label, of)| ((*label).to_owned(), (*of).to_owned()));
        let wishes = Wishes {
            map: map.collect(),
            name: "ours".to_owned(),
            version: "1".to_owned(),
            licence: "MIT, \"as is\"".to_owned(),
            languages: vec![Language::new("en").expect("a code")],
            window,
            head: None,
        };
        let file = |name: &str| (name.to_owned(), "0".repeat(64));
        let found = Found {
            inputs: vec![TokenInput::Ids, TokenInput::Mask],
            mixes_rows: true,
            files: ["model.onnx", "tokenizer.json"].map(file).into(),
        };
        manifest(&Config::parse(config)?, &wishes, &found)
    }

    #[test]
    fn an_export_becomes_a_manifest_that_is_read() {
        let map = [("toxic", "toxic"), ("insult", "harassment")];
        let imported = import(CONFIG, &map, None).expect("it is a classifier");
        let file = SourceFile { path: "model.yaml".to_owned(), text: imported.manifest };
        let mut out = Diagnostics::default();
        let manifest = Manifest::parse(&Arc::new(file), &mut out);
        let manifest = manifest.unwrap_or_else(|| panic!("{:?}", out.sorted()));
        assert_eq!((manifest.outputs.len(), manifest.labels().len()), (3, 2));
        assert_eq!((manifest.head, manifest.licence.as_str()), (Head::Sigmoid, "MIT, \"as is\""));
        assert!(manifest.asked.is_some());
        assert_eq!(imported.notes, ["these labels are nobody's: neutral"]);
    }

    /// What is changed in the configuration, what is mapped, the window, what is said.
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], Option<usize>, &'a str);

    #[test]
    fn what_cannot_be_imported_is_said_in_one_sentence() {
        let toxic = [("toxic", "toxic")];
        let cases: [Case<'_>; 8] = [
            ("", "", &[], None, "no label is mapped; the network has neutral, toxic, insult"),
            ("", "", &[("toxik", "toxic")], None, "no label `toxik`, did you mean `toxic`?"),
            ("", "", &[("toxic", "Toxic!")], None, "`Toxic!` is no category"),
            ("id2label", "labels", &toxic, None, "no `id2label`"),
            ("\"2\"", "\"3\"", &toxic, None, "not number 2"),
            ("multi_label_classification", "regression", &toxic, None, "`regression`"),
            ("", "", &toxic, Some(1024), "places for 512 tokens, not for 1024"),
            ("\"bert\"", "\"xlm-roberta\"", &toxic, Some(512), "places for 511 tokens"),
        ];
        for (from, to, map, window, said) in cases {
            let refused = import(&CONFIG.replace(from, to), map, window).expect_err(said);
            assert!(refused.contains(said), "{refused}");
        }
        assert!(Config::parse("[]").is_err());
    }

    #[test]
    fn without_a_problem_type_one_of_several_labels_holds() {
        let config = CONFIG.replace(r#""problem_type": "multi_label_classification","#, "");
        let imported = import(&config, &[("toxic", "toxic")], None).expect("it is a classifier");
        assert!(imported.manifest.contains("head: softmax"), "{}", imported.manifest);
        assert!(imported.notes[0].contains("--head"), "{:?}", imported.notes);
    }
}
