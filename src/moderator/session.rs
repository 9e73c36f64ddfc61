//! One thread's session of one model, behind the model's breaker.
//!
//! Whatever goes wrong ends here, as an answer that is not there: a session that panicked is thrown
//! away and opened again when the model is next tried.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Panicked,
    breaker::{Breaker, Change},
    guarded,
    upkeep::Upkeep,
};
use crate::{
    classify::{Classifier, ClassifyError, Failure, Happened, Input, Model, Scores},
    signal::ModelIdentity,
};

pub(super) struct Session {
    model: Arc<dyn Model>,
    classifier: Option<Box<dyn Classifier>>,
    breaker: Arc<Breaker>,
}

impl Session {
    /// Opens a session. A model that does not open is an error at start.
    pub(super) fn open(model: &Arc<dyn Model>, upkeep: &Upkeep) -> Result<Self, ClassifyError> {
        let classifier = model.open()?;
        let (model, breaker) = (Arc::clone(model), upkeep.breaker(model.identity()));
        if breaker.succeeded() == Change::Resumed {
            upkeep.tell(model.identity(), Happened::Resumed);
        }
        Ok(Self { model, classifier: Some(classifier), breaker })
    }

    /// The model.
    pub(super) fn model(&self) -> &Arc<dyn Model> {
        &self.model
    }

    /// Which model.
    pub(super) fn identity(&self) -> &Arc<ModelIdentity> {
        self.model.identity()
    }

    /// Whether it answers, as far as is known.
    pub(super) fn works(&self) -> bool {
        self.classifier.is_some() && !self.breaker.is_suspended()
    }

    /// Scores for each input, in order, and how long that took; nothing when the model gives none.
    pub(super) fn score(
        &mut self,
        inputs: &[Input<'_>],
        upkeep: &Upkeep,
    ) -> (Option<Vec<Scores>>, Duration) {
        let began = Instant::now();
        if !self.breaker.lets_through(began) {
            return (None, Duration::ZERO);
        }
        let scored = guarded(|| self.ask(inputs));
        let time = began.elapsed();
        let (failure, reason) = match scored {
            Ok(Ok(scores)) if scores.len() == inputs.len() => {
                upkeep.tell(self.identity(), Happened::Scored { posts: inputs.len(), time });
                if self.breaker.succeeded() == Change::Resumed {
                    upkeep.tell(self.identity(), Happened::Resumed);
                }
                return (Some(scores), time);
            }
            Ok(Ok(_)) => (Failure::Panic, "it gave scores for other posts".to_owned()),
            Ok(Err(error)) => (Failure::from(&error), error.to_string()),
            Err(Panicked) => (Failure::Panic, "the classifier panicked: this is a bug".to_owned()),
        };
        if failure == Failure::Panic {
            // It may be in any state.
            self.classifier = None;
        }
        upkeep.tell(self.identity(), Happened::Failed { failure, reason });
        if self.breaker.failed(Instant::now()) == Change::Suspended {
            upkeep.tell(self.identity(), Happened::Suspended);
        }
        (None, time)
    }

    fn ask(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Scores>, ClassifyError> {
        let classifier = match &mut self.classifier {
            Some(classifier) => classifier,
            none => none.insert(self.model.open()?),
        };
        classifier.score(inputs)
    }
}
