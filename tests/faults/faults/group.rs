//! Faults of the consumer group: members come, go, freeze; commits are refused.

use std::process::Command;
use std::thread;
use std::time::Duration;

use rdkafka::mocking::MockCoordinator;
use rdkafka::types::RDKafkaRespErr as Refusal;

use crate::lab::{BATCH, IN_FLIGHT, Lab, PARTITIONS, SOON};
use crate::support::process::poll_until;

/// Workers come and go in good order: nothing repeats.
pub(crate) fn join_and_leave(lab: &mut Lab) {
    let count = lab.load(1_500);
    lab.produce(count);
    let first = lab.worker();
    first.wait_assigned();
    let second = lab.worker();
    second.wait_assigned();
    lab.produce(count);
    lab.stop(first);
    lab.produce(count);
    let third = lab.worker();
    third.wait_assigned();
    lab.stop(second);
    lab.produce(count);
    lab.finish([third]);
}

/// A worker that is thrown out of its group while it sleeps must not move what others commit.
pub(crate) fn zombie(lab: &mut Lab) {
    sleep_through(lab, |lab| {
        // The sleeper's last second was not committed, and what it holds it publishes on waking.
        lab.remember_crash();
        lab.allow_repeats(BATCH * IN_FLIGHT);
    });
}

/// A worker sleeps until another one has its partitions; `meanwhile` says what that may cost.
pub(super) fn sleep_through(lab: &mut Lab, meanwhile: impl FnOnce(&mut Lab)) {
    let count = lab.load(3_000);
    lab.produce(count);
    let mut zombie = lab.worker();
    lab.wait_outputs(&mut zombie, count / 10);
    zombie.signal("STOP");
    let other = lab.worker();
    other.wait_assigned();
    meanwhile(lab);
    thread::sleep(Duration::from_secs(2));
    zombie.signal("CONT");
    lab.produce(count);
    lab.finish([zombie, other]);
}

/// Settings that would let polls stay away for too long are refused; others give partitions back
/// unfinished, in time, while deliveries hang.
pub(crate) fn poll_interval(lab: &mut Lab) {
    // Clients begin with the second broker, which therefore stays.
    let group = lab.group();
    let cluster = lab.mock().cluster();
    cluster.coordinator(MockCoordinator::Group(group), 2).expect("it can be chosen");
    for partition in 0..PARTITIONS {
        cluster.partition_leader(&lab.topics.posts, partition, Some(2)).expect("it can move");
    }
    for partition in 0..8 {
        cluster.partition_leader(&lab.topics.decisions, partition, Some(1)).expect("it can move");
    }
    let count = lab.load(2_000);
    lab.produce(count);
    let impatient = |drain: &'static str| {
        move |command: &mut Command| {
            command.env("TIDEGATE__KAFKA__LIBRDKAFKA__MAX.POLL.INTERVAL.MS", "5000");
            command.env("TIDEGATE__WORKER__DRAIN_DEADLINE", drain);
        }
    };
    let mut refused = lab.worker_with(impatient("10s"));
    lab.ends_with(&mut refused, 78, "must be well below max.poll.interval.ms");
    let mut first = lab.worker_with(impatient("2s"));
    lab.wait_outputs(&mut first, count / 10);
    lab.allow_lost_session();
    let second = lab.worker_with(impatient("2s"));
    // It has looked around and is about to join.
    let looked = || (second.stderr().matches("topic found").count() >= 3).then_some(());
    assert!(poll_until(SOON, looked).is_some(), "{}", second.stderr());
    lab.mock().cluster().broker_down(1).expect("it can go");
    // Something to wait for: these are decided and cannot be published.
    lab.produce(500);
    lab.allow_lost_session();
    // The other one joins meanwhile, and asks for its share.
    thread::sleep(Duration::from_secs(8));
    let left = first.stderr().contains("MAXPOLL");
    lab.expect(!left, || "polls stayed away too long all the same".to_owned());
    lab.mock().cluster().broker_up(1).expect("it can come back");
    lab.finish([first, second]);
}

pub(crate) fn commits(lab: &mut Lab) {
    let count = lab.load(2_000);
    lab.produce(count);
    let group = lab.group();
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, count / 10);
    lab.mock().refuse_commits(&[
        Refusal::RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        Refusal::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        Refusal::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
    ]);
    lab.produce(count);
    let coordinator = MockCoordinator::Group(group);
    lab.mock().cluster().coordinator(coordinator, 2).expect("it can move");
    thread::sleep(Duration::from_secs(1));
    lab.mock().refuse_commits(&[Refusal::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION]);
    lab.produce(count);
    // A refused generation makes the worker join again: what it had not committed comes again.
    lab.allow_lost_session();
    lab.finish([worker]);
}
