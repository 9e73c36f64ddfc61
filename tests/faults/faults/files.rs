//! Faults of files that change under a running worker: rules and models, broken and half written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, SOON};
use crate::support::process::poll_until;
use crate::support::worker::Worker;
use crate::support::{home::pack, model};

const PACK: &str = "packs/spam.yaml";

/// What the worker shows of its bundle.
fn bundle(worker: &Worker) -> Option<Value> {
    let report: Value = serde_json::from_str(&worker.operators_see("/readyz?verbose")?).ok()?;
    Some(report["bundle"].clone())
}

/// Waits until the bundle in force is another one than `hash`, or one at all.
fn until_other(worker: &Worker, hash: &str) -> String {
    let other = || {
        let shown = bundle(worker)?;
        let found = shown["in_force"].as_str()?.to_owned();
        (found != hash && shown["refused"].is_null()).then_some(found)
    };
    poll_until(SOON, other).unwrap_or_else(|| panic!("no other bundle: {}", worker.stderr()))
}

/// Waits until what lies in the folder is refused, with this in the reason.
fn until_refused(worker: &Worker, part: &str) {
    let refused = || bundle(worker)?["refused"].to_string().contains(part).then_some(());
    let found = poll_until(SOON, refused);
    assert!(found.is_some(), "no refusal with `{part}`: {}", worker.stderr());
}

