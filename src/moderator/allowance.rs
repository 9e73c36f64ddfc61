//! What second opinions may cost: a share of the wall time of the threads that decide.
//!
//! A token bucket in seconds, under the caller's clock. A thread takes what it needs afterwards, when
//! it knows: the bucket may run below empty by one opinion a thread, and nobody is asked until it has
//! filled up again.

use std::{
    num::NonZeroUsize,
    sync::Mutex,
    time::{Duration, Instant},
};

/// The share of the threads' time.
const SHARE: f64 = 0.3;
/// So much of unused time is kept for a wave of posts.
const KEPT: Duration = Duration::from_secs(2);

/// The allowance of one worker, shared by its threads.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Seconds that a second brings.
    rate: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    seconds: f64,
    at: Instant,
}

impl Allowance {
    /// A full allowance for so many threads.
    pub(super) fn new(threads: NonZeroUsize, now: Instant) -> Self {
        let threads = u32::try_from(threads.get()).unwrap_or(u32::MAX);
        let rate = SHARE * f64::from(threads);
        let seconds = rate * KEPT.as_secs_f64();
        Self { rate, state: Mutex::new(State { seconds, at: now }) }
    }

    /// Whether there is any left at `now`.
    pub(super) fn is_left(&self, now: Instant) -> bool {
        let mut state = self.state.lock().expect("no thread panics while it holds this");
        let passed = now.saturating_duration_since(state.at).as_secs_f64();
        let full = self.rate * KEPT.as_secs_f64();
        state.seconds = (state.seconds + passed * self.rate).min(full);
        state.at = state.at.max(now);
        state.seconds > 0.0
    }

    /// Takes what was used.
    pub(super) fn take(&self, used: Duration) {
        let mut state = self.state.lock().expect("no thread panics while it holds this");
        state.seconds -= used.as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_time_comes_back_and_no_more_than_a_wave_is_kept() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let allowance = Allowance::new(NonZeroUsize::new(2).expect("not zero"), start);
        assert!(allowance.is_left(at(60_000)), "full, and no fuller after a minute");
        allowance.take(Duration::from_millis(1_500));
        assert!(!allowance.is_left(at(60_000)), "1.2 s were there");
        assert!(!allowance.is_left(at(60_400)), "0.6 of a second a second: 0.24 of 0.3 s are back");
        assert!(allowance.is_left(at(60_600)));
        assert!(allowance.is_left(start), "a clock that another thread read before takes nothing");
    }
}
