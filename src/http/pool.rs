//! The pool of the door: decides the posts of requests, one request a thread at a time.
//!
//! A request is decided under one bundle. One that nobody waits for any more, because its time is over
//! or its client has left, is not begun, and is given up between two chunks of its posts.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    body::Posts,
    decide::{Decider, DeciderError, DeciderFactory},
};
use crate::{
    moderator::guarded,
    telemetry::Instruments,
    wire::{ErrorCode, WireError},
};

/// Most posts decided together: a micro-batch of the classifier, and the work that a request whose
/// time is over may still cost.
const CHUNK_POSTS_MAX: usize = 64;
/// How long work may lie there without progress before the pool counts as dead.
const STALL_MAX: Duration = Duration::from_mins(2);
/// How often an ending pool is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// One answer for each post of a request, in order.
pub(super) type Answers = Vec<Result<Vec<u8>, WireError>>;

/// A request on its way through the pool.
pub(super) struct Job {
    pub(super) posts: Posts,
    pub(super) reply: oneshot::Sender<Answers>,
    pub(super) in_flight: InFlight,
}

/// A request's place among all that may be in flight; it is free again when this is dropped.
pub(super) struct InFlight {
    _permit: OwnedSemaphorePermit,
    pulse: Arc<Pulse>,
    instruments: Arc<Instruments>,
}

impl InFlight {
    pub(super) fn new(
        permit: OwnedSemaphorePermit,
        pulse: &Arc<Pulse>,
        instruments: &Arc<Instruments>,
    ) -> Self {
        pulse.begin();
        instruments.http_in_flight().inc();
        Self { _permit: permit, pulse: Arc::clone(pulse), instruments: Arc::clone(instruments) }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.pulse.end();
        self.instruments.http_in_flight().dec();
    }
}

/// Running threads; they end when every sender of jobs is gone.
pub(super) struct Pool(Vec<JoinHandle<()>>);

impl Pool {
    /// Starts the threads; the queue has room for every request that may be in flight.
    pub(super) fn start(
        threads: NonZeroUsize,
        in_flight: NonZeroUsize,
        deciders: &Arc<dyn DeciderFactory>,
        pulse: &Arc<Pulse>,
    ) -> Result<(Self, Sender<Job>), DeciderError> {
        let (jobs, queue) = bounded(in_flight.get());
        // All sessions before the first thread: a pool starts whole or not at all.
        let pool: Vec<PoolThread> = (0..threads.get())
            .map(|_| PoolThread::new(deciders, &queue, pulse))
            .collect::<Result<_, _>>()?;
        let start = |thread: PoolThread| {
            let builder = thread::Builder::new().name("decide".into());
            builder.spawn(move || thread.run()).expect("the system starts threads")
        };
        Ok((Self(pool.into_iter().map(start).collect()), jobs))
    }

    /// Whether every thread lives.
    pub(super) fn is_whole(&self) -> bool {
        !self.0.iter().any(JoinHandle::is_finished)
    }

    /// Waits until the threads have ended, at most until `deadline`; whether they have.
    pub(super) fn end(self, deadline: Instant) -> bool {
        while !self.0.iter().all(JoinHandle::is_finished) {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(LOOK_AGAIN);
        }
        true
    }
}

struct PoolThread {
    deciders: Arc<dyn DeciderFactory>,
    decider: Box<dyn Decider>,
    generation: u64,
    queue: Receiver<Job>,
    pulse: Arc<Pulse>,
}

impl PoolThread {
    fn new(
        deciders: &Arc<dyn DeciderFactory>,
        queue: &Receiver<Job>,
        pulse: &Arc<Pulse>,
    ) -> Result<Self, DeciderError> {
        let generation = deciders.generation();
        Ok(Self {
            decider: deciders.decider()?,
            generation,
            deciders: Arc::clone(deciders),
            queue: queue.clone(),
            pulse: Arc::clone(pulse),
        })
    }

    fn run(mut self) {
        while let Ok(Job { posts, reply, in_flight }) = self.queue.recv() {
            if !reply.is_closed() {
                self.follow_bundle();
                let answers = self.decide(&posts, &reply);
                // First the place, then the answer: who asks again at once finds it free.
                drop(in_flight);
                // An error says that nobody waits any more.
                let _ = reply.send(answers);
            }
            self.pulse.beat();
        }
    }

    fn decide(&mut self, posts: &Posts, reply: &oneshot::Sender<Answers>) -> Answers {
        let mut answers = Answers::with_capacity(posts.len());
        for chunk in posts.all().chunks(CHUNK_POSTS_MAX) {
            if reply.is_closed() {
                break;
            }
            let decided = guarded(|| self.decider.decide(chunk));
            match decided {
                Ok(decided) if decided.len() == chunk.len() => answers.extend(decided),
                Ok(_) | Err(_) => {
                    tracing::error!("a decider failed over {} posts: this is a bug", chunk.len());
                    let bug = WireError::new(ErrorCode::Panic, "the engine failed: this is a bug");
                    answers.extend(chunk.iter().map(|_| Err(bug.clone())));
                    self.renew();
                }
            }
            self.pulse.beat();
        }
        answers
    }

    /// Lets the decider follow when another bundle came into force.
    fn follow_bundle(&mut self) {
        let generation = self.deciders.generation();
        if generation != self.generation {
            self.generation = generation;
            if let Err(error) = self.decider.follow() {
                tracing::error!(%error, "the new bundle cannot decide: the old one stays");
            }
        }
    }

    fn renew(&mut self) {
        match self.deciders.decider() {
            Ok(decider) => self.decider = decider,
            Err(error) => tracing::error!(%error, "the bundle cannot decide: the old one stays"),
        }
    }
}

/// Whether the pool gets on with its work.
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    beat_at: AtomicU64,
    in_flight: AtomicUsize,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let (beat_at, in_flight) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self { start: Instant::now(), beat_at, in_flight }
    }

    /// How many requests are in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether nothing is to be done or something was done lately.
    pub(super) fn is_live(&self) -> bool {
        let rest = self.millis().saturating_sub(self.beat_at.load(Ordering::Relaxed));
        self.in_flight() == 0 || Duration::from_millis(rest) <= STALL_MAX
    }

    fn begin(&self) {
        // From rest: the clock starts with the work.
        if self.in_flight.fetch_add(1, Ordering::Relaxed) == 0 {
            self.beat();
        }
    }

    fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    fn beat(&self) {
        self.beat_at.store(self.millis(), Ordering::Relaxed);
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
