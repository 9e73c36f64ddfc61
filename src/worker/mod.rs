//! The worker: posts from Kafka, decisions to Kafka, nothing lost.
//!
//! Three stages overlap, each on threads of its own:
//!
//! ```text
//! reader ─chunks→ pool of judges ─judged chunks→ publisher
//!    ↑                                               │
//!    └──────────── permits, positions ───────────────┘
//! ```
//!
//! The reader forms batches and takes a permit for each; the publisher gives the permit back when
//! the broker has acknowledged the whole batch, and only then do positions rise. With
//! `delivery: exactly_once` it waits for the transaction that holds the batch, and the transaction
//! holds the positions. A stage that fails ends the worker with a [`Stop`]; nothing is committed for
//! what it had not finished.

mod breaker;
mod consumer;
pub mod embedded;
mod health;
mod judge;
mod kafka_log;
pub mod letters;
mod moderation;
mod partitions;
mod pool;
mod preflight;
mod publisher;
mod settings;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rdkafka::consumer::BaseConsumer;

pub use judge::{Copies, Judge, JudgeError, JudgeFactory, Judgement, Publication};
pub use moderation::{ModerationSettings, ModeratorFactory};
pub use settings::{Beside, Deadlines, WorkerSettings};

pub use crate::{
    http::AdminSettings,
    stop::{ExitCode, Stop, StopSignal},
};

use self::{
    consumer::{Context, Group, Permit, Reader},
    health::Health,
    partitions::Partitions,
    pool::{CHUNK_RECORDS_MAX, Cutter, PoolThread},
    publisher::{Ends, Publisher},
};
use crate::{
    config::kafka::Delivery,
    delivery::Batch,
    http::{Admin, Probes},
    telemetry::Instruments,
};

/// How often the supervisor looks at the stop signal.
const WATCH: Duration = Duration::from_millis(20);
/// How long the other stages may take to end after one has failed.
const ABORT_MAX: Duration = Duration::from_secs(5);

/// Runs a worker until `stop` is requested and everything handed over is committed, or until it
/// cannot go on. After an error, threads may still hang in the Kafka client: end the process.
pub fn run(
    settings: WorkerSettings,
    judges: Arc<dyn JudgeFactory>,
    instruments: Arc<Instruments>,
    stop: StopSignal,
) -> Result<(), Stop> {
    let id = publisher::new_id(&settings.kafka.group);
    let checked = preflight::check(&settings, &id, &stop);
    if stop.is_requested() {
        // Nothing was read, so nothing is left undone, whatever the checks have found so far.
        tracing::info!("the worker was stopped before its first record");
        return Ok(());
    }
    checked?;
    let settings = Arc::new(settings);
    let health = Health::new(settings.give_up).showing(judges.status());
    let health = Arc::new(health.beside(settings.beside.clone()));
    let probes: Arc<dyn Probes> = Arc::<Health>::clone(&health);
    let _admin = Admin::start(&settings.admin, probes, &instruments)?;
    let abort = Arc::new(AtomicBool::new(false));
    let parts = Parts { settings, id, judges, instruments, health, stop, abort };
    let deadlines = parts.settings.deadlines;
    // What drains must not be cut off.
    let shutdown = deadlines.shutdown.max(deadlines.drain + ABORT_MAX);
    let (stop, abort) = (parts.stop.clone(), Arc::clone(&parts.abort));
    let stages = parts.start()?;
    let result = supervise(&stages, &stop, &abort, shutdown);
    match &result {
        Ok(()) => tracing::info!("everything handed over is committed: the worker ends"),
        Err(stop) => tracing::error!(exit_code = stop.exit_code(), "{stop}"),
    }
    result
}

/// How a stage ended.
type Ended = Result<(), Stop>;

/// What the stages are made of.
struct Parts {
    settings: Arc<WorkerSettings>,
    /// What this worker's transactions are called.
    id: String,
    judges: Arc<dyn JudgeFactory>,
    instruments: Arc<Instruments>,
    health: Arc<Health>,
    stop: StopSignal,
    abort: Arc<AtomicBool>,
}

