//! Leaves a model that fails alone for a while, then tries it with one batch.
//!
//! A plain state machine under the caller's clock, shared by the sessions of one model: what hangs
//! for one thread hangs for all.

use std::{
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// So many failures in a row, and the model is left alone.
const FAILURES_MAX: u32 = 3;
/// For so long, and again after a trial that failed.
const PAUSE: Duration = Duration::from_secs(30);

/// Whether a model is asked.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    /// When one batch may try again; nothing while the model is asked.
    suspended_until: Option<Instant>,
}

/// What a result changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// The model is left alone from now on.
    Suspended,
    /// It is asked again.
    Resumed,
}

impl Breaker {
    /// Whether the model may be asked at `now`. Of a model that is left alone, one batch a pause may.
    pub(super) fn lets_through(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match state.suspended_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                state.suspended_until = Some(now + PAUSE);
                true
            }
        }
    }

    /// The model failed at `now`.
    pub(super) fn failed(&self, now: Instant) -> Change {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures < FAILURES_MAX {
            return Change::None;
        }
        let fresh = state.suspended_until.is_none();
        state.suspended_until = Some(now + PAUSE);
        if fresh { Change::Suspended } else { Change::None }
    }

    /// The model answered.
    pub(super) fn succeeded(&self) -> Change {
        let mut state = self.lock();
        state.failures = 0;
        match state.suspended_until.take() {
            Some(_) => Change::Resumed,
            None => Change::None,
        }
    }

    /// Whether the model is left alone.
    pub(super) fn is_suspended(&self) -> bool {
        self.lock().suspended_until.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread panics while it holds this")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_after_a_trial_that_succeeds() {
        let breaker = Breaker::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(breaker.failed(at(0)), Change::None);
        assert_eq!(breaker.succeeded(), Change::None, "one answer between, and it counts anew");
        assert_eq!([0, 0].map(|t| breaker.failed(at(t))), [Change::None; 2]);
        assert!(breaker.lets_through(at(1)));
        assert_eq!(breaker.failed(at(1)), Change::Suspended);
        assert!(!breaker.lets_through(at(30)), "the pause is not over");
        assert!(breaker.lets_through(at(31)), "one batch tries");
        assert!(!breaker.lets_through(at(31)), "and only one");
        assert_eq!(breaker.failed(at(33)), Change::None, "it is left alone already");
        assert!(!breaker.lets_through(at(62)) && breaker.lets_through(at(63)));
        assert_eq!(breaker.succeeded(), Change::Resumed);
        assert!(breaker.lets_through(at(63)) && !breaker.is_suspended());
    }
}