/// Each mistake is refused with its place, and the old rules decide.
pub(crate) fn broken_rules(lab: &mut Lab) {
    lab.produce(500);
    let worker = lab.worker();
    let first = until_other(&worker, "");
    let big = "a".repeat(200);
    let broken = [
        (pack(1).replace("severity", "sevrity"), "sevrity"),
        (pack(1).replace("[buy now]", "[{regex: '(buy'}]"), "spam.yaml"),
        (
            pack(1).replace("[buy now]", &format!("[{{regex: '({big}){{999}}{{999}}'}}]")),
            "spam.yaml",
        ),
        (pack(1).replace("miss: [hello there]", "miss: [please buy now]"), "spam.yaml"),
        ("pack: spam\nrules: [".to_owned(), "spam.yaml"),
        ("\u{0}\u{1}\u{2}".to_owned(), "spam.yaml"),
    ];
    for (text, part) in broken {
        lab.home.write(PACK, &text);
        until_refused(&worker, part);
        lab.produce(100);
        let shown = bundle(&worker).unwrap_or_default();
        lab.expect(shown["in_force"] == *first, || format!("{part} came into force"));
        lab.home.write(PACK, &pack(3));
        assert_eq!(until_other(&worker, ""), first, "the first one again");
    }
    let refused = worker.metric(r#"tidegate_bundle_reloads_total{result="refused"}"#);
    lab.expect(refused.is_some_and(|count| count >= 6.0), || format!("{refused:?} refusals"));
    lab.finish([worker]);
}

/// Only whole sets come into force, and never none.
pub(crate) fn half_written(lab: &mut Lab) {
    lab.produce(500);
    let worker = lab.worker();
    let first = until_other(&worker, "");
    let (rules, text) = (lab.home.rules(), pack(1));

    // In place, byte by byte, as a slow editor does it.
    fs::write(rules.join(PACK), &text[..text.len() / 2]).expect("it is writable");
    thread::sleep(Duration::from_millis(30));
    fs::write(rules.join(PACK), &text).expect("it is writable");
    let second = until_other(&worker, &first);
    lab.produce(200);

    // As Kubernetes swaps a ConfigMap: a link to another folder.
    let away = lab.home.path().join("versions-1");
    fs::rename(&rules, &away).expect("one disk");
    std::os::unix::fs::symlink(&away, &rules).expect("a link can be made");
    let fresh = lab.home.path().join("versions-2");
    copy(&away, &fresh);
    fs::write(fresh.join(PACK), pack(3)).expect("it is writable");
    let link = lab.home.path().join("next");
    std::os::unix::fs::symlink(&fresh, &link).expect("a link can be made");
    fs::rename(&link, &rules).expect("one disk");
    let third = until_other(&worker, &second);
    lab.expect(third == first, || "the swapped folder is the first one again".to_owned());
    lab.produce(200);

    // Gone: the last good one decides.
    fs::remove_file(&rules).expect("it is a link");
    until_refused(&worker, "there is no such folder");
    lab.produce(200);
    let shown = bundle(&worker).unwrap_or_default();
    lab.expect(shown["in_force"] == *third, || "something else came into force".to_owned());
    lab.finish([worker]);
}

/// Nothing is lost, and decisions of one partition go from bundle to bundle without going back.
pub(crate) fn many_reloads(lab: &mut Lab) {
    let worker = lab.worker_with(|command| {
        command.env("TIDEGATE__RELOAD__EVERY", "10ms").env("TIDEGATE__RELOAD__SETTLE", "10ms");
    });
    let mut hash = until_other(&worker, "");
    for number in 0..100 {
        if number % 10 == 0 {
            lab.produce(lab.load(200));
        }
        let title = format!("rules:\n  - title: change {number}\n    id: ads");
        lab.home.write(PACK, &pack(3).replace("rules:\n  - id: ads", &title));
        hash = until_other(&worker, &hash);
    }
    let applied = worker.metric(r#"tidegate_bundle_reloads_total{result="applied"}"#);
    lab.expect(applied == Some(100.0), || format!("{applied:?} reloads"));
    lab.finish([worker]);
}

/// A worker over a home with a small model; it needs the library, which the checkout has.
fn with_model(lab: &Lab) -> (PathBuf, Worker) {
    let folder = model::written(&lab.home.path().join("models"), "small", &model::small(), &[]);
    let taxonomy = "umbrellas:\n  - {id: toxic, definition: toxic}\ncategories:\n  \
                    - {id: spam, definition: spam}\n  - {id: hate, definition: hate}\n";
    lab.home.write("taxonomy.yaml", taxonomy);
    lab.home.write("bundle.yaml", "models: {core: small}\n");
    let worker = start_with_model(lab);
    (folder, worker)
}

fn start_with_model(lab: &Lab) -> Worker {
    let library = repository(".tidegate/lib/libonnxruntime.so");
    lab.worker_at(lab.home.path(), |command: &mut Command| {
        command.arg("--onnx-library").arg(library);
    })
}

/// What is not what its manifest says is refused; the old model stays, and a start ends at once.
pub(crate) fn broken_models(lab: &mut Lab) {
    lab.produce(200);
    let (model, worker) = with_model(lab);
    let first = until_other(&worker, "");
    let whole = fs::read(model.join("model.onnx")).expect("it is there");
    let manifest = fs::read_to_string(model.join("model.yaml")).expect("it is there");
    let put = |bytes: &[u8]| {
        fs::write(model.join(".fresh"), bytes).expect("it is writable");
        fs::rename(model.join(".fresh"), model.join("model.onnx")).expect("one disk");
    };
    let mut flipped = whole.clone();
    *flipped.last_mut().expect("it is not empty") ^= 1;
    for bytes in [&whole[..whole.len() / 2], &flipped, b""] {
        put(bytes);
        until_refused(&worker, "model.onnx");
        lab.produce(50);
        put(&whole);
        assert_eq!(until_other(&worker, ""), first, "the first one again");
    }
    fs::write(
        model.join("model.yaml"),
        manifest.replace("labels: [toxic, hate]", "labels: [hate, hate]"),
    )
    .expect("it is writable");
    until_refused(&worker, "model.yaml");
    fs::write(model.join("model.yaml"), &manifest).expect("it is writable");
    assert_eq!(until_other(&worker, ""), first, "the first one again");
    put(&flipped);
    let mut fails = start_with_model(lab);
    lab.ends_with(&mut fails, 66, "model.onnx");
    put(&whole);
    lab.finish([worker]);
}

/// A model without numbers never comes into force: the old one goes on, and a start ends at once.
pub(crate) fn nan_model(lab: &mut Lab) {
    let count = lab.load(1_000);
    lab.produce(count);
    let (_, mut worker) = with_model(lab);
    until_other(&worker, "");
    copy(&repository("tests/fixtures/nan-model"), &lab.home.path().join("models/nan"));
    lab.home.write("bundle.yaml", "models: {core: nan}\n");
    until_refused(&worker, "no probability");
    lab.produce(count);
    lab.wait_outputs(&mut worker, 2 * count);
    let decisions = lab.kafka().read_all(&lab.topics.decisions);
    let scored = |value: &Option<Vec<u8>>| {
        String::from_utf8_lossy(value.as_deref().unwrap_or_default()).contains("\"name\":\"small\"")
    };
    let by_the_old = decisions.iter().filter(|decision| scored(&decision.value)).count();
    lab.expect(by_the_old == decisions.len(), || {
        format!("{by_the_old} of {} decisions by the old model", decisions.len())
    });
    let mut fails = start_with_model(lab);
    lab.ends_with(&mut fails, 66, "no probability");
    lab.home.write("bundle.yaml", "models: {core: small}\n");
    lab.finish([worker]);
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Copies a folder with its folders.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it is writable");
    for entry in fs::read_dir(from).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("it can be copied");
        }
    }
}
