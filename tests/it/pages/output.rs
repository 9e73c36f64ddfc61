//! What the pages show as the program's output is its output.
//!
//! The examples of a page that name a path are written there, in order, below a scratch folder; a
//! `console` example then runs its first line there and compares. A line `…` stands for any lines.

use std::fs;

use super::{Fence, PAGES, fences_of, program, shell::commands, write};

#[test]
fn the_output_in_the_pages_is_the_program_s() {
    let mut checked = 0;
    for page in PAGES {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        for fence in fences_of(page) {
            if let Some(path) = fence.path() {
                write(&scratch.path().join(path), &fence.body);
            } else if fence.is("console") {
                compare(&fence, scratch.path());
                checked += 1;
            }
        }
    }
    assert!(checked >= 5, "only {checked} were found");
}

fn compare(fence: &Fence, folder: &std::path::Path) {
    let (line, expected) = fence.body.split_once('\n').expect("a command and its output");
    let line = line.strip_prefix("$ ").expect("the command stands after `$ `");
    let words = commands(line).remove(0);
    assert_eq!(words[0], "tidegate", "{}", fence.place);
    let output = program().args(&words[1..]).current_dir(folder).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("it prints text")
        + &String::from_utf8(output.stderr).expect("it complains in text");
    assert!(shows(expected, &text), "{}: `{line}` prints\n{text}", fence.place);
}

/// Whether `actual` is `expected`, in which a line `…` stands for any lines.
fn shows(expected: &str, actual: &str) -> bool {
    let mut rest = actual.trim_end().lines().map(str::trim_end);
    let mut skip = false;
    for line in expected.trim_end().lines().map(str::trim_end) {
        let found = match (line, skip) {
            ("…", _) => {
                skip = true;
                continue;
            }
            (_, true) => rest.any(|other| other == line),
            (_, false) => rest.next() == Some(line),
        };
        skip = false;
        if !found {
            return false;
        }
    }
    skip || rest.next().is_none()
}

#[test]
fn only_three_dots_stand_for_lines() {
    assert!(shows("a\n…\nd\n", "a\nb\nc\nd\n"));
    assert!(shows("…\nd", "a\nd"));
    assert!(shows("a\n…", "a\nb"));
    assert!(!shows("a\nd", "a\nb\nd"));
    assert!(!shows("a\n…\nx", "a\nb"));
    assert!(!shows("a", "a\nb"));
}

/// The consumer in the README is run against a stand-in for Kafka's client.
#[test]
fn the_python_example_runs_and_sends_a_post() {
    let fence = fences_of("README.md").into_iter().find(|fence| fence.is("python"));
    let fence = fence.expect("the README shows a producer and a consumer");
    assert!(fence.body.lines().count() <= 22, "it is short");
    let scratch = tempfile::tempdir().expect("a scratch folder");
    fs::write(scratch.path().join("confluent_kafka.py"), STAND_IN).expect("it is writable");
    fs::write(scratch.path().join("example.py"), &fence.body).expect("it is writable");
    let output = std::process::Command::new("python3")
        .arg("example.py")
        .current_dir(scratch.path())
        .output()
        .expect("python3 is there: the tests' set-up installs it");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (sent, read) = text.split_once('\n').expect("a line sent, a line read");
    let post = serde_json::from_str(sent).expect("it sends JSON");
    assert_eq!(crate::support::schemas::problems("post.json", &post), Vec::<String>::new());
    assert_eq!(read.trim(), "42 allow hidden in ['DE']", "once, though it was read twice");
}

const STAND_IN: &str = r#"
class Producer:
    def __init__(self, settings): pass
    def produce(self, topic, key, value): print(value)
    def flush(self): pass

class Record:
    def error(self): return None
    def value(self):
        return b'{"id": "d1", "post_id": "42", "action": "allow", "withheld_in": ["DE"], "held_in": []}'

class Consumer:
    def __init__(self, settings): self.records = [Record(), Record()]
    def subscribe(self, topics): assert topics == ["decisions"]
    def poll(self, timeout): return self.records.pop() if self.records else None
"#;
