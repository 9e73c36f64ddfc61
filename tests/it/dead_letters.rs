//! `tidegate dead-letters`: what operators see of them, and posts that come back.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::home::Home;
use crate::support::judges::{ByValue, Running};
use crate::support::kafka::{Kafka, NewRecord, StoredRecord, scratch};
use crate::support::mock::Mock;
use crate::support::process::poll_until;
use crate::support::scene::{PARTITIONS, SHORT_SESSION, SOON, Scene, header, wait_finished};
use crate::support::worker::Worker;

const TOPICS: [&str; 4] = ["posts", "decisions", "dead-letters", "reviews"];

/// A worker's topics, its configuration and its small home.
struct Gate<'k> {
    scene: Scene<'k>,
    home: Home,
    folder: TempDir,
}

impl<'k> Gate<'k> {
    fn on(scene: Scene<'k>) -> Self {
        let folder = scratch("letters");
        let more = "dead_letters: {max_bytes: 10KiB}\nadmin: {listen: null}\n";
        scene.config(folder.path(), SHORT_SESSION, more);
        Self { scene, home: Home::with(3), folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("tidegate.yaml")
    }

    /// Lets a worker decide about everything that is there.
    fn work(&self) {
        let mut worker = Worker::start_with(&self.config(), |command| {
            command.arg("--no-model").arg("--home").arg(self.home.path());
        });
        let scene = &self.scene;
        worker.until("the positions behind every post", SOON, || {
            let ends = scene.broker().ends(&scene.posts);
            let committed = scene.broker().committed(&scene.group, &scene.posts);
            std::thread::sleep(Duration::from_millis(200));
            ends.iter().all(|(p, end)| *end == 0 || committed.get(p) == Some(end))
        });
        assert!(worker.terminate(SOON).success(), "{}", worker.stderr());
    }

    fn dead_letters(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .arg("dead-letters")
            .args(arguments)
            .arg("--config")
            .arg(self.config())
            .output()
            .expect("the binary starts")
    }

    fn says(&self, arguments: &[&str]) -> String {
        let output = self.dead_letters(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

const SECRET: &str = "geheimnis";

#[test]
fn dead_letters_are_counted_shown_and_sent_again_a_limited_number_of_times() {
    let kafka = Kafka::shared();
    let mut gate = Gate::on(Scene::on(kafka, "letters"));
    let bad = |text: &str| NewRecord {
        headers: vec![("platform".into(), b"web".to_vec())],
        ..NewRecord::keyed("author", text)
    };
    let large = format!(r#"{{"id":7,"text":"{}"}}"#, SECRET.repeat(2_000));
    gate.scene.produce([bad(r#"{"id":1,"text":"geheimnis"}"#), bad("geheimnis"), bad(&large)]);
    gate.scene.produce([NewRecord { key: Some(b"author".to_vec()), ..NewRecord::default() }]);
    gate.scene.produce([NewRecord::keyed("author", r#"{"id":"good","text":"hello"}"#)]);
    gate.work();

    let list = gate.says(&["list"]);
    assert!(list.contains("4 dead letters"), "{list}");
    assert!(list.contains("2  invalid_schema     id:"), "{list}");
    assert!(list.contains("1  invalid_json") && list.contains("1  empty"), "{list}");
    let json: Value =
        serde_json::from_str(&gate.says(&["list", "--format", "json"])).expect("JSON");
    assert_eq!((&json["total"], json["latest"].as_array().map(Vec::len)), (&4.into(), Some(4)));
    let only = gate.says(&["list", "--code", "invalid_json", "--last", "1"]);
    assert!(only.contains("1 dead letters") && only.contains(" 0:1 "), "{only}");
    let none = gate.says(&["list", "--until", "2020-01-01T00:00:00Z"]);
    assert!(none.contains("0 dead letters"), "{none}");

    let shown = gate.says(&["show", "0:1"]);
    assert!(shown.contains("tidegate.error.code: invalid_json"), "{shown}");
    assert!(shown.contains("platform: web") && shown.contains("value: 9 bytes"), "{shown}");
    for text in [&list, &only, &shown, &json.to_string()] {
        assert!(!text.contains(SECRET), "nothing of a post without being asked: {text}");
    }
    assert!(gate.says(&["show", "0:1", "--value"]).contains("value: geheimnis"));
    assert_eq!(gate.dead_letters(&["show", "0:99"]).status.code(), Some(66));

    let dry = gate.dead_letters(&["replay", "--dry-run"]);
    let said = String::from_utf8_lossy(&dry.stdout).into_owned();
    assert!(said.contains("3 posts would be sent") && said.contains("1 left"), "{said}");
    assert_eq!(dry.status.code(), Some(65), "one has nothing to send");
    assert_eq!(kafka.read_all(&gate.scene.posts).len(), 5, "nothing was sent");

    replays_until_it_was_often_enough(&gate);
}

/// Each round sends the letters of the round before: their attempts rise up to two.
fn replays_until_it_was_often_enough(gate: &Gate<'_>) {
    let kafka = gate.scene.broker();
    let first = gate.says(&["replay", "--code", "invalid_schema"]);
    assert!(first.contains("2 posts sent"), "{first}");
    let posts = kafka.read_all(&gate.scene.posts);
    let again: Vec<&StoredRecord> =
        posts.iter().filter(|post| header(post, "tidegate.attempts") == "1").collect();
    assert_eq!(again.len(), 2, "the claim check was fetched as well");
    for post in &again {
        assert_eq!(header(post, "platform"), "web", "headers of the platform are kept");
        assert_eq!(header(post, "tidegate.error.code"), "", "and none of the failure");
        assert_eq!(post.key.as_deref(), Some(&b"author"[..]));
        assert!(header(post, "tidegate.replayed-from").starts_with(&gate.scene.dead_letters));
    }
    let sizes: Vec<usize> =
        again.iter().map(|post| post.value.as_ref().map_or(0, Vec::len)).collect();
    assert!(sizes.iter().any(|size| *size > 10 << 10), "the large one whole: {sizes:?}");

    gate.work();
    let list = gate.says(&["list", "--code", "invalid_schema"]);
    assert!(list.contains("4 dead letters"), "the same mistake again: {list}");
    let second = gate.dead_letters(&["replay", "--code", "invalid_schema", "--max-attempts", "1"]);
    let said = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(said.contains("2 posts sent") && said.contains("2 left where they are"), "{said}");
    assert!(said.contains("sent often enough before"), "{said}");
}

#[test]
fn a_partition_that_yields_only_dead_letters_is_held_back_until_a_post_can_be_decided() {
    let mock =
        Mock::start(&[(TOPICS[0], PARTITIONS), (TOPICS[1], 2), (TOPICS[2], 1), (TOPICS[3], 1)]);
    let mut scene = Scene::with(mock.clients(), TOPICS.map(str::to_owned));
    let bad = |n: usize| NewRecord::keyed("broken", format!("bad {n}"));
    let good = |n: usize| NewRecord::keyed("broken", format!("good {n}"));
    scene.produce((0..60).map(bad));
    scene.produce((60..360).map(good));
    let other = |n: usize| NewRecord::keyed(format!("fine-{n}"), format!("good {n}"));
    scene.produce((600..900).map(other));
    let mut settings = scene.settings();
    settings.breaker.in_a_row = std::num::NonZeroU32::new(20);
    settings.breaker.probe_every = Duration::from_millis(10);
    let worker = Running::start(settings, ByValue::default());
    let held = poll_until(SOON, || (worker.instruments.held_partitions().get() > 0).then_some(()));
    assert!(held.is_some(), "it is held back");
    wait_finished(&worker, 660);
    let flows =
        poll_until(SOON, || (worker.instruments.held_partitions().get() == 0).then_some(()));
    assert!(flows.is_some(), "it flows again");
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_order();
    scene.assert_all_committed();
}

#[test]
fn a_partition_that_stays_bad_ends_the_worker_and_a_restart_goes_on_where_it_was() {
    let mock = Mock::start(&[(TOPICS[0], 1), (TOPICS[1], 2), (TOPICS[2], 1), (TOPICS[3], 1)]);
    let mut scene = Scene::with(mock.clients(), TOPICS.map(str::to_owned));
    scene.produce((0..500).map(|n| NewRecord::keyed("broken", format!("bad {n}"))));
    let mut settings = scene.settings();
    settings.breaker.in_a_row = std::num::NonZeroU32::new(20);
    settings.breaker.probe_every = Duration::from_millis(50);
    settings.breaker.give_up = Duration::from_millis(500);
    let stop = Running::start(settings.clone(), ByValue::default()).end().expect_err("it gives up");
    assert_eq!(stop.exit_code(), 75, "{stop}");
    assert!(stop.to_string().contains("still yields only dead letters"), "{stop}");
    let written = scene.dead_letters().len();
    assert!(written < 100, "the topic is not drained into the dead letters: {written}");
    settings.breaker =
        tidegate::config::BreakerSettings { in_a_row: None, percent: None, ..settings.breaker };
    let worker = Running::start(settings, ByValue::default());
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
}
