//! A client that is not ours agrees: Python's `confluent-kafka` writes posts and reads what became of
//! them, and Python's `jsonschema` holds it against the published schemas.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::kafka::{Kafka, scratch};
use crate::support::scene::{SOON, Scene};
use crate::support::worker::Worker;

/// Posts that `client.py` writes, and those of them that are no posts.
const POSTS: usize = 600;
const BROKEN: usize = 30;

#[test]
fn a_foreign_client_finds_every_post_decided_as_the_schemas_promise() {
    let kafka = Kafka::shared();
    let mut scene = Scene::on(kafka, "foreign");
    let folder = scratch("foreign");
    let ledger = folder.path().join("ledger");
    client(&[OsStr::new("write"), kafka.address().as_ref(), scene.posts.as_ref(), ledger.as_ref()]);
    scene.expect_posts(POSTS);

    let config = scene.config(folder.path(), "{}", "admin: {listen: null}\n");
    let mut worker = Worker::start_with(&config, |command| {
        command.arg("--no-model");
    });
    worker.until("the positions behind every post", SOON, || scene.is_all_committed());
    assert!(worker.terminate(SOON).success(), "{}", worker.stderr());

    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let found = client(&[
        OsStr::new("read"),
        kafka.address().as_ref(),
        scene.decisions.as_ref(),
        scene.dead_letters.as_ref(),
        ledger.as_ref(),
        schemas.as_ref(),
    ]);
    assert_eq!(found, json!({"decisions": POSTS - BROKEN, "dead_letters": BROKEN}));
}

/// Runs the client; what it prints.
fn client(arguments: &[&OsStr]) -> Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join(".tidegate/foreign/bin/python");
    assert!(python.exists(), "{} is missing: run make setup-test", python.display());
    let output = Command::new(python)
        .arg(here.join("tests/foreign/client.py"))
        .args(arguments)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}
