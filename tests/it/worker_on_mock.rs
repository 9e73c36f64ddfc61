//! What the worker promises, on a broker that fails on demand: no record is lost, every record has
//! one end, order is kept, and an orderly stop repeats nothing.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaRespErr as Refusal;

use crate::support::judges::{BAD, ByValue, DOUBTFUL, HUGE, Running};
use crate::support::kafka::{NewRecord, StoredRecord};
use crate::support::mock::Mock;
use crate::support::process::poll_until;
use crate::support::scene::{
    PARTITIONS, Scene, header, wait_assigned, wait_finished, wait_shared_out,
};

const TOPICS: [&str; 4] = ["posts", "decisions", "dead-letters", "reviews"];

fn mock() -> Mock {
    let [posts, decisions, dead_letters, reviews] = TOPICS;
    Mock::start(&[(posts, PARTITIONS), (decisions, 2), (dead_letters, 1), (reviews, 1)])
}

fn scene(mock: &Mock) -> Scene<'_> {
    Scene::with(mock.clients(), TOPICS.map(str::to_owned))
}

#[test]
fn every_post_ends_in_exactly_one_of_decisions_or_dead_letters_in_order() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(5_000);
    let worker = scene.worker();
    wait_finished(&worker, 5_000);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_order();
    scene.assert_all_committed();
    assert_eq!(scene.dead_letters().len(), 500);
}

#[test]
fn an_orderly_stop_in_the_middle_repeats_nothing() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(4_000);
    for stop_after in [300, 1_000] {
        let worker = scene.slow_worker(Duration::from_micros(200));
        wait_finished(&worker, stop_after);
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
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(3_000);
    // The first is retried inside the client; the others fail deliveries for good.
    let refusals = [
        Refusal::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        Refusal::RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        Refusal::RD_KAFKA_RESP_ERR_INVALID_RECORD,
        Refusal::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    ];
    mock.refuse_produce(&refusals);
    let worker = scene.worker();
    wait_finished(&worker, 3_000);
    assert!(worker.instruments.producer_rebuilds().get() > 0, "the refusals were met");
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    scene.assert_all_committed();
}

#[test]
fn a_refusal_for_size_condemns_no_innocent_record() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(500);
    mock.refuse_produce(&[Refusal::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
    let worker = scene.worker();
    wait_finished(&worker, 500);
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    assert_eq!(scene.ends().len(), 500);
    let condemned =
        |letter: &StoredRecord| header(letter, "tidegate.error.code") == "decision_too_large";
    assert!(!scene.dead_letters().iter().any(condemned), "the whole request was blamed");
}

#[test]
fn a_decision_too_large_becomes_a_dead_letter_and_stops_nobody() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(50);
    scene.produce([NewRecord::keyed("author", HUGE)]);
    scene.produce_numbered(50);
    let worker = scene.worker();
    wait_finished(&worker, 101);
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
    let mock = mock();
    let mut scene = scene(&mock);
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
    scene.produce(hostile);
    scene.produce_numbered(100);
    let worker = scene.worker();
    wait_finished(&worker, 106);
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
    let mock = mock();
    let mut scene = scene(&mock);
    let posts = [NewRecord::keyed("a", DOUBTFUL), NewRecord::keyed("a", "clear")];
    scene.produce(posts);
    let worker = scene.worker();
    wait_finished(&worker, 2);
    worker.stop().expect("an orderly end");
    let copies = scene.reviews();
    let original = scene.decisions().into_iter().find(|d| d.value == copies[0].value);
    assert_eq!((copies.len(), original.is_some()), (1, true));
}

#[test]
fn a_broker_that_goes_and_comes_back_costs_no_record() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(3_000);
    let worker = scene.slow_worker(Duration::from_micros(300));
    wait_finished(&worker, 300);
    mock.down();
    thread::sleep(Duration::from_secs(2));
    mock.up();
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    scene.assert_all_committed();
}

