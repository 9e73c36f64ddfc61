//! A worker as a child process: how tests see it start, end and die.

use std::path::Path;
use std::time::Duration;

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
