//! A worker as a child process: how tests see it start, end and die.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::kafka::scratch;
use crate::support::process::poll_until;
use crate::support::worker::Worker;

const SOON: Duration = Duration::from_secs(30);
const NOWHERE: &str = "no/such/tidegate.yaml";

#[test]
fn a_missing_configuration_ends_it_with_one_message_that_names_the_file() {
    let mut worker = Worker::start(Path::new(NOWHERE));
    let status = worker.wait(SOON);
    assert_eq!(status.code(), Some(66), "{}", worker.stderr());
    assert!(worker.stderr().contains(NOWHERE), "{}", worker.stderr());
}

#[test]
#[should_panic(expected = "the worker ended")]
fn waiting_for_a_worker_that_has_ended_fails_at_once() {
    Worker::start(Path::new(NOWHERE)).until("a first decision", SOON, || false);
}

/// A worker that looks for a broker where there is none, and has begun to.
fn searching(folder: &TempDir) -> Worker {
    let config = folder.path().join("tidegate.yaml");
    let settings = "source: {name: tests}\nkafka: {brokers: \"127.0.0.1:1\"}\n\
                    admin: {listen: null}\nrules: {shipped: false}\n";
    fs::write(&config, settings).expect("the scratch folder can be written");
    let state = folder.path().join("state");
    let worker = Worker::start_with(&config, |command| {
        command.arg("--no-model").env("TIDEGATE__STATE__DIR", state);
    });
    let asks = || worker.stderr().contains("librdkafka's settings").then_some(());
    assert!(poll_until(SOON, asks).is_some(), "{}", worker.stderr());
    worker
}

#[test]
fn the_first_signal_ends_it_in_order_and_the_second_at_once() {
    let folder = scratch("signals");
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let mut worker = searching(&folder);
        worker.signal(name);
        assert_eq!(worker.wait(SOON).code(), Some(0), "{}", worker.stderr());

        // It waits two seconds for an answer, and is told again and again in that time.
        let mut worker = searching(&folder);
        let ended = poll_until(SOON, || {
            worker.signal(name);
            worker.ended()
        });
        let ended = ended.and_then(|status| status.code());
        assert_eq!(ended, Some(code), "{}", worker.stderr());
    }
}
