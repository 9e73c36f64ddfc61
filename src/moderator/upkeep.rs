//! What the moderators of one program share: which models are left alone, what second opinions may
//! cost, who watches.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::{allowance::Allowance, breaker::Breaker};
use crate::{
    classify::{Happened, ModelEvent, Observer},
    signal::ModelIdentity,
};

/// Most models whose state is kept; what is beyond was replaced long ago.
const MODELS_MAX: usize = 32;

/// Shared by every thread that decides.
#[derive(Debug)]
pub struct Upkeep {
    breakers: Mutex<Vec<(Arc<ModelIdentity>, Arc<Breaker>)>>,
    allowance: Option<Allowance>,
    observer: Observer,
    second_opinions: bool,
}

impl Default for Upkeep {
    /// Second opinions cost what they cost, and nobody watches.
    fn default() -> Self {
        Self::watched(Observer::default())
    }
}

impl Upkeep {
    /// Second opinions cost what they cost.
    pub fn watched(observer: Observer) -> Self {
        let breakers = Mutex::default();
        Self { breakers, allowance: None, observer, second_opinions: true }
    }

    /// Second opinions may take 30 % of the time of so many threads.
    #[must_use]
    pub fn within_share_of(self, threads: NonZeroUsize) -> Self {
        Self { allowance: Some(Allowance::new(threads, Instant::now())), ..self }
    }

    /// Nobody is asked for a second opinion.
    #[must_use]
    pub fn without_second_opinions(self) -> Self {
        Self { second_opinions: false, ..self }
    }

    /// Whether anybody is asked for a second opinion.
    pub(super) fn second_opinions(&self) -> bool {
        self.second_opinions
    }

    /// Whether a second opinion may be asked for now.
    pub(super) fn may_ask(&self) -> bool {
        self.allowance.as_ref().is_none_or(|allowance| allowance.is_left(Instant::now()))
    }

    /// A second opinion took so long.
    pub(super) fn took(&self, time: Duration) {
        if let Some(allowance) = &self.allowance {
            allowance.take(time);
        }
    }

    /// The breaker of a model, the same for every thread.
    pub(super) fn breaker(&self, model: &Arc<ModelIdentity>) -> Arc<Breaker> {
        let mut breakers = self.breakers.lock().expect("no thread panics while it holds this");
        if let Some((_, known)) = breakers.iter().find(|(of, _)| of == model) {
            return Arc::clone(known);
        }
        if breakers.len() >= MODELS_MAX {
            breakers.remove(0);
        }
        let fresh = Arc::<Breaker>::default();
        breakers.push((Arc::clone(model), Arc::clone(&fresh)));
        fresh
    }

    /// Tells who watches.
    pub(super) fn tell(&self, model: &Arc<ModelIdentity>, what: Happened) {
        self.observer.tell(&ModelEvent { model: Arc::clone(model), what });
    }
}
