//! `tidegate moderate` with a second opinion, on networks as users bring them.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tidegate::signal::Score;

use crate::support::{
    model::{repository, small, written},
    moderate::{lines, tidegate},
    onnx::{HANG, Network, YEARS},
};

const POLICY: &str = "region: default
categories: {toxic: {review: {score: 0.6}}, hate: {review: {score: 0.6}}}
when_model_unavailable: {toxic: review_all}
";
const TAXONOMY: &str = "umbrellas: [{id: toxic, definition: toxic}]
categories: [{id: hate, definition: hate, umbrella: toxic}]
";
/// Words that every language detector takes for English.
const ENGLISH: &str = "the people and the river are nice and all of them know what they want today";

/// A home whose first model is unsure about `idiot` and whose second one is not.
struct Home(TempDir);

impl Home {
    fn new(second: &Network) -> Self {
        let home = Self(tempdir().expect("a scratch folder"));
        let write = |file: &str, text: &str| {
            let path = home.path().join("rules").join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
            fs::write(path, text).expect("it is writable");
        };
        write("taxonomy.yaml", TAXONOMY);
        write("policies/default.yaml", POLICY);
        write("bundle.yaml", "models: {core: core, second_opinions: [second]}\n");
        let unsure = Network::of(&[("idiot", &[2.0, 0.0]), ("fool", &[0.0, 2.0])]);
        let models = home.path().join("models");
        let wide = ("window: 16", "window: 64");
        written(&models, "core", &Network { bias: 0.2, ..unsure }, &[wide]);
        let bands = "languages: [en]\nbands: {toxic: [0.3, 0.9]}\ngraph:";
        written(&models, "second", second, &[wide, ("graph:", bands)]);
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The decision about a text.
    fn decide(&self, arguments: &[&str], text: &str) -> Value {
        let home = self.path().display().to_string();
        let library = repository(".tidegate/lib/libonnxruntime.so").display().to_string();
        let fixed = ["moderate", "--home", &home, "--onnx-library", &library];
        let post = json!({"id": "1", "text": text}).to_string();
        let output = tidegate(&[&fixed, arguments].concat(), post.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lines(&output).remove(0)
    }
}

#[test]
fn the_score_between_stands_and_both_are_told() {
    let home = Home::new(&small());
    let alone = home.decide(&["--no-second-opinion"], ENGLISH);
    let (first, opinions) = (&alone["signals"]["scores"]["toxic"], &alone["signals"]["model"]);
    assert_eq!(opinions["opinions"], json!([]));
    assert!((0.3..0.9).contains(&first.as_f64().expect("a score")), "{first} is unsure");

    let both = home.decide(&[], ENGLISH);
    let [opinion] = &both["signals"]["model"]["opinions"].as_array().expect("a list")[..] else {
        panic!("one was asked: {both}");
    };
    assert_eq!(opinion["core"]["toxic"], *first, "what the first model said");
    let [own, stands] = [&opinion["scores"], &both["signals"]["scores"]]
        .map(|scores| scores["toxic"].as_f64().expect("a score"));
    let score = |probability| Score::new(probability).expect("in range");
    let between = score(first.as_f64().expect("a score")).between(score(own));
    assert_eq!(score(stands), between, "{own} {first}");
    assert_eq!((&opinion["name"], &opinion["status"]), (&json!("second"), &json!("scored")));
    assert_eq!(both["versions"]["models"], json!(["core@1", "second@1"]));
    assert!(own < 0.1, "{own}");

    let short = home.decide(&[], "ok");
    assert_eq!(short["signals"]["model"]["opinions"], json!([]), "in no language for sure");
}

#[test]
fn a_second_opinion_that_hangs_is_ended_and_marked() {
    let home = Home::new(&Network { turns: YEARS, ..small() });
    let decision = home.decide(&[], &format!("{ENGLISH} {HANG}"));
    let opinion = &decision["signals"]["model"]["opinions"][0];
    assert_eq!(opinion["status"], "unavailable");
    assert_eq!(decision["degraded"], json!(["second_opinion_unavailable"]));
    assert_eq!(decision["signals"]["model"]["status"], "scored");
}

#[test]
fn models_may_lie_elsewhere() {
    let home = Home::new(&small());
    let elsewhere = home.path().join("elsewhere");
    fs::rename(home.path().join("models"), &elsewhere).expect("it is writable");
    let folder = elsewhere.display().to_string();
    let decision = home.decide(&["--models", &folder], ENGLISH);
    assert_eq!(decision["signals"]["model"]["name"], "core");
}
