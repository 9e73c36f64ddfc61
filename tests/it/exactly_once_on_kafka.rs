//! What `delivery: exactly_once` promises to readers of committed records, on a real Kafka: each
//! post has one end, in order, whatever happens in between.

use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use tidegate::config::kafka::{Delivery, Protocol};
use tidegate::telemetry::TransactionEnd;

use crate::support::judges::{ByValue, DOUBTFUL, HUGE, Running, noise};
use crate::support::kafka::{Kafka, NewRecord};
use crate::support::process::poll_until;
use crate::support::scene::{SOON, Scene, header, wait_assigned, wait_finished};

fn worker(scene: &Scene<'_>, pause: Duration) -> Running {
    let mut settings = scene.settings();
    settings.kafka.delivery = Delivery::ExactlyOnce;
    Running::start(settings, ByValue { pause })
}

fn transactions(worker: &Running, end: TransactionEnd) -> u64 {
    worker.instruments.transactions(end).get()
}

fn assert_promise(scene: &Scene<'_>) {
    scene.assert_exactly_once();
    scene.assert_order();
    scene.assert_all_committed();
}

#[test]
fn every_post_has_one_end_whether_the_worker_is_stopped_or_not() {
    let mut scene = Scene::on(Kafka::shared(), "eo-stop");
    scene.produce_numbered(10_000);
    for stop_after in [1_000, 2_000] {
        let worker = worker(&scene, Duration::from_micros(100));
        wait_finished(&worker, stop_after);
        worker.stop().expect("an orderly end");
    }
    let worker = worker(&scene, Duration::ZERO);
    scene.wait_all();
    assert_eq!(transactions(&worker, TransactionEnd::Aborted), 0);
    assert!(transactions(&worker, TransactionEnd::Committed) > 0);
    worker.stop().expect("an orderly end");
    assert_promise(&scene);
}

#[test]
fn copies_and_dead_letters_are_in_the_transaction_of_their_decision() {
    let mut scene = Scene::on(Kafka::shared(), "eo-copies");
    scene.produce((0..300).map(|n| NewRecord::keyed("author", format!("{DOUBTFUL} {n}"))));
    scene.produce_numbered(900);
    for _ in 0..2 {
        let worker = worker(&scene, Duration::from_millis(2));
        wait_finished(&worker, 100);
        worker.stop().expect("an orderly end");
    }
    let worker = worker(&scene, Duration::ZERO);
    scene.wait_all();
    worker.stop().expect("an orderly end");
    assert_promise(&scene);
    assert_eq!((scene.reviews().len(), scene.dead_letters().len()), (300, 90));
}

#[test]
fn a_single_post_is_decided_soon() {
    let mut scene = Scene::on(Kafka::shared(), "eo-single");
    let worker = worker(&scene, Duration::ZERO);
    wait_assigned(&worker);
    let began = Instant::now();
    scene.produce([NewRecord::keyed("author", "good")]);
    let seen = poll_until(SOON, || (scene.decisions().len() == 1).then(|| began.elapsed()));
    assert!(seen.is_some_and(|after| after < Duration::from_secs(3)), "{seen:?}");
    worker.stop().expect("an orderly end");
}

#[test]
fn a_transaction_waits_for_no_record_that_cannot_come() {
    let mut scene = Scene::on(Kafka::shared(), "eo-narrow");
    scene.produce_numbered(200);
    let mut settings = scene.settings();
    settings.kafka.delivery = Delivery::ExactlyOnce;
    settings.batch.max_records = 20;
    settings.batches_in_flight = NonZeroUsize::MIN;
    // Nothing is read before the batch in flight is finished, and its transaction is not full.
    settings.transaction.max_age = Duration::from_hours(1);
    let worker = Running::start(settings, ByValue::default());
    scene.wait_all();
    worker.stop().expect("an orderly end");
    assert_promise(&scene);
}

