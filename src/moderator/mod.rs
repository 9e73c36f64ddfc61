//! Posts in, decisions out, many at a time: what every door does between decoding and encoding.
//!
//! Owns one thread's sessions of the models. A panic over one post is caught here, once, and answered
//! for that post alone; a classifier that fails, or takes too long, leaves the decisions of its batch to
//! the policies' own words for it.

mod allowance;
mod breaker;
mod cascade;
mod session;
mod shadow;
#[cfg(test)]
mod tests;
mod upkeep;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use self::session::Session;
pub use self::upkeep::Upkeep;
use crate::{
    bundle::Bundle,
    classify::{ClassifyError, Input, Model},
    decision::{Decision, Shadowed},
    engine::{Engine, Screened},
    post::Post,
    signal::ModelSignal,
};

/// The engine panicked over a post: a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine failed over this post: this is a bug, please report it")]
pub struct Panicked;

/// Decides batches of posts on one thread.
pub struct Moderator {
    engine: Engine,
    upkeep: Arc<Upkeep>,
    sessions: Sessions,
}

/// The models of one thread, as the bundle routes them.
#[derive(Default)]
struct Sessions {
    core: Option<Session>,
    opinions: Vec<Session>,
    shadow: Option<Session>,
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
    /// A moderator that asks for every second opinion it wants; see [`Moderator::with`].
    pub fn new(engine: Engine) -> Result<Self, ClassifyError> {
        Self::with(engine, Arc::default())
    }

    /// A moderator with its own sessions of the engine's models. A model that cannot be opened is an
    /// error at start: a worker that never scores must be somebody's choice.
    pub fn with(engine: Engine, upkeep: Arc<Upkeep>) -> Result<Self, ClassifyError> {
        let sessions = Sessions::default().for_bundle(engine.bundle(), &upkeep)?;
        Ok(Self { engine, upkeep, sessions })
    }

    /// Decides with another engine from now on. Sessions stay open where the models are the same ones
    /// and work; where a new one does not open, everything stays as it was.
    pub fn follow(&mut self, engine: Engine) -> Result<(), ClassifyError> {
        self.sessions = self.sessions.for_bundle(engine.bundle(), &self.upkeep)?;
        self.engine = engine;
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
        let screened: Vec<Result<Screened, Panicked>> = posts
            .into_iter()
            .map(|(post, as_of)| guarded(|| screen(engine, post, as_of)))
            .collect();
        let screened_at = Instant::now();
        let (signals, shadows) = self.score(&screened);
        let scored_at = Instant::now();
        let engine = &self.engine;
        let decide =
            |post, model, shadow| guarded(|| Decision { shadow, ..engine.decide(post, model) });
        let decisions = screened
            .into_iter()
            .zip(signals)
            .zip(shadows)
            .map(|((screened, model), shadow)| decide(screened?, model, shadow))
            .collect();
        let times = StageTimes {
            screen: screened_at - started,
            score: scored_at - screened_at,
            decide: scored_at.elapsed(),
        };
        (decisions, times)
    }

    /// One signal for each post, and what a model on trial says.
    fn score(
        &mut self,
        screened: &[Result<Screened, Panicked>],
    ) -> (Vec<ModelSignal>, Vec<Option<Shadowed>>) {
        let Self { engine, upkeep, sessions } = self;
        let Some(core) = &mut sessions.core else {
            return (vec![ModelSignal::NotRouted; screened.len()], vec![None; screened.len()]);
        };
        let mut signals = first_opinions(core, upkeep, screened);
        cascade::ask(&mut sessions.opinions, upkeep, engine, screened, &mut signals);
        let shadow = sessions.shadow.as_mut().zip(engine.bundle().shadow());
        let shadows = match shadow {
            Some((session, route)) => {
                shadow::compare(session, route, upkeep, engine, screened, &signals)
            }
            None => vec![None; screened.len()],
        };
        (signals, shadows)
    }
}

/// What the model that scores every post says.
fn first_opinions(
    core: &mut Session,
    upkeep: &Upkeep,
    screened: &[Result<Screened, Panicked>],
) -> Vec<ModelSignal> {
    let model = Arc::clone(core.identity());
    let of = |scores| ModelSignal::Scored { model: Arc::clone(&model), scores, opinions: vec![] };
    let mut signals = vec![of(Vec::new()); screened.len()];
    let mut inputs = Vec::new();
    for (index, post) in screened.iter().enumerate() {
        let Ok(post) = post else { continue };
        if let Some(text) = post.classifier_text() {
            inputs.push((index, Input { text, language: post.main_language() }));
        }
    }
    // Neighbours of like length waste no padding.
    inputs.sort_by_key(|(_, input)| input.text.len());
    for chunk in inputs.chunks(core.model().together().max(1)) {
        let texts: Vec<Input<'_>> = chunk.iter().map(|&(_, input)| input).collect();
        let mut scores = core.score(&texts, upkeep).0.map(Vec::into_iter);
        for &(index, _) in chunk {
            signals[index] = match scores.as_mut().and_then(Iterator::next) {
                Some(scores) => of(scores),
                None => ModelSignal::Unavailable(Some(Arc::clone(&model))),
            };
        }
    }
    signals
}

impl Sessions {
    /// Sessions of the models that a bundle routes, those that are open and work among them. Nothing
    /// changes where one does not open.
    fn for_bundle(&mut self, bundle: &Bundle, upkeep: &Upkeep) -> Result<Self, ClassifyError> {
        let opinions = if upkeep.second_opinions() { bundle.second_opinions() } else { &[] };
        let shadow = bundle.shadow().map(|shadow| &shadow.model);
        let wanted: Vec<&Arc<dyn Model>> =
            bundle.model().into_iter().chain(opinions).chain(shadow).collect();
        let mut open = Vec::with_capacity(wanted.len());
        for model in &wanted {
            let reused = self.all().any(|s| s.works() && s.identity() == model.identity());
            open.push(if reused { None } else { Some(Session::open(model, upkeep)?) });
        }
        let mut old: Vec<Session> = std::mem::take(self).into_all().collect();
        let mut next = wanted.iter().zip(open).map(|(model, fresh)| {
            fresh.unwrap_or_else(|| {
                let same = old.iter().position(|session| session.identity() == model.identity());
                old.swap_remove(same.expect("it was found open a moment ago"))
            })
        });
        let mut take = |count| next.by_ref().take(count).collect::<Vec<Session>>();
        let core = take(usize::from(bundle.model().is_some())).pop();
        let opinions = take(opinions.len());
        Ok(Self { core, opinions, shadow: take(1).pop() })
    }

    fn all(&self) -> impl Iterator<Item = &Session> {
        self.core.iter().chain(&self.opinions).chain(&self.shadow)
    }

    fn into_all(self) -> impl Iterator<Item = Session> {
        self.core.into_iter().chain(self.opinions).chain(self.shadow)
    }
}

/// Screens a post. In a build for the fault suite, a post may ask for a panic by its id.
fn screen(engine: &Engine, post: Post, as_of: Timestamp) -> Screened {
    #[cfg(feature = "failpoints")]
    assert!(!post.id.as_str().starts_with("failpoint-panic"), "as the post asked for");
    engine.screen(post, as_of)
}

/// Runs `work` for one post, and turns a panic into a value: the only place that catches one.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}
