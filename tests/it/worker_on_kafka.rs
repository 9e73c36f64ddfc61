//! What the worker promises, on a real Kafka: nothing lost, and nothing repeated where nobody died.

use std::collections::BTreeSet;
use std::time::Duration;

use tidegate::config::kafka::Protocol;

use crate::support::judges::{ByValue, HUGE, Running, noise};
use crate::support::kafka::{Kafka, NewRecord, StoredRecord};
use crate::support::scene::{
    Place, Scene, header, place_in_headers, wait_assigned, wait_finished, wait_shared_out,
};

#[test]
fn every_post_has_one_end_and_an_orderly_stop_repeats_none() {
    let mut scene = Scene::on(Kafka::shared(), "stop");
    scene.produce_numbered(10_000);
    for stop_after in [1_000, 2_000] {
        let worker = scene.slow_worker(Duration::from_micros(100));
        wait_finished(&worker, stop_after);
        worker.stop().expect("an orderly end");
    }
    let worker = scene.worker();
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_order();
    scene.assert_all_committed();
}

#[test]
fn workers_that_join_and_leave_neither_lose_nor_repeat() {
    let mut scene = Scene::on(Kafka::shared(), "join");
    scene.produce_numbered(10_000);
    let pause = Duration::from_millis(1);
    let first = scene.slow_worker(pause);
    wait_finished(&first, 500);
    let second = scene.slow_worker(pause);
    wait_assigned(&second);
    scene.produce_numbered(5_000);
    wait_finished(&second, 500);
    let third = scene.slow_worker(pause);
    wait_assigned(&third);
    scene.produce_numbered(5_000);
    first.stop().expect("an orderly end");
    wait_finished(&third, 500);
    // Who stops while the group still shares out the partitions of another may be refused its last
    // commit, says so, and ends with another code.
    wait_shared_out(&[&second, &third]);
    second.stop().expect("an orderly end");
    scene.wait_all();
    wait_shared_out(&[&third]);
    third.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_all_committed();
}

#[test]
fn the_group_protocol_of_newer_brokers_works_as_well() {
    let mut scene = Scene::on(Kafka::shared(), "kip848");
    scene.produce_numbered(3_000);
    let mut settings = scene.settings();
    settings.kafka.protocol = Protocol::Consumer;
    settings.kafka.librdkafka.clear();
    let worker = Running::start(settings, ByValue::default());
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_exactly_once();
    scene.assert_order();
}

#[test]
fn a_broker_that_restarts_in_the_middle_costs_no_record() {
    let mut kafka = Kafka::start();
    let topics = ["posts", "decisions", "dead", "reviews"].map(|stem| kafka.topic(stem, 4));
    let worker = {
        let mut scene = Scene::with(&kafka, topics.clone());
        scene.produce_numbered(10_000);
        let worker = scene.slow_worker(Duration::from_micros(300));
        wait_finished(&worker, 1_000);
        worker
    };
    kafka.stop();
    kafka.restart();
    kafka.kill();
    kafka.restart();
    let mut scene = Scene::with(&kafka, topics);
    scene.expect_posts(10_000);
    scene.wait_all();
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    scene.assert_all_committed();
}

#[test]
fn a_topic_that_takes_only_small_records_gets_dead_letters_and_claim_checks() {
    let kafka = Kafka::shared();
    let mut scene = Scene::on(kafka, "small");
    scene.decisions = kafka.topic_taking("small-decisions", 40_000);
    scene.dead_letters = kafka.topic_taking("small-dead", 40_000);
    scene.produce_numbered(300);
    // Incompressible, so that the broker sees what is sent.
    scene.produce([NewRecord::keyed("a", noise(60_000))]);
    scene.produce([NewRecord::keyed("a", HUGE)]);
    scene.produce_numbered(300);
    let worker = scene.worker();
    wait_finished(&worker, 602);
    worker.stop().expect("an orderly end");
    scene.assert_nothing_lost();
    let letters = scene.dead_letters();
    let is_too_large =
        |letter: &&StoredRecord| header(letter, "tidegate.error.code") == "decision_too_large";
    // A refusal sends again what followed the refused record, so letters may repeat.
    let claims: BTreeSet<(Place, String)> = (letters.iter().filter(is_too_large))
        .map(|letter| (place_in_headers(letter), header(letter, "tidegate.claim.size")))
        .collect();
    let sizes: Vec<&str> = claims.iter().map(|(_, size)| size.as_str()).collect();
    assert!(sizes.contains(&"60000"), "a claim check for the large post: {claims:?}");
    assert!(sizes.contains(&""), "the small post is kept whole: {claims:?}");
    assert_eq!(claims.len(), 2, "no innocent record is condemned: {claims:?}");
}
