//! What models do, for whoever watches them: counters, logs.

use std::{fmt, sync::Arc, time::Duration};

use super::ClassifyError;
use crate::signal::ModelIdentity;

/// Something that happened to a model.
#[derive(Debug, Clone)]
pub struct ModelEvent {
    /// Which one.
    pub model: Arc<ModelIdentity>,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Happened {
    /// It scored posts.
    Scored {
        /// How many.
        posts: usize,
        /// In what time.
        time: Duration,
    },
    /// It gave no answer.
    Failed {
        /// In which way.
        failure: Failure,
        /// In words, without a post's text.
        reason: String,
    },
    /// It failed so often that it is left alone for a while.
    Suspended,
    /// It answers again.
    Resumed,
}

/// How a model fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// An inference took too long and was ended.
    Deadline,
    /// An inference failed, or gave something that is no probability.
    Error,
    /// A bug on our side.
    Panic,
}

impl Failure {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Deadline, Self::Error, Self::Panic];

    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Error => "error",
            Self::Panic => "panic",
        }
    }
}

impl From<&ClassifyError> for Failure {
    fn from(error: &ClassifyError) -> Self {
        match error {
            ClassifyError::Deadline { .. } => Self::Deadline,
            ClassifyError::Runtime(_)
            | ClassifyError::Open { .. }
            | ClassifyError::Inference { .. } => Self::Error,
        }
    }
}

/// Takes what happens, on the thread on which it happens: it must be quick.
pub struct Observer(Box<dyn Fn(&ModelEvent) + Send + Sync>);

impl Observer {
    /// An observer that does this.
    pub fn new(observe: impl Fn(&ModelEvent) + Send + Sync + 'static) -> Self {
        Self(Box::new(observe))
    }

    /// Tells it.
    pub fn tell(&self, event: &ModelEvent) {
        (self.0)(event);
    }
}

impl Default for Observer {
    /// One that looks away.
    fn default() -> Self {
        Self::new(|_| ())
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
