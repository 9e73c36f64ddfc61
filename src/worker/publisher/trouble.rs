//! What stands between the publisher and the broker, and when it is over.

use std::time::{Duration, Instant};

use super::producer::Failure;
use crate::{delivery::Slot, worker::health::Health};

/// The first and the longest pause before sending again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What stands between us and the broker.
#[derive(Debug)]
pub(super) struct Trouble {
    /// Since then records are awaited and the oldest of them did not change.
    pub(super) since: Option<Instant>,
    /// The oldest unfinished record when the trouble ended last. Progress behind it is none: one
    /// record that fails for good has all the others sent again and acknowledged again.
    oldest: Slot,
    /// The last failure that trying again may mend.
    pub(super) last: Option<Failure>,
    /// The topic that we were last refused to write to.
    pub(super) forbidden: Option<String>,
    /// Nothing is sent before.
    resume: Option<Instant>,
    pause: Duration,
    /// Records before this slot are sent one at a time, to find the one that is too large.
    pub(super) alone_before: Slot,
}

impl Trouble {
    /// All is well.
    pub(super) fn none() -> Self {
        Self {
            since: None,
            oldest: Slot(0),
            last: None,
            forbidden: None,
            resume: None,
            pause: PAUSES.0,
            alone_before: Slot(0),
        }
    }

    /// Records are done with and now `oldest` is the first that is not: true when that is
    /// progress, which ends the trouble.
    pub(super) fn ends(&mut self, oldest: Slot, health: &Health) -> bool {
        if oldest <= self.oldest {
            return false;
        }
        self.oldest = oldest;
        if self.last.take().is_some() {
            tracing::info!("deliveries succeed again");
        }
        health.trouble(None);
        self.forbidden = None;
        self.since = None;
        self.pause = PAUSES.0;
        true
    }

    /// Sends nothing for a while, longer each time.
    pub(super) fn pause(&mut self) {
        self.resume = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(PAUSES.1);
    }

    /// Whether a pause was begun that nobody has found over yet.
    pub(super) fn is_paused(&self) -> bool {
        self.resume.is_some()
    }

    /// Whether a pause holds; finds it over once it is.
    pub(super) fn pauses(&mut self) -> bool {
        self.resume = self.resume.filter(|&resume| Instant::now() < resume);
        self.resume.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_that_always_fails_does_not_hide_behind_others_that_are_sent_again() {
        let health = Health::new(Duration::from_secs(1));
        let mut trouble = Trouble::none();
        assert!(trouble.ends(Slot(3), &health), "everything before the bad record");
        let since = Instant::now();
        trouble.since = Some(since);
        trouble.pause();
        for _ in 0..3 {
            assert!(!trouble.ends(Slot(3), &health), "only others were acknowledged, once more");
        }
        assert_eq!(trouble.since, Some(since), "the time to give up comes nearer");
        assert!(trouble.pause > PAUSES.0, "the pauses grow");
        assert!(trouble.ends(Slot(4), &health), "the record itself");
        assert_eq!((trouble.since, trouble.pause), (None, PAUSES.0));
    }
}
