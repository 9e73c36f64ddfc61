//! What the worker promises, on a broker that fails on demand: no record is lost, every record has
//! one end, order is kept, and an orderly stop repeats nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use rdkafka::types::RDKafkaRespErr as Refusal;
use tidegate::delivery::Disposition;
use tidegate::worker::WorkerSettings;

use crate::support::judges::{BAD, ByValue, DOUBTFUL, HUGE, Running, settings};
use crate::support::kafka::{NewRecord, StoredRecord};
use crate::support::mock::Mock;
use crate::support::process::poll_until;

const PARTITIONS: i32 = 4;
/// Far longer than anything here takes on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A mock cluster with the worker's topics.
struct Scene {
    mock: Mock,
    produced: usize,
}

impl Scene {
    fn new() -> Self {
        let topics = [("posts", PARTITIONS), ("decisions", 2), ("dead-letters", 1), ("reviews", 1)];
        Self { mock: Mock::start(&topics), produced: 0 }
    }

    fn settings(&self) -> WorkerSettings {
        settings(&self.mock.clients().address())
    }

    fn worker(&self) -> Running {
        Running::start(self.settings(), ByValue::default())
    }

    /// Produces numbered posts; every tenth is bad.
    fn produce(&mut self, count: usize) {
        let numbered = |n: usize| {
            let kind = if n.is_multiple_of(10) { BAD } else { "good" };
            NewRecord::keyed(format!("author-{}", n % 17), format!("{kind} {n}"))
        };
        let range = self.produced..self.produced + count;
        self.mock.clients().produce("posts", range.map(numbered));
        self.produced += count;
    }

    fn finished(worker: &Running) -> u64 {
        let of = |end| worker.instruments.records(end).get();
        of(Disposition::Published) + of(Disposition::DeadLettered)
    }

    fn wait_finished(worker: &Running, records: usize) {
        let enough =
            || (Self::finished(worker) >= records as u64 || worker.has_ended()).then_some(());
        assert!(poll_until(SOON, enough).is_some(), "{} finished", Self::finished(worker));
    }

    /// Waits until every post has an end on the broker.
    fn wait_all(&self) {
        let ends = || self.decisions().len() + self.dead_letters().len();
        let all = poll_until(SOON, || (ends() >= self.produced).then_some(()));
        assert!(all.is_some(), "{} ends for {} posts", ends(), self.produced);
    }

    fn decisions(&self) -> Vec<StoredRecord> {
        self.mock.clients().read_all("decisions")
    }

    fn dead_letters(&self) -> Vec<StoredRecord> {
        self.mock.clients().read_all("dead-letters")
    }

    /// How often each post ended, by its place; checks that each ended on one side only and that
    /// nobody else's record ended.
    fn ends(&self) -> BTreeMap<(i32, i64), usize> {
        let posts = self.mock.clients().read_all("posts");
        let posts: BTreeSet<(i32, i64)> = posts.iter().map(|r| (r.partition, r.offset)).collect();
        let decided: Vec<_> = self.decisions().iter().map(place_in_decision).collect();
        let dead: Vec<_> = self.dead_letters().iter().map(place_in_headers).collect();
        let both: Vec<_> = decided.iter().filter(|place| dead.contains(place)).collect();
        assert!(both.is_empty(), "decided and dead-lettered: {both:?}");
        let mut ends: BTreeMap<(i32, i64), usize> = posts.iter().map(|&p| (p, 0)).collect();
        for place in decided.into_iter().chain(dead) {
            *ends.get_mut(&place).unwrap_or_else(|| panic!("{place:?} was no post")) += 1;
        }
        ends
    }

    fn assert_exactly_once(&self) {
        let wrong: Vec<_> = self.ends().into_iter().filter(|&(_, count)| count != 1).collect();
        assert!(wrong.is_empty(), "not exactly once: {wrong:?}");
    }

    fn assert_nothing_lost(&self) {
        let lost: Vec<_> = self.ends().into_iter().filter(|&(_, count)| count == 0).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
    }

    fn assert_all_committed(&self) {
        let posts = self.mock.clients().read_all("posts");
        let committed = self.mock.clients().committed("tidegate", "posts");
        for partition in 0..PARTITIONS {
            let end = posts.iter().filter(|r| r.partition == partition).map(|r| r.offset + 1).max();
            assert_eq!(
                committed.get(&partition).copied(),
                end,
                "position of partition {partition}"
            );
        }
    }

    /// The posts of each author, as their decisions follow each other.
    fn assert_order(&self, repeats_allowed: bool) {
        let mut last: BTreeMap<(i32, Vec<u8>), (i32, i64)> = BTreeMap::new();
        for decision in self.decisions() {
            let place = place_in_decision(&decision);
            let key = (decision.partition, decision.key.clone().unwrap_or_default());
            let before = last.insert(key, place);
            let ordered = before.is_none_or(|before| before < place);
            assert!(ordered || repeats_allowed, "{place:?} after {before:?}");
        }
    }
}

