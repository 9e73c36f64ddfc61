//! Faults of exactly-once delivery: whoever reads committed records sees every post once, whatever dies.

use super::{group, network, process};
use crate::lab::Lab;

/// Transactions are short here, so most kills fall into one.
pub(crate) fn kills(lab: &mut Lab) {
    lab.exactly_once();
    process::kills(lab);
}

/// Who sleeps through its session is fenced: its transaction is aborted, its posts are somebody else's.
pub(crate) fn zombie(lab: &mut Lab) {
    lab.exactly_once();
    group::sleep_through(lab, |_| {});
}

/// Transactions that were open at its death are ended once it is back. Kafka itself forgets the ends
/// of some where nobody else noticed that it was away: it comes back as the leader that it was, is
/// put down for dead only then, and takes partitions without a leader for deleted ones.
pub(crate) fn broker(lab: &mut Lab) {
    lab.exactly_once();
    let count = lab.load(2_000);
    lab.produce(count);
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, count / 10);
    lab.own_kafka().kill();
    lab.own_kafka().wait_missed();
    lab.own_kafka().restart();
    lab.produce(count);
    lab.finish([worker]);
}

/// Whether a commit without an answer was one must be found out, not guessed.
pub(crate) fn half_open(lab: &mut Lab) {
    lab.exactly_once();
    network::half_open(lab);
}
