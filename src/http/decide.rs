//! The seam between the door and the engine: what the pool does with posts.

use std::sync::Arc;

use crate::{
    bundle::Live,
    direct::{Direct, DirectSettings},
    engine::Engine,
    moderator::{Moderator, Upkeep},
    reload::Status,
    telemetry::{Counts, Instruments, Stage, model_observer},
    wire::WireError,
};

/// Answers posts on one thread of the pool.
pub trait Decider: Send {
    /// One decision or error for each post's JSON, in the same order.
    fn decide(&mut self, posts: &[&[u8]]) -> Vec<Result<Vec<u8>, WireError>>;

    /// Decides from now on under what is in force now; where that fails, everything stays as it was.
    fn follow(&mut self) -> Result<(), DeciderError>;
}

/// Makes a [`Decider`] for every thread of the pool.
pub trait DeciderFactory: Send + Sync {
    /// A decider under the bundle that is in force now.
    fn decider(&self) -> Result<Box<dyn Decider>, DeciderError>;

    /// Rises whenever something else came into force: each thread's decider then follows before its
    /// next request.
    fn generation(&self) -> u64;

    /// What is known of the bundle in force, for `/readyz?verbose`, where something reports it.
    fn status(&self) -> Option<Arc<Status>> {
        None
    }
}

/// A decider could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeciderError(pub String);

/// Makes deciders under what is in force in [`Live`], each with a classifier session of its own.
#[derive(Debug)]
pub struct BundleDeciders {
    live: Arc<Live>,
    settings: DirectSettings,
    instruments: Arc<Instruments>,
    upkeep: Arc<Upkeep>,
    status: Option<Arc<Status>>,
}

impl BundleDeciders {
    /// A factory of deciders.
    pub fn new(live: Arc<Live>, settings: DirectSettings, instruments: Arc<Instruments>) -> Self {
        let upkeep = Arc::new(Upkeep::watched(model_observer(&instruments)));
        Self { live, settings, instruments, upkeep, status: None }
    }

    /// The same, showing what is known of the bundle in force.
    #[must_use]
    pub fn reporting(self, status: Option<Arc<Status>>) -> Self {
        Self { status, ..self }
    }
}

impl DeciderFactory for BundleDeciders {
    fn decider(&self) -> Result<Box<dyn Decider>, DeciderError> {
        let engine = Engine::in_force(self.live.now());
        let moderator = Moderator::with(engine, Arc::clone(&self.upkeep));
        let moderator = moderator.map_err(|error| DeciderError(error.to_string()))?;
        let direct = Direct::new(moderator, self.settings);
        let (live, instruments) = (Arc::clone(&self.live), Arc::clone(&self.instruments));
        Ok(Box::new(BundleDecider { direct, live, instruments }))
    }

    fn generation(&self) -> u64 {
        self.live.now().generation
    }

    fn status(&self) -> Option<Arc<Status>> {
        self.status.clone()
    }
}

struct BundleDecider {
    direct: Direct,
    live: Arc<Live>,
    instruments: Arc<Instruments>,
}

impl Decider for BundleDecider {
    fn decide(&mut self, posts: &[&[u8]]) -> Vec<Result<Vec<u8>, WireError>> {
        let (answers, times) = self.direct.answer(posts);
        let stages = [
            (Stage::Screen, times.screen),
            (Stage::Score, times.score),
            (Stage::Decide, times.decide),
        ];
        for (stage, time) in stages {
            self.instruments.stage(stage).observe(time.as_secs_f64());
        }
        let mut counts = Counts::default();
        let answers = answers.into_iter().map(|answer| {
            let answered = answer.inspect_err(|_| self.instruments.http_errors().inc())?;
            counts.add(&answered.decision);
            self.instruments.http_decisions().inc();
            self.instruments.unknown_keys().inc_by(answered.unknown_keys);
            Ok(answered.json)
        });
        let answers = answers.collect();
        counts.report(&self.instruments);
        answers
    }

    fn follow(&mut self) -> Result<(), DeciderError> {
        let engine = Engine::in_force(self.live.now());
        self.direct.follow(engine).map_err(|error| DeciderError(error.to_string()))
    }
}
