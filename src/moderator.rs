//! Posts in, decisions out, many at a time: what every door does between decoding and encoding.
//!
//! Owns one thread's classifier session. A panic over one post is caught here, once, and answered for
//! that post alone; a classifier that fails leaves every decision to the policies' own words for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    classify::{Classifier, ClassifyError, Input},
    decision::Decision,
    engine::{Engine, Screened},
    post::Post,
    signal::{ModelIdentity, ModelSignal},
};

/// Most posts scored together.
const MICRO_BATCH_MAX: usize = 64;

/// The engine panicked over a post: a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine failed over this post: this is a bug, please report it")]
pub struct Panicked;

/// Decides batches of posts on one thread.
pub struct Moderator {
    engine: Engine,
    session: Session,
}

/// The classifier of one thread.
enum Session {
    NotRouted,
    Open(Arc<ModelIdentity>, Box<dyn Classifier>),
    Unavailable(Arc<ModelIdentity>),
}

/// How long the stages took for one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Views, languages and rules.
    pub screen: Duration,
    /// The classifier.
    pub score: Duration,
    /// Policies.
    pub decide: Duration,
}

impl Moderator {
    /// A moderator with its own session of the engine's model. A model that cannot be opened is an
    /// error at start: a worker that never scores must be somebody's choice.
    pub fn new(engine: Engine) -> Result<Self, ClassifyError> {
        let session = match engine.bundle().model() {
            None => Session::NotRouted,
            Some(model) => Session::Open(Arc::clone(model.identity()), model.open()?),
        };
        Ok(Self { engine, session })
    }

    /// Decides with another engine from now on. The session stays open where the model is the same
    /// one and works; where a new one does not open, everything stays as it was.
    pub fn follow(&mut self, engine: Engine) -> Result<(), ClassifyError> {
        let (old, new) = (self.engine.bundle().model(), engine.bundle().model());
        let same = match (old, new) {
            (Some(old), Some(new)) => old.identity() == new.identity(),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same && !matches!(self.session, Session::Unavailable(_)) {
            self.engine = engine;
        } else {
            *self = Self::new(engine)?;
        }
        Ok(())
    }

    /// The engine it decides with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Decides every post, in order.
    pub fn decide(
        &mut self,
        posts: Vec<(Post, Timestamp)>,
    ) -> (Vec<Result<Decision, Panicked>>, StageTimes) {
        let started = Instant::now();
        let engine = &self.engine;
        let screened: Vec<Result<Screened, Panicked>> =
            posts.into_iter().map(|(post, as_of)| guarded(|| engine.screen(post, as_of))).collect();
        let screened_at = Instant::now();
        let signals = self.score(&screened);
        let scored_at = Instant::now();
        let engine = &self.engine;
        let decisions = screened
            .into_iter()
            .zip(signals)
            .map(|(screened, model)| guarded(|| screened.map(|post| engine.decide(post, model)))?)
            .collect();
        let times = StageTimes {
            screen: screened_at - started,
            score: scored_at - screened_at,
            decide: scored_at.elapsed(),
        };
        (decisions, times)
    }

    /// One signal for each post.
    fn score(&mut self, screened: &[Result<Screened, Panicked>]) -> Vec<ModelSignal> {
        let (identity, classifier) = match &mut self.session {
            Session::NotRouted => return vec![ModelSignal::NotRouted; screened.len()],
            Session::Unavailable(identity) => {
                return vec![ModelSignal::Unavailable(Some(Arc::clone(identity))); screened.len()];
            }
            Session::Open(identity, classifier) => (Arc::clone(identity), classifier),
        };
        let nothing = ModelSignal::Scored { model: Arc::clone(&identity), scores: Vec::new() };
        let mut signals = vec![nothing; screened.len()];
        let mut inputs = Vec::new();
        for (index, post) in screened.iter().enumerate() {
            let Ok(post) = post else { continue };
            if let Some(text) = post.classifier_text() {
                inputs.push((index, Input { text, language: post.main_language() }));
            }
        }
        // Neighbours of like length waste no padding.
        inputs.sort_by_key(|(_, input)| input.text.len());
        let mut broken = false;
        for chunk in inputs.chunks(MICRO_BATCH_MAX) {
            let texts: Vec<Input<'_>> = chunk.iter().map(|&(_, input)| input).collect();
            let scored = guarded(|| classifier.score(&texts));
            broken |= scored.is_err();
            let mut scores = scored.ok().and_then(Result::ok).map(Vec::into_iter);
            for &(index, _) in chunk {
                let model = Arc::clone(&identity);
                signals[index] = match scores.as_mut().and_then(Iterator::next) {
                    Some(scores) => ModelSignal::Scored { model, scores },
                    None => ModelSignal::Unavailable(Some(model)),
                };
            }
        }
        if broken {
            // A session that panicked may be in any state; the policies say what follows.
            self.session = Session::Unavailable(identity);
        }
        signals
    }
}

/// Runs `work` for one post, and turns a panic into a value: the only place that catches one.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}