#[test]
fn a_decision_too_large_for_its_topic_aborts_only_its_transaction() {
    let kafka = Kafka::shared();
    let mut scene = Scene::on(kafka, "eo-small");
    scene.decisions = kafka.topic_taking("eo-small-decisions", 40_000);
    scene.dead_letters = kafka.topic_taking("eo-small-dead", 40_000);
    scene.produce_numbered(300);
    // Incompressible, so that the broker sees what is sent.
    scene.produce([NewRecord::keyed("a", noise(60_000)), NewRecord::keyed("a", HUGE)]);
    scene.produce_numbered(300);
    let worker = worker(&scene, Duration::ZERO);
    scene.wait_all();
    assert!(transactions(&worker, TransactionEnd::Aborted) > 0, "the refusal was met");
    worker.stop().expect("an orderly end");
    assert_promise(&scene);
    let too_large = scene.dead_letters();
    let too_large =
        too_large.iter().filter(|l| header(l, "tidegate.error.code") == "decision_too_large");
    assert_eq!(too_large.count(), 2, "no innocent record is condemned");
}

#[test]
fn workers_that_join_and_leave_in_the_middle_of_transactions_repeat_nothing() {
    for protocol in [Protocol::Classic, Protocol::Consumer] {
        let mut scene = Scene::on(Kafka::shared(), "eo-join");
        scene.produce_numbered(3_000);
        let mut settings = scene.settings();
        settings.kafka.delivery = Delivery::ExactlyOnce;
        settings.kafka.protocol = protocol;
        if protocol == Protocol::Consumer {
            settings.kafka.librdkafka.retain(|key, _| key.starts_with("transaction"));
        }
        let start =
            || Running::start(settings.clone(), ByValue { pause: Duration::from_millis(1) });
        let first = start();
        wait_finished(&first, 300);
        let second = start();
        wait_assigned(&second);
        scene.produce_numbered(3_000);
        wait_finished(&second, 200);
        first.stop().expect("an orderly end");
        let third = start();
        wait_assigned(&third);
        scene.produce_numbered(2_000);
        scene.wait_all();
        second.stop().expect("an orderly end");
        third.stop().expect("an orderly end");
        assert_promise(&scene);
    }
}

#[test]
fn a_broker_that_restarts_in_the_middle_of_a_transaction_costs_and_repeats_nothing() {
    // Kafka itself forgets the ends of transactions where a lone node is back before it is missed.
    let mut kafka = Kafka::start_watched();
    let topics = ["posts", "decisions", "dead", "reviews"].map(|stem| kafka.topic(stem, 4));
    let worker = {
        let mut scene = Scene::with(&kafka, topics.clone());
        scene.produce_numbered(10_000);
        let worker = worker(&scene, Duration::from_micros(600));
        wait_finished(&worker, 1_000);
        worker
    };
    kafka.stop();
    kafka.restart();
    thread::sleep(Duration::from_secs(1));
    kafka.kill();
    kafka.wait_missed();
    kafka.restart();
    let mut scene = Scene::with(&kafka, topics);
    scene.expect_posts(10_000);
    scene.wait_all();
    worker.stop().expect("an orderly end");
    assert_promise(&scene);
}

#[test]
fn a_broker_that_stands_still_leaves_no_commit_in_doubt() {
    let kafka = Kafka::start();
    let mut scene = Scene::on(&kafka, "eo-still");
    scene.produce_numbered(8_000);
    let mut settings = scene.settings();
    settings.kafka.delivery = Delivery::ExactlyOnce;
    let timeout = ("transaction.timeout.ms".to_owned(), "1200".to_owned());
    settings.kafka.librdkafka.extend([timeout]);
    // So that the worker is often about to commit.
    settings.transaction.max_age = Duration::from_millis(1);
    let worker = Running::start(settings, ByValue { pause: Duration::from_micros(200) });
    // Longer than the wait for a commit, shorter than a transaction may take.
    for round in 1..20 {
        wait_finished(&worker, round * 200);
        kafka.pause();
        thread::sleep(Duration::from_secs(1));
        kafka.go_on();
        if worker.instruments.producer_rebuilds().get() > 1 {
            break;
        }
    }
    scene.wait_all();
    let rebuilt = worker.instruments.producer_rebuilds().get();
    assert!(rebuilt > 0, "no commit was left without an answer");
    worker.stop().expect("an orderly end");
    assert_promise(&scene);
}