impl Parts {
    /// Starts every stage. Every channel holds all that can be in flight.
    fn start(self) -> Result<Receiver<Ended>, Stop> {
        let settings = &self.settings;
        let batches = settings.batches_in_flight.get();
        let chunks_max = batches * settings.batch.max_records.div_ceil(CHUNK_RECORDS_MAX).max(1);
        let threads = settings.threads.get();
        let (ended, stages) = bounded(threads + 2);
        let (chunks, chunks_out) = bounded(chunks_max);
        let (judged, judged_out) = bounded(chunks_max);
        let (permits, permits_out) = bounded(batches);
        for _ in 0..batches {
            permits.try_send(Permit).expect("the channel has room for every permit");
        }
        let (partitions, withdrawals) = Partitions::new(settings.breaker);
        let partitions = Arc::new(partitions);

        let client = Arc::new(self.client(&partitions)?);
        let ends = Ends { chunks: judged_out, withdrawals, permits };
        let group = match settings.kafka.delivery {
            Delivery::AtLeastOnce => None,
            Delivery::ExactlyOnce => {
                Some((self.id.as_str(), Group::new(&client, &settings.topics.posts)))
            }
        };
        let publisher =
            Publisher::new(settings, ends, group, &partitions, &self.health, &self.instruments)?;
        let pool: Vec<PoolThread> = (0..threads)
            .map(|_| self.pool_thread(&chunks_out, &judged))
            .collect::<Result<_, Stop>>()?;
        drop((chunks_out, judged));
        let reader = self.reader(client, chunks, permits_out, &partitions);

        spawn("publisher", &ended, move || publisher.run());
        for thread in pool {
            spawn("judge", &ended, move || thread.run());
        }
        spawn("reader", &ended, move || reader.run());
        Ok(stages)
    }

    fn pool_thread(
        &self,
        chunks: &Receiver<pool::Chunk>,
        judged: &Sender<pool::JudgedChunk>,
    ) -> Result<PoolThread, Stop> {
        let generation = self.judges.generation();
        let judge = self
            .judges
            .judge()
            .map_err(|error| Stop::new(ExitCode::Configuration, error.to_string()))?;
        Ok(PoolThread {
            judges: Arc::clone(&self.judges),
            judge,
            generation,
            chunks: chunks.clone(),
            judged: judged.clone(),
            health: Arc::clone(&self.health),
            instruments: Arc::clone(&self.instruments),
        })
    }

    fn client(&self, partitions: &Arc<Partitions>) -> Result<BaseConsumer<Context>, Stop> {
        let settings = &self.settings;
        let context = Context::new(settings, partitions, &self.health, &self.instruments);
        settings.kafka.consumer().create_with_context(context).map_err(|error| {
            Stop::new(ExitCode::Configuration, format!("the Kafka settings are refused: {error}"))
        })
    }

    fn reader(
        &self,
        client: Arc<BaseConsumer<Context>>,
        chunks: Sender<pool::Chunk>,
        permits: Receiver<Permit>,
        partitions: &Arc<Partitions>,
    ) -> Reader {
        let settings = &self.settings;
        Reader {
            client,
            topics: settings.topics.clone(),
            group: settings.kafka.group.clone(),
            batch: Batch::new(settings.batch),
            cutter: Cutter::default(),
            permits,
            chunks,
            partitions: Arc::clone(partitions),
            health: Arc::clone(&self.health),
            instruments: Arc::clone(&self.instruments),
            deadlines: settings.deadlines,
            stop: self.stop.clone(),
            abort: Arc::clone(&self.abort),
        }
    }
}

/// Runs a stage on a thread of its own and tells the supervisor how it ended.
fn spawn(
    name: &'static str,
    ended: &Sender<Ended>,
    stage: impl FnOnce() -> Result<(), Stop> + Send + 'static,
) {
    let ended = ended.clone();
    let body = move || {
        let result = catch_unwind(AssertUnwindSafe(stage)).unwrap_or_else(|_| {
            let sentence = format!("the {name} thread panicked: this is a bug, please report it");
            Err(Stop::new(ExitCode::Software, sentence))
        });
        // The supervisor may have left at its deadline.
        let _ = ended.send(result);
    };
    thread::Builder::new().name(name.into()).spawn(body).expect("the system starts threads");
}

/// Waits for the end of all stages, which begins with the reader unless something fails.
fn supervise(
    stages: &Receiver<Ended>,
    stop: &StopSignal,
    abort: &AtomicBool,
    shutdown: Duration,
) -> Result<(), Stop> {
    let mut deadline: Option<Instant> = None;
    let mut result: Result<(), Stop> = Ok(());
    loop {
        match stages.recv_timeout(WATCH) {
            // Only the first fault tells the cause; the others follow from it.
            Ok(Err(fault)) if result.is_ok() => {
                result = Err(fault);
                abort.store(true, Ordering::Release);
                deadline = Some(Instant::now() + ABORT_MAX);
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return result,
        }
        if stop.is_requested() {
            deadline.get_or_insert_with(|| Instant::now() + shutdown);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return result.and(Err(Stop::new(
                ExitCode::TemporaryFailure,
                format!("the worker did not end within {} s: it ends now", shutdown.as_secs()),
            )));
        }
    }
}
