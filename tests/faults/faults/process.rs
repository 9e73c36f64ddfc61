//! Faults of the worker's own process: killed and stopped, at the worst moments.

use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaRespErr as Refusal;

use crate::lab::{DRAIN, Lab};

/// Killed at places that the seed chooses, while posts go on arriving.
pub(crate) fn kills(lab: &mut Lab) {
    let kills = if lab.is_long() { 20 } else { 4 };
    let each = 1_000;
    lab.produce(each);
    for kill in 1..=kills {
        let mut worker = lab.worker();
        let after = lab.seed.between((kill - 1) * each + 100, kill * each - 100);
        lab.wait_outputs(&mut worker, after);
        lab.crash(worker);
        lab.produce(each);
    }
    let last = lab.worker();
    lab.finish([last]);
}

/// Everything is acknowledged and nothing committed: all of it comes again, with the same ids.
pub(crate) fn uncommitted(lab: &mut Lab) {
    let refused = vec![Refusal::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 5_000];
    lab.mock().refuse_commits(&refused);
    let count = lab.load(1_000);
    lab.produce(count);
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, count);
    lab.crash(worker);
    let committed = lab.kafka().committed(&lab.group(), &lab.topics.posts);
    lab.expect(committed.is_empty(), || format!("{committed:?} was committed all the same"));
    lab.mock().cluster().clear_request_errors(rdkafka::types::RDKafkaApiKey::OffsetCommit);
    let last = lab.worker();
    lab.finish([last]);
}

/// Stopped in the middle, twice: an orderly stop repeats nothing.
pub(crate) fn stops(lab: &mut Lab) {
    let count = lab.load(3_000);
    lab.produce(count);
    for part in [4, 2] {
        let mut worker = lab.worker();
        lab.wait_outputs(&mut worker, count / part);
        lab.stop(worker);
    }
    let last = lab.worker();
    lab.finish([last]);
}

/// It must end in time, say that not everything is acknowledged, and lose nothing.
pub(crate) fn stop_without_broker(lab: &mut Lab) {
    let count = lab.load(2_000);
    lab.produce(count);
    let mut worker = lab.worker_with(|command| {
        command.env("TIDEGATE__WORKER__DRAIN_DEADLINE", "2s");
    });
    lab.wait_outputs(&mut worker, count / 4);
    lab.mock().down();
    // Now something waits for its acknowledgement.
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    let status = worker.terminate(DRAIN);
    let took = began.elapsed();
    lab.expect(status.code() == Some(75), || format!("ended with {status}, not 75"));
    // The last commit is waited for up to the end that every worker comes to, below the usual 30 s
    // after which systems kill.
    lab.expect(took < Duration::from_secs(28), || format!("the stop took {took:?}"));
    lab.hear(&worker);
    lab.mock().up();
    lab.remember_crash();
    let last = lab.worker();
    lab.finish([last]);
}
