//! The seam between the worker and the engine: what the CPU pool does with records.

use std::sync::Arc;

use crate::{
    delivery::{Header, Record},
    reload::Status,
    wire::dead_letter::DeadLetter,
};

/// Judges records on one thread of the pool.
pub trait Judge: Send {
    /// One judgement for each record, in the same order. Must not panic: a panic over one post is
    /// caught inside and becomes that record's dead letter.
    fn judge(&mut self, records: &[Record]) -> Vec<Judgement>;

    /// Judges under what is in force now; where that fails, as before. A judge that knows no bundle
    /// has nothing to do.
    fn follow(&mut self) -> Result<(), JudgeError> {
        Ok(())
    }

    /// The hash of the bundle that judges; it stands in dead letters.
    fn bundle(&self) -> Arc<str>;
}

/// Makes a [`Judge`] for every thread of the pool.
pub trait JudgeFactory: Send + Sync {
    /// A judge under the bundle that is in force now.
    fn judge(&self) -> Result<Box<dyn Judge>, JudgeError>;

    /// Rises whenever another bundle, or other overrides, came into force: each thread then lets
    /// its judge follow before its next records.
    fn generation(&self) -> u64;

    /// What operators see of the bundle in force, where it can change.
    fn status(&self) -> Option<Arc<Status>> {
        None
    }
}

/// A judge could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JudgeError(pub String);

/// What follows for one record.
#[derive(Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Its decision is published.
    Publish(Publication),
    /// It cannot be decided about.
    DeadLetter(DeadLetter),
}

/// A decision as it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct Publication {
    /// The encoded decision.
    pub payload: Vec<u8>,
    /// The key of the post's record, else the post's id.
    pub key: Vec<u8>,
    /// Headers of the decision, such as trace context.
    pub headers: Vec<Header>,
    /// Which optional topics get it as well.
    pub copies: Copies,
}

/// The optional topics that get a copy of a decision, where they are configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copies {
    /// A person has to look, or jobs have to close.
    pub reviews: bool,
    /// Some region blocks.
    pub blocks: bool,
}
