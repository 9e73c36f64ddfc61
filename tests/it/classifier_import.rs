//! `tidegate model import|inspect|verify`: an export of a classifier becomes a model that decides.

use std::{fs, path::Path, process::Output};

use tempfile::{TempDir, tempdir};

use crate::support::{
    model::{repository, small},
    moderate::tidegate,
    onnx::{Network, tokenizer},
};

const CONFIG: &str = r#"{"architectures": ["BertForSequenceClassification"], "model_type": "bert",
"hidden_size": 2, "max_position_embeddings": 512, "pad_token_id": 0,
"id2label": {"0": "toxic", "1": "identity_hate"}, "label2id": {"toxic": 0, "identity_hate": 1},
"problem_type": "multi_label_classification"}"#;

/// The export of a network, and a place for the model folder beside it.
struct Export(TempDir);

impl Export {
    fn of(network: &[u8], config: &str) -> Self {
        let export = Self(tempdir().expect("a scratch folder"));
        let tokenizer = tokenizer();
        let files = [
            ("model.onnx", network),
            ("config.json", config.as_bytes()),
            ("tokenizer.json", tokenizer.as_bytes()),
        ];
        for (name, bytes) in files {
            fs::write(export.path().join(name), bytes).expect("it is writable");
        }
        export
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn import(&self, arguments: &[&str]) -> Output {
        let (from, out) = (self.path().display().to_string(), self.out());
        run(&[&["import", &from, "--out", &out], arguments].concat())
    }

    fn out(&self) -> String {
        self.path().join("ours").display().to_string()
    }
}

fn run(arguments: &[&str]) -> Output {
    let library = repository(".tidegate/lib/libonnxruntime.so").display().to_string();
    let library = ["--onnx-library", &library];
    tidegate(&[&["model"], arguments, &library].concat(), b"")
}

fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    [out, error].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

const MAP: [&str; 2] = ["--map", "toxic=toxic,identity_hate=hate"];

#[test]
fn an_export_becomes_a_model_folder_that_says_the_same_ever_after() {
    for network in
        [small(), Network { types: true, ..small() }, Network { mixes_rows: true, ..small() }]
    {
        let export = Export::of(&network.onnx(), CONFIG);
        let imported =
            export.import(&[&MAP[..], &["--languages", "en", "--window", "16"]].concat());
        assert!(imported.status.success(), "{}", said(&imported));
        let manifest = fs::read_to_string(Path::new(&export.out()).join("model.yaml"));
        let manifest = manifest.expect("it is written");
        assert_eq!(manifest.contains("token_type_ids"), network.types, "{manifest}");
        assert_eq!(manifest.contains("batch: 1\n"), network.mixes_rows, "{manifest}");
        let verified = run(&["verify", &export.out()]);
        assert!(verified.status.success(), "{}", said(&verified));
        let inspected = said(&run(&["inspect", &export.out()]));
        for part in [
            "ours 1 (not stated), hf_tokenizer",
            "input_ids int64 [?, ?]",
            "logits float32 [?, 2]",
            "labels       toxic, hate",
            "golden       11 texts, 0 differences",
            "asked        in en, about hate, toxic",
        ] {
            assert!(inspected.contains(part), "no {part} in\n{inspected}");
        }
        let golden = Path::new(&export.out()).join("golden.jsonl");
        let text = fs::read_to_string(&golden).expect("it is written");
        fs::write(&golden, text.replace("\"toxic\":0.0", "\"toxic\":0.9")).expect("it is writable");
        let verified = run(&["verify", &export.out()]);
        assert_eq!(verified.status.code(), Some(1), "{}", said(&verified));
        assert!(said(&verified).contains("golden.jsonl:1: toxic is 0.018, not 0.918"));
    }
}

#[test]
fn one_of_several_labels_holds_where_the_export_says_so() {
    let config = CONFIG.replace("multi_label", "single_label");
    let export = Export::of(&small().onnx(), &config);
    let imported = export.import(&["--map", "toxic=toxic"]);
    assert!(imported.status.success(), "{}", said(&imported));
    let notes = said(&imported);
    assert!(notes.contains("these labels are nobody's: identity_hate"), "{notes}");
    assert!(notes.contains("no evidence in any language"), "{notes}");
    let manifest = fs::read_to_string(Path::new(&export.out()).join("model.yaml"));
    assert!(manifest.expect("it is written").contains("head: softmax"));
}

/// An export, the arguments, and what is said of it.
type Case<'a> = (&'a str, Vec<u8>, &'a str, &'a [&'a str], &'a str);

#[test]
fn what_cannot_be_imported_leaves_nothing_behind() {
    let sound = small().onnx();
    let custom = Network { domain: "com.example", ..small() }.onnx();
    // An initializer of the graph that lies in another file.
    let external = vec![0x3A, 4, 0x2A, 2, 14 << 3, 1];
    let regression = CONFIG.replace("multi_label_classification", "regression");
    let cases: [Case<'_>; 8] = [
        ("custom operators", custom, CONFIG, &MAP, "operators of the domain `com.example`"),
        ("external data", external, CONFIG, &MAP, "export the model as one file"),
        ("no network", b"weights".to_vec(), CONFIG, &MAP, "it is no ONNX file"),
        ("no classifier", sound.clone(), &regression, &MAP, "this is no classifier"),
        ("no label", sound.clone(), CONFIG, &["--map", "toxik=toxic"], "did you mean `toxic`?"),
        ("no category", sound.clone(), CONFIG, &["--map", "toxic=hatred"], "no category `hatred`"),
        ("no pair", sound.clone(), CONFIG, &["--map", "toxic"], "not `toxic`"),
        (
            "no place",
            sound,
            CONFIG,
            &["--map", "toxic=toxic", "--window", "513"],
            "places for 512 tokens, not for 513",
        ),
    ];
    for (name, network, config, arguments, reason) in cases {
        let export = Export::of(&network, config);
        let refused = export.import(arguments);
        assert!(!refused.status.success(), "{name} was imported");
        assert!(said(&refused).contains(reason), "{name}: {}", said(&refused));
        assert!(!Path::new(&export.out()).exists(), "{name} left a folder");
    }
}
