//! What a manifest may say, and what is said of one with mistakes.

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
    assert_eq!(manifest.thresholds[&hate][&zh], Score::from_thousandths(750).expect("in range"));
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
    each_is_refused(SOUND, &cases);
}

const TOKENS: &str = "
name: second
version: 1.2.3
licence: MIT
languages: [zh]
bands: {hate: [0.2, 0.9]}
encoder:
  kind: hf_tokenizer
  tokenizer: tokenizer.json
  window: 128
  windows: 4
  pad: 0
  inputs: [input_ids, attention_mask]
graph: model.onnx
head: softmax
labels: [~, hate, hate]
calibration: {hate: {und: [1.0, 0.0]}}
thresholds: {hate: {und: 0.5}}
evidence: {hate: [zh]}
deadline_ms: 500
files:
  model.onnx: 0000000000000000000000000000000000000000000000000000000000000000
  tokenizer.json: 1111111111111111111111111111111111111111111111111111111111111111
";

#[test]
fn reads_a_second_opinion_that_reads_tokens() {
    let (manifest, codes) = parse(TOKENS);
    assert_eq!(codes, [""; 0]);
    let manifest = manifest.expect("a sound manifest");
    let hate = Category::new("hate");
    assert_eq!(manifest.outputs, [None, Some(hate.clone()), Some(hate.clone())]);
    assert_eq!((manifest.labels(), manifest.head), (vec![hate.clone()], Head::Softmax));
    assert_eq!(manifest.deadline, Duration::from_millis(500));
    let EncoderSpec::Tokens { parameters, tokenizer } = manifest.encoder else {
        panic!("it reads tokens");
    };
    assert_eq!((parameters.batch, tokenizer.as_str()), (1, "tokenizer.json"));
    let asked = manifest.asked.expect("it gives second opinions");
    let score = |thousandths| Score::from_thousandths(thousandths).expect("in range");
    assert!(asked.bands[&hate].holds(score(200)) && !asked.bands[&hate].holds(score(901)));
}

#[test]
fn every_mistake_of_a_second_opinion_has_its_code() {
    let cases = [
        ("window: 128", "window: 513", "M002"),
        ("[input_ids, attention_mask]", "[attention_mask]", "M002"),
        ("[input_ids, attention_mask]", "[input_ids, input_ids]", "M002"),
        ("head: softmax", "head: soft", "Y014"),
        ("head: softmax\n", "", "Y016"),
        ("labels: [~, hate, hate]", "labels: [~, ~]", "M004"),
        ("languages: [zh]\n", "", "M013"),
        ("languages: [zh]", "languages: [chinese]", "M006"),
        ("[0.2, 0.9]", "[0.9, 0.2]", "M013"),
        ("[0.2, 0.9]", "0.2", "M013"),
        ("{hate: [0.2, 0.9]}", "{spam: [0.2, 0.9]}", "M005"),
        ("deadline_ms: 500", "deadline_ms: 5", "M002"),
        ("pad: 0", "pad: -1", "Y013"),
    ];
    each_is_refused(TOKENS, &cases);
}

#[test]
fn mistakes_are_reported_together() {
    let text = SOUND.replace("window: 400", "window: 0").replace("zh: 0.75", "zh: 7");
    assert_eq!(parse(&text).1, ["M002", "M008"]);
}

/// Puts each mistake into a sound manifest: what stood there, what stands there now, the code it has.
fn each_is_refused(sound: &str, mistakes: &[(&str, &str, &str)]) {
    for (from, to, code) in mistakes {
        assert!(sound.contains(from), "{from}");
        let (manifest, codes) = parse(&sound.replacen(from, to, 1));
        assert!(manifest.is_none(), "{to} was taken");
        assert!(codes.contains(code), "{to}: {codes:?}, not {code}");
    }
}
