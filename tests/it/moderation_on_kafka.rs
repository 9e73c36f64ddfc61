//! `tidegate run` as users run it, on a real Kafka: killed, stopped, fed with bad input.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::http::{logged_address, moderate};
use crate::support::kafka::{Kafka, NewRecord, StoredRecord, scratch};
use crate::support::scene::{Place, SOON, Scene, header, place_in_headers};
use crate::support::schemas::{assert_answer, assert_dead_letter};
use crate::support::worker::Worker;

/// Posts of the long test.
const POSTS: usize = 20_000;
/// How long an orderly end may take.
const DRAIN: Duration = Duration::from_secs(40);

/// The topics of one test and the configuration that names them.
struct Gate {
    scene: Scene<'static>,
    config: PathBuf,
    _folder: TempDir,
}

impl Gate {
    fn new(stem: &str) -> Self {
        Self::with(Scene::on(Kafka::shared(), stem), "{}")
    }

    /// With small batches, one after the other, a worker is caught in the middle on any machine.
    fn slow(stem: &str) -> Self {
        Self::with(Scene::on(Kafka::shared(), stem), "{max_records: 20, in_flight: 1}")
    }

    /// Delivery is exactly once, in many small transactions.
    fn exactly_once(stem: &str) -> Self {
        let gate = Self::with(Scene::on(Kafka::shared(), stem), "{max_records: 40, in_flight: 2}");
        let settings = fs::read_to_string(&gate.config).expect("it was just written");
        fs::write(&gate.config, settings + "delivery: exactly_once\n")
            .expect("the scratch folder can be written");
        gate
    }

    fn with(scene: Scene<'static>, batch: &str) -> Self {
        let folder = scratch("config");
        let times =
            "{session.timeout.ms: 2000, heartbeat.interval.ms: 200, transaction.timeout.ms: 1500}";
        let more = format!("batch: {batch}\nadmin: {{listen: null}}\n");
        let config = scene.config(folder.path(), times, &more);
        Self { scene, config, _folder: folder }
    }

    /// A worker without a classifier, which these tests are not about.
    fn worker(&self) -> Worker {
        Worker::start_with(&self.config, |command| {
            command.arg("--no-model");
        })
    }

