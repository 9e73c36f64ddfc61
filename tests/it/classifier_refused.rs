//! Model folders that cannot be used: one clear message each.

use std::{
    fs::{self, File},
    path::Path,
};

use tempfile::tempdir;

use crate::support::{
    model::{MANIFEST, open, small, write, written},
    onnx::{Network, tokenizer},
};

/// What is done to a sound folder, and what is said of it then.
type Case = (&'static str, fn(&Path), &'static str);

fn rewrite(folder: &Path, from: &str, to: &str) {
    let manifest = MANIFEST.replacen(from, to, 1);
    assert_ne!(manifest, MANIFEST, "the manifest has no {from}");
    write(folder, &manifest, &small().onnx(), &tokenizer());
}

fn network(folder: &Path, network: &Network) {
    write(folder, MANIFEST, &network.onnx(), &tokenizer());
}

const CASES: &[Case] = &[
    (
        "a wrong hash",
        |folder| fs::write(folder.join("model.onnx"), b"other").expect("written"),
        "M011 …/model.onnx is not the file that model.yaml names",
    ),
    (
        "a missing file",
        |folder| fs::remove_file(folder.join("tokenizer.json")).expect("removed"),
        "M010 …/tokenizer.json cannot be read: No such file or directory (os error 2)",
    ),
    (
        "no manifest",
        |folder| fs::remove_file(folder.join("model.yaml")).expect("removed"),
        "M010 …/model.yaml cannot be read: No such file or directory (os error 2)",
    ),
    (
        "an unknown label",
        |folder| rewrite(folder, "evidence: {toxic", "evidence: {toxik"),
        "M005 nothing is said about the label `toxic`\nM005 `toxik` is no label of this model",
    ),
    (
        "a label too many",
        |folder| rewrite(folder, "labels: [toxic, hate]", "labels: [toxic, hate, ~]"),
        "the model small could not be opened: its output `logits` is float32 [?, 2]; it must be \
         float32 [?, 3]",
    ),
    (
        "an input too few",
        |folder| rewrite(folder, "[input_ids, attention_mask]", "[input_ids]"),
        "the model small could not be opened: its inputs are attention_mask, input_ids; they must \
         be input_ids",
    ),
    (
        "another output",
        |folder| {
            let onnx = small().onnx();
            let at = onnx.windows(6).rposition(|bytes| bytes == b"logits").expect("it has one");
            let renamed = [&onnx[..at], b"scores", &onnx[at + 6..]].concat();
            let first = renamed.windows(6).position(|bytes| bytes == b"logits").expect("and once");
            let both = [&renamed[..first], b"scores", &renamed[first + 6..]].concat();
            write(folder, MANIFEST, &both, &tokenizer());
        },
        "the model small could not be opened: its output `logits` is not there; it must be \
         float32 [?, 2]",
    ),
    (
        "outputs that are no numbers",
        |folder| network(folder, &Network { bias: f32::NAN, ..small() }),
        "the model small could not be opened: over a window of 16 tokens with ids up to 11 it \
         fails: NaN is no number",
    ),
    (
        "a tokenizer with more words than the network",
        |folder| network(folder, &Network { vocabulary: 8, ..small() }),
        "the model small could not be opened: over a window of 16 tokens with ids up to 11 it \
         fails: Non-zero status code returned while running Gather node.",
    ),
    (
        "a tokenizer that is none",
        |folder| write(folder, MANIFEST, &small().onnx(), "{\"model\": 7}"),
        "M012 …/tokenizer.json cannot be used: it is no tokenizer that is known here: ",
    ),
    (
        "a network that is none",
        |folder| write(folder, MANIFEST, b"weights", &tokenizer()),
        "M012 …/model.onnx cannot be used: it is no ONNX file",
    ),
    (
        "an operator of its own",
        |folder| network(folder, &Network { domain: "com.example", ..small() }),
        "M012 …/model.onnx cannot be used: it needs operators of the domain `com.example`; only \
         the standard ONNX operators run here",
    ),
    (
        "a file of a gigabyte, which is not read",
        |folder| {
            let file = File::create(folder.join("model.onnx")).expect("created");
            file.set_len(1 << 30).expect("a file with a hole");
        },
        "M010 …/model.onnx cannot be read: it has 1073741824 bytes, and 268435456 are allowed",
    ),
    (
        "golden outputs that are none",
        |folder| fs::write(folder.join("golden.jsonl"), "{}\n").expect("written"),
        "M014 …/golden.jsonl cannot be used: line 1: missing field `text`",
    ),
    (
        "a window that is too small",
        |folder| rewrite(folder, "window: 16", "window: 4"),
        "M002 `window` goes from 8 to 512",
    ),
    (
        "a head that is not known",
        |folder| rewrite(folder, "head: sigmoid", "head: sigmoyd"),
        "Y014 `sigmoyd` is not known here",
    ),
    (
        "a band the wrong way round",
        |folder| {
            let bands = "languages: [en]\nbands: {hate: [0.9, 0.1]}\ngraph:";
            rewrite(folder, "graph:", bands);
        },
        "M013 a second opinion has a language and a band\nM013 a band is `[low, high]`, the lower \
         score first",
    ),
    (
        "a band without languages",
        |folder| rewrite(folder, "graph:", "bands: {hate: [0.1, 0.9]}\ngraph:"),
        "M013 `languages` and `bands` of a second opinion come together",
    ),
];

#[test]
fn each_mistake_has_one_clear_message() {
    for (name, spoil, said) in CASES {
        let scratch = tempdir().expect("a scratch folder");
        let folder = written(scratch.path(), "small", &small(), &[]);
        spoil(&folder);
        let refused = open(&folder).expect_err(name);
        let place = folder.display().to_string();
        let refused = refused.replace(&place, "…");
        assert!(refused.starts_with(said), "{name}:\n{refused}\nnot\n{said}");
        let lines = |text: &str| text.lines().count();
        assert_eq!(lines(&refused), lines(said), "{name}: {refused}");
    }
}