#[test]
fn a_broker_that_stays_away_ends_the_worker_with_one_sentence_and_a_restart_goes_on() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(2_000);
    let mut settings = scene.settings();
    settings.give_up = Duration::from_secs(2);
    let worker = Running::start(settings, ByValue { pause: Duration::from_millis(1) });
    wait_finished(&worker, 200);
    mock.down();
    let stop = worker.end().expect_err("it gives up");
    assert_eq!(stop.exit_code(), 75);
    assert!(
        stop.to_string().contains("did not acknowledge the oldest decision within 2 s"),
        "{stop}"
    );
    mock.up();
    let worker = scene.worker();
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
}

#[test]
fn a_topic_that_refuses_us_for_good_ends_the_worker_in_time() {
    let mock = mock();
    let mut scene = scene(&mock);
    let good = |n: usize| NewRecord::keyed("author", format!("good {n}"));
    scene.produce((0..100).map(good));
    let mut settings = scene.settings();
    settings.give_up = Duration::from_secs(2);
    let worker = Running::start(settings, ByValue::default());
    wait_finished(&worker, 100);
    mock.deny_topic(TOPICS[2]);
    scene.produce((0..50).map(good));
    scene.produce([NewRecord::keyed("author", BAD)]);
    scene.produce((50..100).map(good));
    let ended = poll_until(Duration::from_secs(30), || worker.has_ended().then_some(()));
    assert!(ended.is_some(), "it tries for ever");
    let stop = worker.end().expect_err("it gives up");
    assert_eq!(stop.exit_code(), 77, "{stop}");
    let sentence = stop.to_string();
    assert!(sentence.contains("we may not write to the topic dead-letters"), "{stop}");
}

#[test]
fn a_stop_while_the_broker_is_away_ends_in_time_and_a_restart_goes_on() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(2_000);
    let mut settings = scene.settings();
    settings.deadlines.drain = Duration::from_secs(1);
    settings.deadlines.shutdown = Duration::from_secs(2);
    let worker = Running::start(settings, ByValue { pause: Duration::from_millis(1) });
    wait_finished(&worker, 200);
    mock.down();
    // Now something waits for its acknowledgement.
    thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    let stop = worker.stop().expect_err("not everything is acknowledged");
    assert_eq!(stop.exit_code(), 75, "{stop}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    mock.up();
    let worker = scene.worker();
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
}

#[test]
fn commits_that_fail_are_repeated() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(1_000);
    mock.refuse_commits(&[Refusal::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS; 3]);
    let worker = scene.worker();
    wait_finished(&worker, 1_000);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_all_committed();
}

#[test]
fn workers_that_join_and_leave_lose_nothing() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(500);
    let first = scene.worker();
    wait_finished(&first, 300);
    let second = scene.worker();
    wait_assigned(&second);
    scene.produce_numbered(2_000);
    wait_finished(&second, 300);
    wait_shared_out(&[&first, &second]);
    second.stop().expect("an orderly end");
    scene.wait_all();
    wait_shared_out(&[&first]);
    first.stop().expect("an orderly end");
    // Unlike Kafka, the mock refuses commits while somebody joins: some decisions repeat.
    scene.assert_nothing_lost();
    scene.assert_all_committed();
}

#[test]
fn a_pool_far_slower_than_kafka_holds_bounded_work_and_keeps_its_place_in_the_group() {
    let mock = mock();
    let mut scene = scene(&mock);
    scene.produce_numbered(400);
    let mut settings = scene.settings();
    settings.batch.max_records = 50;
    settings.batches_in_flight = std::num::NonZeroUsize::MIN;
    // A batch takes longer than the second after which partitions are paused, and than a session.
    let worker = Running::start(settings, ByValue { pause: Duration::from_millis(45) });
    wait_finished(&worker, 200);
    assert!(worker.instruments.in_flight().get() <= 50);
    wait_finished(&worker, 400);
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
}

#[test]
fn a_worker_that_cannot_work_says_so_at_once() {
    let mock = mock();
    let scene = scene(&mock);
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

#[test]
fn a_stop_while_the_worker_still_looks_for_its_broker_is_an_orderly_end() {
    let mock = mock();
    let scene = scene(&mock);
    let mut settings = scene.settings();
    settings.kafka.brokers = "127.0.0.1:1".into();
    let worker = Running::start(settings, ByValue::default());
    worker.stop().expect("nothing was read, nothing is left");
}
