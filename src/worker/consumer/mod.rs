//! The thread that reads: polls, forms batches, stores positions, serves rebalances.
//!
//! It never blocks on another stage. When `batch.in_flight` batches are between reading and commit
//! it parks the one it has; after a second it pauses the partitions and goes on polling, so that
//! rebalances are served through the longest outage of the stages behind it.

mod context;
mod group;
mod held;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender};
use jiff::Timestamp;
use rdkafka::{
    Message as _, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::KafkaError,
    message::{BorrowedMessage, Headers as _},
    topic_partition_list::Offset as KafkaOffset,
    types::RDKafkaErrorCode,
};

pub(super) use context::{Context, commit_positions};
pub(super) use group::Group;

use super::{
    health::Health,
    partitions::{Partitions, Withdrawn},
    pool::{Chunk, Cutter},
    settings::Deadlines,
};
use crate::{
    config::Topics,
    delivery::{Batch, Header, Offset, Partition, Place, Position, Record},
    stop::{ExitCode, Stop, StopSignal},
    telemetry::{Instruments, Stage},
};

/// How long one poll waits at most: the delay of a stop request and of storing positions.
const POLL: Duration = Duration::from_millis(10);
/// How long a batch may be parked before the partitions are paused. Pausing throws away what was
/// read ahead, so a short jam is waited out.
const PAUSE_AFTER: Duration = Duration::from_secs(1);

/// A permit for one batch to be in flight.
#[derive(Debug)]
pub(super) struct Permit;

/// The reading thread.
pub(super) struct Reader {
    pub(super) client: Arc<BaseConsumer<Context>>,
    pub(super) topics: Topics,
    pub(super) group: String,
    pub(super) batch: Batch,
    pub(super) cutter: Cutter,
    pub(super) permits: Receiver<Permit>,
    pub(super) chunks: Sender<Chunk>,
    pub(super) partitions: Arc<Partitions>,
    pub(super) health: Arc<Health>,
    pub(super) instruments: Arc<Instruments>,
    pub(super) deadlines: Deadlines,
    /// End in good order.
    pub(super) stop: StopSignal,
    /// Another stage failed: end at once, without committing more.
    pub(super) abort: Arc<AtomicBool>,
}

/// Whether records flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// Read and hand on.
    Flowing,
    /// A batch waits for a permit since then; nothing is read.
    Parked(Instant),
    /// The same for long: partitions are paused, polls go on.
    Paused,
}

impl Reader {
    /// Reads until it is told to stop, then drains.
    pub(super) fn run(mut self) -> Result<(), Stop> {
        let topic = self.topics.posts.clone();
        self.client.subscribe(&[&topic]).map_err(|error| {
            Stop::new(ExitCode::Configuration, format!("cannot subscribe to {topic}: {error}"))
        })?;
        let mut flow = Flow::Flowing;
        while !self.stop.is_requested() && !self.abort.load(Ordering::Acquire) {
            self.health.reader_turned();
            self.serve_breaker(flow)?;
            flow = match flow {
                Flow::Flowing => self.read()?,
                Flow::Parked(since) => self.wait(since)?,
                Flow::Paused => self.wait_paused()?,
            };
        }
        self.health.drain();
        let drained = if self.abort.load(Ordering::Acquire) { Ok(()) } else { self.drain() };
        self.client.context().close();
        drained
    }

    /// Polls once and hands on what is complete.
    fn read(&mut self) -> Result<Flow, Stop> {
        let wait = self.batch.time_left(Instant::now()).unwrap_or(POLL).min(POLL);
        let polled = self.poll(wait)?;
        let now = Instant::now();
        if !polled {
            self.store_positions();
        }
        if !self.batch.is_complete(now) {
            return Ok(Flow::Flowing);
        }
        match self.permits.try_recv() {
            Ok(permit) => Ok(self.hand_on(permit)),
            Err(_) => Ok(Flow::Parked(now)),
        }
    }

    /// Waits a moment for a permit, without reading.
    fn wait(&mut self, since: Instant) -> Result<Flow, Stop> {
        self.store_positions();
        match self.permits.recv_timeout(POLL) {
            Ok(permit) => Ok(self.hand_on(permit)),
            Err(_) if since.elapsed() < PAUSE_AFTER => Ok(Flow::Parked(since)),
            Err(_) => {
                self.pause();
                self.wait_paused()
            }
        }
    }

    /// Polls, so that rebalances are served, and looks for a permit.
    fn wait_paused(&mut self) -> Result<Flow, Stop> {
        if self.poll(POLL)? {
            // Partitions that were assigned meanwhile are not paused yet.
            self.pause();
        }
        self.store_positions();
        match self.permits.try_recv() {
            Ok(permit) => {
                self.resume();
                Ok(self.hand_on(permit))
            }
            Err(_) => Ok(Flow::Paused),
        }
    }

