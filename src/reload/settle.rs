//! When changed files are worth reading: once they have been left alone for a while.
//!
//! A copy of many files takes its time, and a half-written file is often a valid one. A plain value
//! without a clock: the time is an argument.

use std::time::Duration;

use super::fingerprint::Fingerprint;

/// Watches one set of files.
#[derive(Debug)]
pub(super) struct Settle {
    quiet: Duration,
    tried: Fingerprint,
    last: Fingerprint,
    since: Duration,
}

impl Settle {
    /// Files that were read when they looked like `tried`, and are worth reading again once they look
    /// otherwise and have done so for `quiet`.
    pub(super) fn new(quiet: Duration, tried: Fingerprint) -> Self {
        Self { quiet, tried, last: tried, since: Duration::ZERO }
    }

    /// Whether the files are worth reading, which look like `seen` at the time `now`, counted from any
    /// moment on.
    pub(super) fn is_due(&mut self, seen: Fingerprint, now: Duration) -> bool {
        if seen != self.last {
            self.last = seen;
            self.since = now;
        }
        self.last != self.tried && now.saturating_sub(self.since) >= self.quiet
    }

    /// Whether the files looked like this when they were read last.
    pub(super) fn was_tried(&self, seen: Fingerprint) -> bool {
        self.tried == seen
    }

    /// The files were read while they looked like this.
    pub(super) fn tried(&mut self, seen: Fingerprint) {
        self.tried = seen;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn files_are_due_once_they_differ_and_have_been_left_alone() {
        let look = |name: &str| Fingerprint::of(&[PathBuf::from(format!("/no/such/{name}"))], None);
        let mut settle = Settle::new(Duration::from_secs(2), look("a"));
        // (second, what is seen, whether it is due); what is due is read.
        let steps = [
            (0, "a", false),
            (9, "a", false),
            (10, "b", false),
            (11, "c", false),
            (12, "c", false),
            (13, "c", true),
            (14, "c", false),
            (15, "b", false),
            (16, "c", false),
            (20, "c", false),
            (21, "a", false),
            (23, "a", true),
        ];
        for (second, name, expected) in steps {
            let due = settle.is_due(look(name), Duration::from_secs(second));
            assert_eq!(due, expected, "second {second}");
            if due {
                settle.tried(look(name));
            }
        }
    }
}
