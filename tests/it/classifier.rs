//! Models on ONNX Runtime: what ships says what it said in training, and a broken folder is refused.

use std::{fs, path::Path};

use serde_json::Value;
use tidegate::{
    classify::{Input, Scores, onnx::OnnxModel},
    signal::{Language, Score},
};

use crate::support::model::{folder, open, repository, runtime, session};

struct Golden {
    text: String,
    language: Option<Language>,
    ids: Vec<Vec<i32>>,
    scores: Vec<(String, u64)>,
}

fn golden() -> Vec<Golden> {
    let text = fs::read_to_string(repository("models/core/golden.jsonl")).expect("golden outputs");
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a JSON object");
        let scores = line["scores"].as_object().expect("scores by category");
        Golden {
            text: line["text"].as_str().expect("a text").to_owned(),
            language: line["language"].as_str().and_then(Language::new),
            ids: serde_json::from_value(line["ids"].clone()).expect("ids by window"),
            scores: scores.iter().map(|(of, score)| (of.clone(), thousandths(score))).collect(),
        }
    };
    text.lines().map(read).collect()
}

fn thousandths(score: &Value) -> u64 {
    let score = score.as_f64().and_then(Score::new).expect("a score");
    score.thousandths().into()
}

fn input(golden: &Golden) -> Input<'_> {
    Input { text: &golden.text, language: golden.language }
}

fn plain(scores: &Scores) -> Vec<(String, u64)> {
    scores.iter().map(|(of, s)| (of.as_str().to_owned(), s.thousandths().into())).collect()
}

#[test]
fn the_core_model_says_what_it_said_in_training() {
    let all = golden();
    assert!(all.len() >= 40, "only {} golden outputs", all.len());
    let core = folder(&repository("models/core")).expect("the shipped model is sound");
    let mut session = session(&repository("models/core"));
    for golden in &all {
        let mut ids = Vec::new();
        let encoded = core.encoder.encode(&golden.text, |window| ids.push(window));
        encoded.expect("n-grams are made of any text");
        assert_eq!(ids, golden.ids, "ids of {}", golden.text);
        let scores = session.score(&[input(golden)]).expect("scores");
        assert_eq!(plain(&scores[0]), golden.scores, "scores of {}", golden.text);
    }
}

#[test]
fn a_score_does_not_depend_on_its_neighbours() {
    let all = golden();
    let mut session = session(&repository("models/core"));
    let long = "every word counts ".repeat(200);
    for (at, one) in all.iter().enumerate() {
        let alone = session.score(&[input(one)]).expect("scores").remove(0);
        // 63 others, one of them far longer, so that the padding differs too.
        let mut inputs: Vec<Input<'_>> =
            all.iter().cycle().skip(at + 1).take(62).map(input).collect();
        inputs.push(Input { text: &long, language: None });
        let place = at % inputs.len();
        inputs.insert(place, input(one));
        let among = session.score(&inputs).expect("scores").remove(place);
        assert_eq!(alone, among, "{}", one.text);
    }
}

#[test]
fn an_output_that_is_no_probability_is_an_error() {
    let refused = open(&repository("tests/fixtures/nan-model")).expect_err("it gives no numbers");
    assert_eq!(refused, "the model nan could not be opened: it fails: NaN is no probability");
}

/// A copy of a small model folder, for breaking.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a scratch folder");
    for name in ["model.yaml", "model.onnx", "ngrams.bin"] {
        let from = repository("tests/fixtures/nan-model").join(name);
        fs::copy(from, copy.path().join(name)).expect("copied");
    }
    copy
}

fn edit(folder: &Path, from: &str, to: &str) {
    let place = folder.join("model.yaml");
    let text = fs::read_to_string(&place).expect("the manifest");
    assert!(text.contains(from), "the manifest has no {from}");
    fs::write(place, text.replace(from, to)).expect("written");
}

#[test]
fn a_changed_or_missing_file_is_refused() {
    let copy = copy();
    fs::write(copy.path().join("ngrams.bin"), [1, 0, 0, 0]).expect("written");
    fs::remove_file(copy.path().join("model.onnx")).expect("removed");
    let refused = folder(copy.path()).expect_err("two files are wrong");
    assert!(refused.contains("M011"), "a changed file: {refused}");
    assert!(refused.contains("M010"), "a missing file: {refused}");
    assert!(folder(&copy.path().join("nowhere")).expect_err("no folder").contains("M010"));
}

#[test]
fn a_network_of_another_shape_is_refused() {
    let copy = copy();
    edit(copy.path(), "labels: [hate]", "labels: [hate, spam]");
    for key in ["calibration", "thresholds", "evidence"] {
        let value = match key {
            "calibration" => "{und: [1.0, 0.0]}",
            "thresholds" => "{und: 0.5}",
            _ => "[]",
        };
        edit(copy.path(), &format!("{key}: {{"), &format!("{key}: {{spam: {value}, "));
    }
    let sound = folder(copy.path()).expect("the manifest itself is sound");
    let refused = OnnxModel::new(sound, &runtime()).expect_err("one output for two labels");
    assert!(refused.to_string().contains("must be float32 [?, 2]"), "{refused}");
}
