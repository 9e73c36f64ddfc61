//! Faults of the brokers: away, slow, moving, refusing.

use std::thread;
use std::time::Duration;

use rdkafka::types::RDKafkaRespErr as Refusal;

use crate::lab::{BATCH, IN_FLIGHT, Lab, PARTITIONS, status_of};
use crate::support::process::poll_until;

/// What one rebuilt producer sends again at most.
const REBUILD: usize = BATCH * IN_FLIGHT;

pub(crate) fn restarts(lab: &mut Lab) {
    let count = lab.load(3_000);
    lab.produce(count);
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, count / 10);
    // A coordinator that comes back may find the session over.
    lab.allow_lost_session();
    lab.own_kafka().stop();
    lab.own_kafka().restart();
    lab.produce(count);
    lab.wait_outputs(&mut worker, count / 2);
    lab.allow_lost_session();
    lab.own_kafka().kill();
    thread::sleep(Duration::from_secs(1));
    lab.own_kafka().restart();
    lab.finish([worker]);
}

/// The worker waits, without ending and without collecting memory, and goes on.
pub(crate) fn away(lab: &mut Lab) {
    let count = lab.load(2_000);
    lab.produce(count);
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, count / 4);
    let before = status_of(&worker, "VmRSS:").unwrap_or_default();
    // The mock forgets who was there while it is away.
    lab.allow_lost_session();
    lab.mock().down();
    thread::sleep(Duration::from_secs(if lab.is_long() { 300 } else { 8 }));
    let after = status_of(&worker, "VmRSS:").unwrap_or_default();
    lab.expect(after < before + 20 * 1024, || format!("memory rose from {before} to {after} KiB"));
    lab.expect(worker.ended().is_none(), || "the worker ended".to_owned());
    let live = worker.operators_see("/livez").unwrap_or_default();
    lab.expect(live == "live\n", || format!("an outage is no reason to be dead: {live}"));
    let told = |answer: &'static str| {
        let right = || (worker.operators_see("/readyz").as_deref() == Some(answer)).then_some(());
        poll_until(Duration::from_secs(30), right).is_some()
    };
    let (without, shown) = (told("not ready\n"), worker.operators_see("/readyz?verbose"));
    lab.mock().up();
    let with = told("ready\n");
    lab.expect(without, || format!("ready without a broker: {}", shown.unwrap_or_default()));
    lab.expect(with, || "not ready once the broker is back".to_owned());
    lab.finish([worker]);
}

pub(crate) fn slow(lab: &mut Lab) {
    let count = lab.load(1_000);
    lab.produce(count);
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, count / 10);
    let rebalances = worker.metric("tidegate_rebalances_total");
    lab.mock()
        .cluster()
        .broker_round_trip_time(-1, Duration::from_millis(500))
        .expect("it can be slow");
    thread::sleep(Duration::from_secs(5));
    let now = worker.metric("tidegate_rebalances_total");
    lab.expect(now == rebalances, || format!("rebalances: {rebalances:?}, then {now:?}"));
    let waiting = worker.metric("tidegate_in_flight_records").unwrap_or_default();
    let bound = u32::try_from(BATCH * IN_FLIGHT).expect("a small number");
    lab.expect(waiting <= f64::from(bound), || format!("{waiting} records in flight"));
    lab.mock().cluster().broker_round_trip_time(-1, Duration::ZERO).expect("it can be quick");
    lab.finish([worker]);
}

pub(crate) fn leaders(lab: &mut Lab) {
    let count = lab.load(3_000);
    lab.produce(count);
    let worker = lab.worker();
    worker.wait_assigned();
    let topics = [lab.topics.posts.clone(), lab.topics.decisions.clone()];
    for turn in 0..12 {
        for (topic, partition) in topics.iter().flat_map(|t| (0..PARTITIONS).map(move |p| (t, p))) {
            let broker = 1 + (turn + partition) % 3;
            let cluster = lab.mock().cluster();
            cluster.partition_leader(topic, partition, Some(broker)).expect("a leader can move");
        }
        thread::sleep(Duration::from_millis(250));
    }
    lab.finish([worker]);
}

/// A full queue is back-pressure: nothing is dropped.
pub(crate) fn full_queue(lab: &mut Lab) {
    let count = lab.load(2_000);
    lab.produce(count);
    let mut worker = lab.worker_with(|command| {
        command.env("TIDEGATE__KAFKA__LIBRDKAFKA__QUEUE.BUFFERING.MAX.MESSAGES", "10");
    });
    let rtt = Duration::from_millis(5);
    lab.mock().cluster().broker_round_trip_time(-1, rtt).expect("it can be slow");
    lab.wait_outputs(&mut worker, count);
    lab.finish([worker]);
}

/// Some refusals pass inside the client, others fail deliveries for good: all of them are sent again,
/// and nothing is committed past them.
pub(crate) fn refusals(lab: &mut Lab) {
    let count = lab.load(2_000);
    lab.produce(count);
    let passing = [
        Refusal::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        Refusal::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        Refusal::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        Refusal::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    ];
    let lasting = [
        Refusal::RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        Refusal::RD_KAFKA_RESP_ERR_INVALID_RECORD,
        Refusal::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    ];
    // Before the worker's first request: they are meant for nobody else.
    lab.mock().refuse_produce(&passing);
    lab.mock().refuse_produce(&lasting);
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, count);
    let rebuilds = "tidegate_producer_rebuilds_total";
    let rebuilt = worker.metric(rebuilds).unwrap_or_default();
    lab.expect(rebuilt >= 1.0, || "no refusal was met".to_owned());
    lab.allow_repeats(lasting.len() * REBUILD);
    lab.finish([worker]);
}