fn place_in_decision(decision: &StoredRecord) -> (i32, i64) {
    let text = String::from_utf8(decision.value.clone().expect("a decision")).expect("UTF-8");
    let mut parts = text.split(':');
    let mut number = || parts.next().expect("a number").parse::<i64>().expect("a number");
    let (partition, offset) = (number(), number());
    (i32::try_from(partition).expect("a partition"), offset)
}

fn header(record: &StoredRecord, name: &str) -> String {
    let found = record.headers.iter().find(|(key, _)| key == name);
    let value = found.and_then(|(_, value)| value.clone()).unwrap_or_default();
    String::from_utf8(value).expect("our headers are text")
}

fn place_in_headers(letter: &StoredRecord) -> (i32, i64) {
    let number = |name| header(letter, name).parse::<i64>().expect("a number");
    let partition = i32::try_from(number("tidegate.source.partition")).expect("a partition");
    (partition, number("tidegate.source.offset"))
}

#[test]
fn every_post_ends_in_exactly_one_of_decisions_or_dead_letters_in_order() {
    let mut scene = Scene::new();
    scene.produce(5_000);
    let worker = scene.worker();
    Scene::wait_finished(&worker, 5_000);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_order(false);
    scene.assert_all_committed();
    assert_eq!(scene.dead_letters().len(), 500);
}

#[test]
fn an_orderly_stop_in_the_middle_repeats_nothing() {
    let mut scene = Scene::new();
    scene.produce(4_000);
    let slow = ByValue { pause: Duration::from_micros(200) };
    for stop_after in [300, 1_000] {
        let worker = Running::start(scene.settings(), slow);
        Scene::wait_finished(&worker, stop_after);
        worker.stop().expect("an orderly end");
    }
    let worker = scene.worker();
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_all_committed();
}

#[test]
fn refused_deliveries_are_sent_again_and_nothing_is_lost() {
    let mut scene = Scene::new();
    scene.produce(3_000);
    // The first is retried inside the client; the others fail deliveries for good.
    let refusals = [
        Refusal::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        Refusal::RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        Refusal::RD_KAFKA_RESP_ERR_INVALID_RECORD,
        Refusal::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    ];
    scene.mock.refuse_produce(&refusals);
    let worker = scene.worker();
    Scene::wait_finished(&worker, 3_000);
    assert!(worker.instruments.producer_rebuilds().get() > 0, "the refusals were met");
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    scene.assert_all_committed();
}

