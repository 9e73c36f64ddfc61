//! What Kafka tells the reading thread: rebalances, lag, errors. All of it arrives inside a poll.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance},
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use super::{commit, store};
use crate::{
    config::kafka::Delivery,
    delivery::{Epoch, Partition},
    telemetry::Instruments,
    worker::{
        health::Health,
        kafka_log::KafkaLog,
        partitions::{Partitions, Withdrawn},
        settings::WorkerSettings,
    },
};

/// How long a commit is tried again before partitions are given back without it.
const COMMIT_PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two tries.
const COMMIT_PAUSE: Duration = Duration::from_millis(100);

/// The callbacks of the consumer. They run on the thread that polls.
pub(in crate::worker) struct Context {
    topic: String,
    partitions: Arc<Partitions>,
    health: Arc<Health>,
    instruments: Arc<Instruments>,
    revoke_deadline: Duration,
    delivery: Delivery,
    /// A copy for the reading thread alone, so that a record's epoch costs no shared lock.
    epochs: Mutex<BTreeMap<Partition, Epoch>>,
    log: KafkaLog,
    /// The worker leaves: whatever could be committed is.
    closing: AtomicBool,
}

impl Context {
    /// The callbacks of the consumer of posts.
    pub(in crate::worker) fn new(
        settings: &WorkerSettings,
        partitions: &Arc<Partitions>,
        health: &Arc<Health>,
        instruments: &Arc<Instruments>,
    ) -> Self {
        Self {
            topic: settings.topics.posts.clone(),
            partitions: Arc::clone(partitions),
            health: Arc::clone(health),
            instruments: Arc::clone(instruments),
            revoke_deadline: settings.deadlines.revoke,
            delivery: settings.kafka.delivery,
            epochs: Mutex::default(),
            log: KafkaLog::new("consumer"),
            closing: AtomicBool::new(false),
        }
    }

    /// From now on nothing is read and nothing is committed any more.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// The epoch a partition is held under, if it is.
    pub(super) fn epoch(&self, partition: Partition) -> Option<Epoch> {
        self.epochs().get(&partition).copied()
    }

    /// Records of a partition count from now on, under this epoch.
    pub(super) fn open(&self, partition: Partition, epoch: Epoch) {
        self.epochs().insert(partition, epoch);
    }

    /// Records of a partition that still arrive are left out.
    pub(super) fn close_partition(&self, partition: Partition) {
        self.epochs().remove(&partition);
    }

    fn epochs(&self) -> MutexGuard<'_, BTreeMap<Partition, Epoch>> {
        self.epochs.lock().expect("only the reading thread takes this")
    }

    fn assign(&self, assigned: &BTreeSet<Partition>) {
        for &partition in assigned {
            let epoch = self.partitions.assign(partition);
            self.epochs().insert(partition, epoch);
        }
        tracing::info!(partitions = ?ids(assigned), "partitions assigned");
    }

    /// Brings the revoked partitions to their end before they are given back.
    fn revoke(&self, client: &BaseConsumer<Self>, revoked: &BTreeSet<Partition>) {
        self.epochs().retain(|partition, _| !revoked.contains(partition));
        if client.assignment_lost() {
            // Somebody else reads them already: nothing may be committed any more.
            tracing::warn!(partitions = ?ids(revoked), "partitions lost");
        } else if !revoked.is_empty() {
            let deadline = Instant::now() + self.revoke_deadline;
            let withdrawn = self.partitions.withdraw(revoked.clone(), deadline);
            let committed = commit_positions(client, &self.topic, &self.partitions);
            match (withdrawn, committed) {
                (Withdrawn::Settled, Ok(())) => {
                    tracing::info!(partitions = ?ids(revoked), "partitions given back");
                }
                (withdrawn, committed) => tracing::warn!(
                    partitions = ?ids(revoked),
                    late = withdrawn == Withdrawn::Late,
                    error = committed.err().map(tracing::field::display),
                    "partitions given back unfinished: their next owner repeats some decisions"
                ),
            }
        }
        self.partitions.revoke(revoked.iter().copied());
        for &partition in revoked {
            self.instruments.forget_lag(partition);
        }
    }

    fn of_topic(&self, list: &TopicPartitionList) -> BTreeSet<Partition> {
        let elements = list.elements_for_topic(&self.topic);
        elements.iter().map(|element| Partition(element.partition())).collect()
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, client: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if self.closing.load(Ordering::Relaxed) {
            return;
        }
        match rebalance {
            Rebalance::Assign(list) => {
                self.assign(&self.of_topic(list));
                flow_again(client, list);
            }
            Rebalance::Revoke(list) => self.revoke(client, &self.of_topic(list)),
            Rebalance::Error(error) => tracing::warn!(%error, "a rebalance failed"),
        }
        self.instruments.rebalances().inc();
        let held = self.partitions.lock().partitions().len();
        self.health.assigned(held);
        self.instruments.assigned().set(i64::try_from(held).unwrap_or(i64::MAX));
    }

    fn commit_callback(&self, result: Result<(), KafkaError>, _: &TopicPartitionList) {
        if let Err(error) = result {
            self.log
                .trouble(&error, "positions were not committed; the next commit holds them too");
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.log.line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.trouble(&error, reason);
        self.health.trouble(Some(format!("{error}: {reason}")));
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.health.reaches(false);
        }
    }

    fn stats(&self, statistics: Statistics) {
        self.health.reaches(statistics.brokers.values().any(|broker| broker.state == "UP"));
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        for (&partition, numbers) in &topic.partitions {
            let partition = Partition(partition);
            let lag = match self.delivery {
                Delivery::AtLeastOnce => numbers.consumer_lag,
                // The client knows nothing of what transactions commit, which is what is stored.
                Delivery::ExactlyOnce => numbers.consumer_lag_stored,
            };
            // -1 stands for "unknown", and the list has partitions of other members.
            if lag >= 0 && self.epoch(partition).is_some() {
                self.instruments.set_lag(partition, lag);
            }
        }
    }
}

/// Ends a pause that a partition has from an earlier time with us: the client keeps it while the
/// partition is elsewhere, and the reading thread knows nothing of it any more.
fn flow_again(client: &BaseConsumer<Context>, assigned: &TopicPartitionList) {
    if let Err(error) = client.resume(assigned) {
        tracing::warn!(%error, "assigned partitions could not be resumed");
    }
}

/// Stores and commits what is finished, and tries again where the group's coordinator is moving.
/// What transactions finish, they have committed.
pub(in crate::worker) fn commit_positions(
    client: &BaseConsumer<Context>,
    topic: &str,
    partitions: &Partitions,
) -> Result<(), KafkaError> {
    store(client, topic, &partitions.risen());
    if client.context().delivery == Delivery::ExactlyOnce {
        return Ok(());
    }
    let deadline = Instant::now() + COMMIT_PATIENCE;
    loop {
        match commit(client) {
            Err(error) if is_passing(&error) && Instant::now() < deadline => {
                tracing::debug!(%error, "a commit is tried again");
                std::thread::sleep(COMMIT_PAUSE);
            }
            result => return result,
        }
    }
}

/// Whether a commit may succeed a moment later.
fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::NotCoordinator
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
        )
    )
}

fn ids(partitions: &BTreeSet<Partition>) -> Vec<i32> {
    partitions.iter().map(|partition| partition.0).collect()
}