    /// Kills a worker each time so many decisions are there, and lets a fourth one finish.
    fn kill_three_times(&self, after: [usize; 3], count: impl Fn(&Scene<'static>) -> usize) {
        for kill_after in after {
            let mut worker = self.worker();
            worker.until("decisions before the kill", SOON, || count(&self.scene) >= kill_after);
            worker.kill();
            assert!(!self.scene.is_all_committed(), "killed in the middle, not at the end");
        }
        let mut worker = self.worker();
        self.wait_all(&mut worker);
        assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    }

    fn wait_all(&self, worker: &mut Worker) {
        worker.until("the positions behind every post", SOON, || self.scene.is_all_committed());
    }

    /// The ids of the decisions about each post; each decision is a whole one.
    fn decision_ids(&self) -> BTreeMap<Place, Vec<String>> {
        let mut ids: BTreeMap<Place, Vec<String>> = BTreeMap::new();
        for decision in self.scene.decisions() {
            let decision = json(&decision);
            let number = |key: &str| decision["source"][key].as_i64().expect("a number");
            let partition = i32::try_from(number("partition")).expect("a partition");
            let id = decision["id"].as_str().expect("an id").to_owned();
            ids.entry((partition, number("offset"))).or_default().push(id);
        }
        ids
    }

    /// Checks that every post has an end on exactly one side and that repeats keep their id;
    /// gives the number of repeats.
    fn assert_nothing_lost(&self) -> usize {
        let decided = self.decision_ids();
        let dead = self.scene.dead_letters();
        for letter in &dead {
            let headers = letter.headers.iter();
            assert_dead_letter(
                headers.map(|(k, v)| (k.as_str(), v.as_deref().unwrap_or_default())),
            );
        }
        let dead: Vec<Place> = dead.iter().map(place_in_headers).collect();
        let dead_once: BTreeSet<Place> = dead.iter().copied().collect();
        for place in self.scene.places() {
            let ends = (decided.contains_key(&place), dead_once.contains(&place));
            assert!(ends.0 != ends.1, "{place:?}: (decided, dead-lettered) = {ends:?}");
        }
        for (place, ids) in &decided {
            assert!(ids.iter().all(|id| *id == ids[0]), "{place:?} has several ids: {ids:?}");
        }
        let decisions: usize = decided.values().map(Vec::len).sum();
        decisions - decided.len() + dead.len() - dead_once.len()
    }
}

impl Gate {
    /// Checks that each post has one end, and that the decisions about each author's posts follow
    /// each other as the posts do.
    fn assert_exactly_once(&self) {
        assert_eq!(self.assert_nothing_lost(), 0, "repeats");
        let mut last: BTreeMap<(i32, Option<Vec<u8>>), Place> = BTreeMap::new();
        for decision in self.scene.decisions() {
            let source = json(&decision)["source"].clone();
            let number = |key: &str| source[key].as_i64().expect("a number");
            let partition = i32::try_from(number("partition")).expect("a partition");
            let place = (partition, number("offset"));
            let before = last.insert((decision.partition, decision.key), place);
            assert!(before.is_none_or(|before| before < place), "{place:?} after {before:?}");
        }
    }
}

/// A decision as the schema promises it.
fn json(record: &StoredRecord) -> Value {
    let decision = serde_json::from_slice(record.value.as_deref().expect("a value")).expect("JSON");
    assert_answer(&decision);
    decision
}

/// Posts in two languages, some of them about to be blocked, one in a hundred no post at all.
fn post(number: usize) -> NewRecord {
    let text = match number % 4 {
        0 => "Good morning everyone, the tide is out",
        1 => "加 微 信 abc123 带你投资",
        2 => "今天天气很好，我们去海边",
        _ => "DM me on telegram for guaranteed crypto returns",
    };
    let json = match number % 100 {
        7 => format!(r#"{{"id":{number},"text":"a number is no id"}}"#),
        _ => format!(r#"{{"id":"post-{number}","text":"{text}","audience":["DE","US"]}}"#),
    };
    NewRecord::keyed(format!("author-{}", number % 97), json)
}

#[test]
fn three_kills_in_twenty_thousand_posts_lose_nothing_and_repeat_only_the_same_decisions() {
    let batch = "{max_records: 100, in_flight: 4}";
    let mut gate = Gate::with(Scene::on(Kafka::shared(), "kill"), batch);
    gate.scene.produce((0..POSTS).map(post));
    gate.kill_three_times([2_000, 6_000, 11_000], Scene::decisions_count);
    gate.assert_nothing_lost();
    assert_eq!(gate.decision_ids().len(), POSTS - POSTS / 100);
}

#[test]
fn three_kills_in_the_middle_of_transactions_show_each_post_once_and_in_order() {
    let mut gate = Gate::exactly_once("eo-kill");
    gate.scene.produce((0..POSTS).map(post));
    gate.kill_three_times([500, 2_000, 4_000], Scene::decisions_written);
    gate.assert_exactly_once();
}

#[test]
fn a_worker_that_wakes_up_after_others_took_its_place_repeats_nothing() {
    let mut gate = Gate::exactly_once("eo-zombie");
    gate.scene.produce((0..POSTS).map(post));
    let mut sleeper = gate.worker();
    sleeper.until("decisions before the sleep", SOON, || gate.scene.decisions_written() >= 2_000);
    sleeper.signal("STOP");
    let before = gate.scene.decisions_written();
    let mut worker = gate.worker();
    worker
        .until("decisions of the other", SOON, || gate.scene.decisions_written() >= before + 1_000);
    sleeper.signal("CONT");
    gate.wait_all(&mut worker);
    for worker in [&mut sleeper, &mut worker] {
        assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    }
    gate.assert_exactly_once();
}

#[test]
fn sigterm_in_the_middle_repeats_no_decision() {
    let mut gate = Gate::slow("term");
    gate.scene.produce((0..12_000).map(post));
    for _ in 0..2 {
        let before = gate.scene.decisions_count();
        let mut worker = gate.worker();
        worker.until("decisions before the stop", SOON, || {
            gate.scene.decisions_count() >= before + 500
        });
        assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    }
    assert!(gate.scene.decisions_count() < 11_000, "both stops were in the middle");
    let mut worker = gate.worker();
    gate.wait_all(&mut worker);
    assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    assert_eq!(gate.assert_nothing_lost(), 0, "repeats");
}

#[test]
fn bad_input_becomes_a_dead_letter_with_its_code_and_stops_nobody() {
    let mut gate = Gate::new("bad");
    let deep = format!(r#"{{"id":"1","text":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let record = |value: &[u8]| NewRecord::keyed("k", value);
    let bad: Vec<(&str, NewRecord)> = vec![
        ("empty", NewRecord { key: Some(b"k".to_vec()), value: None, headers: vec![] }),
        ("invalid_utf8", record(b"{\"id\":\"1\",\"text\":\"\xff\"}")),
        ("invalid_json", record(b"{\"id\":\"1\",\"text\":")),
        ("invalid_schema", record(br#"{"id":1,"text":"a number is no id"}"#)),
        ("invalid_schema", record(br#"{"text":"no id"}"#)),
        ("invalid_schema", record(br#"{"id":"1","text":true}"#)),
        ("too_deep", record(deep.as_bytes())),
        ("missing_revision", record(br#"{"id":"1","operation":"delete"}"#)),
    ];
    let good = [
        record(br#"{"id":"empty-text","text":""}"#),
        record(br#"{"id":"nowhere","text":"hi","audience":["ZZ"]}"#),
        post(0),
    ];
    let codes: Vec<&str> = bad.iter().map(|(code, _)| *code).collect();
    let inputs: Vec<NewRecord> = bad.into_iter().map(|(_, record)| record).collect();
    gate.scene.produce(inputs.iter().cloned().chain(good));

    let mut worker = gate.worker();
    gate.wait_all(&mut worker);
    assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    assert_eq!(gate.assert_nothing_lost(), 0, "repeats");
    let letters = gate.scene.dead_letters();
    for (code, input) in codes.iter().zip(&inputs) {
        let letter = letters.iter().find(|letter| letter.value == input.value);
        let letter = letter.unwrap_or_else(|| panic!("no dead letter with these bytes: {code}"));
        assert_eq!(header(letter, "tidegate.error.code"), *code);
        assert_eq!(header(letter, "__connect.errors.topic"), gate.scene.posts);
    }
    assert_eq!(letters.len(), codes.len(), "the good ones are decided");
}

#[test]
fn ten_megabytes_of_text_leave_a_claim_check() {
    let kafka = Kafka::shared();
    let mut scene = Scene::on(kafka, "large");
    scene.posts = kafka.topic_taking("large-posts", 12 << 20);
    let mut gate = Gate::with(scene, "{}");
    let text = "x".repeat(10 << 20);
    gate.scene.produce([NewRecord::keyed("k", format!(r#"{{"id":"1","text":"{text}"}}"#))]);
    gate.scene.produce([post(0)]);
    let mut worker = gate.worker();
    gate.wait_all(&mut worker);
    assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    gate.assert_nothing_lost();
    let letters = gate.scene.dead_letters();
    assert_eq!(header(&letters[0], "tidegate.error.code"), "too_large");
    assert_eq!((letters[0].value.as_ref(), letters[0].offset), (None, 0));
    let size = header(&letters[0], "tidegate.claim.size").parse::<usize>().expect("a size");
    assert!(size > 10 << 20, "{size} bytes");
}

#[test]
fn the_decisions_say_what_the_rules_saw() {
    let mut gate = Gate::new("evidence");
    gate.scene.produce([NewRecord::keyed(
        "author",
        r#"{"id":"2","text":"Sieg Heil! 卐","audience":["DE","US"]}"#,
    )]);
    let mut worker = gate.worker();
    gate.wait_all(&mut worker);
    assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    let decision = &gate.scene.decisions()[0];
    assert_eq!(decision.key.as_deref(), Some(&b"author"[..]), "the post's key");
    let decision = json(decision);
    assert_eq!(decision["post_id"], "2");
    assert_eq!(decision["withheld_in"], serde_json::json!(["DE"]));
    assert!(!worker.stderr().contains("Sieg"), "no post's text in the log");
}

#[test]
fn what_is_asked_over_http_beside_the_worker_is_published_nowhere() {
    let mut gate = Gate::new("door");
    gate.scene.produce((0..9).map(post));
    let mut worker = Worker::start_with(&gate.config, |command| {
        command.arg("--no-model").env("TIDEGATE__HTTP__LISTEN", "127.0.0.1:0");
    });
    gate.wait_all(&mut worker);
    let address = logged_address(&worker.stderr(), "moderation over HTTP").expect("it listens");
    let answers =
        moderate(address, br#"[{"id":"a","text":"hello"},{"id":"b","text":"Sieg Heil!"}]"#);
    let answers = answers.json();
    let told: Vec<_> = answers.as_array().expect("a list").iter().map(|d| &d["post_id"]).collect();
    assert_eq!(told, ["a", "b"]);
    assert!(worker.terminate(DRAIN).success(), "{}", worker.stderr());
    assert!(TcpStream::connect(address).is_err(), "both ended");
    assert_eq!(gate.assert_nothing_lost(), 0, "repeats");
    assert_eq!(gate.decision_ids().len(), 8, "the posts of the topic, and one dead letter");
}