    /// Serves Kafka's events for at most `wait`; true when a record was read.
    fn poll(&mut self, wait: Duration) -> Result<bool, Stop> {
        match self.client.poll(wait) {
            Some(Ok(message)) => {
                // A partition that was just taken away has no epoch: its next owner reads this.
                if let Some(record) = to_record(&message, self.client.context()) {
                    let place = record.place;
                    self.batch.push(record, Instant::now());
                    self.stop_behind_probe(place);
                }
                Ok(true)
            }
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                let sentence = format!("Kafka excluded this worker from its group: {code}");
                Err(Stop::new(ExitCode::Software, sentence))
            }
            // The client leaves out a record set it cannot read and goes on with the next one: going
            // on as well would commit a position past posts that nobody has judged.
            Some(Err(KafkaError::MessageConsumption(
                code @ (RDKafkaErrorCode::BadMessage | RDKafkaErrorCode::BadCompression),
            ))) => {
                let sentence = format!(
                    "records of {} arrived damaged ({code}): the worker stops before it skips \
                     them; a restart reads them again from the last committed position",
                    self.topics.posts
                );
                Err(Stop::new(ExitCode::TemporaryFailure, sentence))
            }
            Some(Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::GroupAuthorizationFailed,
            ))) => Err(forbidden("join the group", &self.group)),
            Some(Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::TopicAuthorizationFailed,
            ))) => Err(forbidden("read the topic", &self.topics.posts)),
            // After other errors the client goes on by itself; its callback has told of them.
            Some(Err(_)) | None => Ok(false),
        }
    }

    fn hand_on(&mut self, Permit: Permit) -> Flow {
        let now = Instant::now();
        let age = self.batch.age(now);
        let records = self.batch.take();
        if let Ok(count) = u32::try_from(records.len()) {
            self.instruments.batch_records().observe(f64::from(count));
        }
        self.instruments.stage(Stage::Read).observe(age.as_secs_f64());
        let chunks = self.cutter.cut(records);
        self.health.chunks_given(chunks.len());
        for chunk in chunks {
            if self.chunks.send(chunk).is_err() {
                // The pool is gone, which aborts this thread as well.
                break;
            }
        }
        self.store_positions();
        Flow::Flowing
    }

    fn store_positions(&self) {
        store(&self.client, &self.topics.posts, &self.partitions.risen());
    }

    fn pause(&self) {
        if let Ok(assignment) = self.client.assignment()
            && let Err(error) = self.client.pause(&assignment)
        {
            tracing::warn!(%error, "partitions could not be paused");
        }
    }

    fn resume(&self) {
        if let Ok(assignment) = self.client.assignment()
            && let Err(error) = self.client.resume(&self.without_held(&assignment))
        {
            tracing::warn!(%error, "partitions could not be resumed");
        }
    }

    /// Brings every partition to its end and commits.
    fn drain(&mut self) -> Result<(), Stop> {
        let held: BTreeSet<Partition> = self.partitions.lock().partitions().into_iter().collect();
        tracing::info!(partitions = held.len(), "draining");
        let deadline = Instant::now() + self.deadlines.drain;
        let withdrawn = self.partitions.withdraw(held.clone(), deadline);
        let committed = commit_positions(&self.client, &self.topics.posts, &self.partitions);
        self.partitions.revoke(held);
        let temporary = |sentence: String| Err(Stop::new(ExitCode::TemporaryFailure, sentence));
        match (withdrawn, committed) {
            (Withdrawn::Settled, Ok(())) => Ok(()),
            (Withdrawn::Late, _) => {
                let waited = self.deadlines.drain.as_secs();
                temporary(format!(
                    "Kafka did not acknowledge every decision within {waited} s of the stop: some \
                     posts will be decided again, with the same decision ids"
                ))
            }
            (Withdrawn::Settled, Err(error)) => temporary(format!(
                "every decision is published, but the positions could not be committed ({error}): \
                 some posts will be decided again, with the same decision ids"
            )),
        }
    }
}

/// Stores positions for the next commit. Always the *next* offset, and always through a list: the
/// single-offset calls of the client add one.
fn store(client: &BaseConsumer<Context>, topic: &str, positions: &[(Partition, Position)]) {
    if positions.is_empty() {
        return;
    }
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for &(partition, position) in positions {
        list.add_partition_offset(topic, partition.0, KafkaOffset::Offset(position.get()))
            .expect("a position is a valid offset");
    }
    match client.store_offsets(&list) {
        Ok(()) => {}
        // A partition of the list was lost a moment ago; the next owner reads its records again.
        Err(KafkaError::StoreOffset(RDKafkaErrorCode::State)) => {
            tracing::debug!("positions of a lost partition were not stored");
        }
        Err(error) => tracing::warn!(%error, "positions could not be stored"),
    }
}

fn forbidden(what: &str, name: &str) -> Stop {
    Stop::new(ExitCode::NoPermission, format!("we may not {what} {name}: grant Read on it to us"))
}

fn to_record(message: &BorrowedMessage<'_>, context: &Context) -> Option<Record> {
    let partition = Partition(message.partition());
    let epoch = context.epoch(partition)?;
    let place = Place { partition, offset: Offset(message.offset()), epoch };
    Some(Record {
        place,
        timestamp: message
            .timestamp()
            .to_millis()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map_or_else(Vec::new, headers_of),
    })
}

/// The headers of a record. A name that is no UTF-8 breaks the client library's reader by a panic,
/// which must not make the record a poison record: such a header is left out.
pub(super) fn headers_of(headers: &rdkafka::message::BorrowedHeaders) -> Vec<Header> {
    let read = |index| {
        let header = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| headers.get(index)));
        let header = header.ok()?;
        Some(Header { name: header.key.to_owned(), value: header.value.map(<[u8]>::to_vec) })
    };
    (0..headers.count()).filter_map(read).collect()
}

/// Commits what is stored and waits for the answer. Nothing to commit is success.
fn commit(client: &BaseConsumer<Context>) -> Result<(), KafkaError> {
    match client.commit_consumer_state(CommitMode::Sync) {
        Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => Ok(()),
        Err(error) => Err(error),
    }
}