#[test]
fn a_refusal_for_size_condemns_no_innocent_record() {
    let mut scene = Scene::new();
    scene.produce(500);
    scene.mock.refuse_produce(&[Refusal::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
    let worker = scene.worker();
    Scene::wait_finished(&worker, 500);
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    assert_eq!(scene.ends().len(), 500);
    let condemned =
        |letter: &StoredRecord| header(letter, "tidegate.error.code") == "decision_too_large";
    assert!(!scene.dead_letters().iter().any(condemned), "the whole request was blamed");
}

#[test]
fn a_decision_too_large_becomes_a_dead_letter_and_stops_nobody() {
    let mut scene = Scene::new();
    scene.produce(50);
    scene.mock.clients().produce("posts", [NewRecord::keyed("author", HUGE)]);
    scene.produce(50);
    scene.produced += 1;
    let worker = scene.worker();
    Scene::wait_finished(&worker, 101);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    let letters = scene.dead_letters();
    let letter = letters.iter().find(|letter| letter.value.as_deref() == Some(HUGE.as_bytes()));
    let letter = letter.expect("the post itself is small and kept");
    assert_eq!(header(letter, "tidegate.error.code"), "decision_too_large");
    assert_eq!(letter.key.as_deref(), Some(&b"author"[..]));
}

#[test]
fn no_input_is_a_poison_record() {
    let mut scene = Scene::new();
    let hostile = [
        NewRecord { key: None, value: None, headers: vec![] },
        NewRecord::keyed("", ""),
        NewRecord::keyed([0xff, 0x00], [0xff, 0xfe]),
        NewRecord::keyed("k", vec![b'x'; 950_000]),
        NewRecord::keyed("k", [BAD.as_bytes(), &vec![b'x'; 950_000]].concat()),
        NewRecord {
            key: Some(b"k".to_vec()),
            value: Some(BAD.into()),
            headers: vec![("trace".into(), vec![0xff]), (String::new(), vec![])],
        },
    ];
    let count = hostile.len();
    scene.mock.clients().produce("posts", hostile);
    scene.produced = count;
    scene.produce(100);
    let worker = scene.worker();
    Scene::wait_finished(&worker, 106);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_all_committed();
    let claims = scene
        .dead_letters()
        .iter()
        .filter(|l| !header(l, "tidegate.claim.size").is_empty())
        .count();
    assert_eq!(claims, 1, "the large bad record leaves a claim check");
}

#[test]
fn a_review_is_copied_to_its_topic() {
    let scene = Scene::new();
    let posts = [NewRecord::keyed("a", DOUBTFUL), NewRecord::keyed("a", "clear")];
    scene.mock.clients().produce("posts", posts);
    let worker = scene.worker();
    Scene::wait_finished(&worker, 2);
    worker.stop().expect("an orderly end");
    let copies = scene.mock.clients().read_all("reviews");
    let original = scene.decisions().into_iter().find(|d| d.value == copies[0].value);
    assert_eq!((copies.len(), original.is_some()), (1, true));
}

#[test]
fn a_broker_that_goes_and_comes_back_costs_no_record() {
    let mut scene = Scene::new();
    scene.produce(3_000);
    let slow = ByValue { pause: Duration::from_micros(300) };
    let worker = Running::start(scene.settings(), slow);
    Scene::wait_finished(&worker, 300);
    scene.mock.down();
    thread::sleep(Duration::from_secs(2));
    scene.mock.up();
    Scene::wait_finished(&worker, 3_000);
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    scene.assert_all_committed();
}

#[test]
fn a_broker_that_stays_away_ends_the_worker_with_one_sentence_and_a_restart_goes_on() {
    let mut scene = Scene::new();
    scene.produce(2_000);
    let mut settings = scene.settings();
    settings.give_up = Duration::from_secs(2);
    let worker = Running::start(settings, ByValue { pause: Duration::from_millis(1) });
    Scene::wait_finished(&worker, 200);
    scene.mock.down();
    let stop = worker.end().expect_err("it gives up");
    assert_eq!(stop.exit_code(), 75);
    assert!(stop.to_string().contains("acknowledged no decision for 2 s"), "{stop}");
    scene.mock.up();
    let worker = scene.worker();
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
}

#[test]
fn commits_that_fail_are_repeated() {
    let mut scene = Scene::new();
    scene.produce(1_000);
    scene.mock.refuse_commits(&[Refusal::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS; 3]);
    let worker = scene.worker();
    Scene::wait_finished(&worker, 1_000);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_all_committed();
}

#[test]
fn workers_that_join_and_leave_lose_nothing() {
    let mut scene = Scene::new();
    scene.produce(6_000);
    let slow = ByValue { pause: Duration::from_millis(1) };
    let first = Running::start(scene.settings(), slow);
    Scene::wait_finished(&first, 300);
    let second = Running::start(scene.settings(), slow);
    Scene::wait_finished(&second, 300);
    second.stop().expect("an orderly end");
    scene.wait_all();
    first.stop().expect("an orderly end");
    // Unlike Kafka, the mock refuses commits while somebody joins: some decisions repeat.
    scene.assert_nothing_lost();
    scene.assert_all_committed();
}

#[test]
fn a_pool_far_slower_than_kafka_holds_bounded_work_and_keeps_its_place_in_the_group() {
    let mut scene = Scene::new();
    scene.produce(400);
    let mut settings = scene.settings();
    settings.batch.max_records = 50;
    settings.batches_in_flight = std::num::NonZeroUsize::MIN;
    // A batch takes longer than the second after which partitions are paused, and than a session.
    let worker = Running::start(settings, ByValue { pause: Duration::from_millis(45) });
    Scene::wait_finished(&worker, 200);
    assert!(worker.instruments.in_flight().get() <= 50);
    Scene::wait_finished(&worker, 400);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
}

#[test]
fn a_worker_that_cannot_work_says_so_at_once() {
    let scene = Scene::new();
    let mut settings = scene.settings();
    settings.topics.decisions = "decisionz".into();
    let stop = Running::start(settings, ByValue::default()).end().expect_err("no such topic");
    assert_eq!(stop.exit_code(), 78);
    assert!(stop.to_string().contains("decisionz"), "{stop}");

    let mut settings = scene.settings();
    settings.kafka.brokers = "127.0.0.1:1".into();
    settings.deadlines.start = Duration::from_secs(1);
    let stop = Running::start(settings, ByValue::default()).end().expect_err("nobody there");
    assert_eq!(stop.exit_code(), 69);
    assert!(stop.to_string().contains("127.0.0.1:1"), "{stop}");

    let mut settings = scene.settings();
    settings.kafka.librdkafka.insert("enable.auto.offset.store".into(), "true".into());
    settings.kafka.librdkafka.insert("acks".into(), "0".into());
    let stop = Running::start(settings, ByValue::default()).end().expect_err("keys of ours");
    assert_eq!(stop.exit_code(), 78);
    assert!(
        stop.to_string().contains("acks") && stop.to_string().contains("offset.store"),
        "{stop}"
    );
}
