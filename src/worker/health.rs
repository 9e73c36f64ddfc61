//! Whether the worker lives and whether it is ready, told by what it gets done.
//!
//! A polling thread says nothing: it polls through any outage. So the pipeline's own progress is
//! watched: the reader's loop, the chunks that are being judged, the reports that are awaited.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;

use super::settings::Beside;
use crate::{http::Probes, reload};

/// How long the reader or the pool may stand still before the worker counts as dead. A rebalance
/// and the slowest chunk stay far below.
const STALL_MAX: Duration = Duration::from_mins(2);

/// What the stages tell about themselves.
#[derive(Debug)]
pub(super) struct Health {
    start: Instant,
    publish_stall_max: Duration,
    read_at: AtomicU64,
    judged_at: AtomicU64,
    acknowledged_at: AtomicU64,
    judging: AtomicUsize,
    awaited: AtomicUsize,
    assigned: AtomicUsize,
    held_back: AtomicUsize,
    joined: AtomicBool,
    draining: AtomicBool,
    unreachable: AtomicBool,
    beside: Beside,
    trouble: Mutex<Option<String>>,
    bundle: Option<Arc<reload::Status>>,
}

/// What `/readyz?verbose` shows.
#[derive(Debug, Serialize)]
struct Report {
    ready: bool,
    live: bool,
    state: &'static str,
    assigned_partitions: usize,
    held_partitions: usize,
    chunks_judging: usize,
    records_awaiting_acknowledgement: usize,
    seconds_since_acknowledgement: u64,
    trouble: Option<String>,
    bundle: Option<reload::View>,
}

impl Health {
    /// The health of a worker that starts now and gives up on Kafka after `give_up`.
    pub(super) fn new(give_up: Duration) -> Self {
        Self {
            start: Instant::now(),
            // The worker stops by itself then; only a publisher that does not even do that is dead.
            publish_stall_max: give_up + Duration::from_mins(1),
            read_at: AtomicU64::new(0),
            judged_at: AtomicU64::new(0),
            acknowledged_at: AtomicU64::new(0),
            judging: AtomicUsize::new(0),
            awaited: AtomicUsize::new(0),
            assigned: AtomicUsize::new(0),
            held_back: AtomicUsize::new(0),
            joined: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            unreachable: AtomicBool::new(false),
            beside: Beside::default(),
            trouble: Mutex::new(None),
            bundle: None,
        }
    }

    /// The same, with what is known of the bundle in force.
    pub(super) fn showing(self, bundle: Option<Arc<reload::Status>>) -> Self {
        Self { bundle, ..self }
    }

    /// The same, with something that lives and dies with the worker.
    pub(super) fn beside(self, beside: Beside) -> Self {
        Self { beside, ..self }
    }

    fn state(&self) -> &'static str {
        if self.draining.load(Ordering::Relaxed) {
            "draining"
        } else if self.unreachable.load(Ordering::Relaxed) {
            "unreachable"
        } else if !self.joined.load(Ordering::Relaxed) {
            "joining"
        } else if self.assigned.load(Ordering::Relaxed) == 0 {
            "standby"
        } else if self.held_back.load(Ordering::Relaxed) > 0 {
            "holding_back"
        } else {
            "assigned"
        }
    }

    /// The reader's loop went round.
    pub(super) fn reader_turned(&self) {
        self.touch(&self.read_at);
    }

    /// So many chunks were given to the pool.
    pub(super) fn chunks_given(&self, count: usize) {
        // From rest: the clock of the pool starts with its work.
        if self.judging.fetch_add(count, Ordering::Relaxed) == 0 {
            self.touch(&self.judged_at);
        }
    }

    /// The pool finished one chunk.
    pub(super) fn chunk_judged(&self) {
        self.judging.fetch_sub(1, Ordering::Relaxed);
        self.touch(&self.judged_at);
    }

    /// So many records await the broker's acknowledgement; `progress` when some came.
    pub(super) fn awaits(&self, records: usize, progress: bool) {
        if self.awaited.swap(records, Ordering::Relaxed) == 0 || progress {
            self.touch(&self.acknowledged_at);
        }
    }

    /// The group assigned so many partitions in all.
    pub(super) fn assigned(&self, partitions: usize) {
        self.assigned.store(partitions, Ordering::Relaxed);
        self.joined.store(true, Ordering::Relaxed);
    }

    /// Whether some broker answers.
    pub(super) fn reaches(&self, brokers: bool) {
        self.unreachable.store(!brokers, Ordering::Relaxed);
    }

    /// So many partitions are held back because they yield only dead letters.
    pub(super) fn holds_back(&self, partitions: usize) {
        self.held_back.store(partitions, Ordering::Relaxed);
    }

    /// The worker is on its way out.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Kafka's latest complaint, for the operator; none when it works again.
    pub(super) fn trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().expect("no thread panics while it holds this") = trouble;
    }

    fn touch(&self, at: &AtomicU64) {
        at.store(self.millis(), Ordering::Relaxed);
    }

    fn since(&self, at: &AtomicU64) -> Duration {
        Duration::from_millis(self.millis().saturating_sub(at.load(Ordering::Relaxed)))
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Probes for Health {
    /// Whether every stage that has work gets on with it.
    fn is_live(&self) -> bool {
        let stalled = |at: &AtomicU64, max: Duration| self.since(at) > max;
        let judging = self.judging.load(Ordering::Relaxed) > 0;
        let awaiting = self.awaited.load(Ordering::Relaxed) > 0;
        !(stalled(&self.read_at, STALL_MAX)
            || judging && stalled(&self.judged_at, STALL_MAX)
            || awaiting && stalled(&self.acknowledged_at, self.publish_stall_max))
            && self.beside.is_live()
    }

    /// Whether the worker is a member of its group, with partitions or as a standby, reaches a broker,
    /// stays, and holds no partition back.
    fn is_ready(&self) -> bool {
        self.joined.load(Ordering::Relaxed)
            && !self.draining.load(Ordering::Relaxed)
            && !self.unreachable.load(Ordering::Relaxed)
            && self.held_back.load(Ordering::Relaxed) == 0
    }

    fn report(&self) -> String {
        let report = Report {
            ready: self.is_ready(),
            live: self.is_live(),
            state: self.state(),
            assigned_partitions: self.assigned.load(Ordering::Relaxed),
            held_partitions: self.held_back.load(Ordering::Relaxed),
            chunks_judging: self.judging.load(Ordering::Relaxed),
            records_awaiting_acknowledgement: self.awaited.load(Ordering::Relaxed),
            seconds_since_acknowledgement: self.since(&self.acknowledged_at).as_secs(),
            trouble: self.trouble.lock().expect("no thread panics while it holds this").clone(),
            bundle: self.bundle.as_ref().map(|bundle| bundle.view()),
        };
        serde_json::to_string_pretty(&report).expect("numbers and strings serialise")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use std::sync::Arc;

    use super::Health;
    use crate::{http::Probes, worker::Beside};

    #[test]
    fn a_worker_is_ready_once_it_joined_its_group_and_until_it_drains() {
        let health = Health::new(Duration::from_mins(10));
        assert!(!health.is_ready());
        health.assigned(0);
        assert!(health.is_ready(), "a standby is ready");
        assert!(health.report().contains(r#""state": "standby""#));
        health.assigned(2);
        health.holds_back(1);
        assert!(!health.is_ready(), "posts of that partition wait");
        assert!(health.report().contains(r#""held_partitions": 1"#));
        health.holds_back(0);
        health.reaches(false);
        assert!(!health.is_ready() && health.is_live(), "an outage is no reason to be dead");
        health.reaches(true);
        assert!(health.is_ready());
        health.drain();
        assert!(!health.is_ready());
        assert!(health.report().contains(r#""state": "draining""#));
        assert!(health.is_live());
    }

    struct Hanging;

    impl Probes for Hanging {
        fn is_live(&self) -> bool {
            false
        }

        fn is_ready(&self) -> bool {
            true
        }

        fn report(&self) -> String {
            String::new()
        }
    }

    #[test]
    fn a_door_that_hangs_beside_the_worker_is_a_reason_to_restart_both() {
        let health = Health::new(Duration::from_mins(10)).beside(Beside(Some(Arc::new(Hanging))));
        assert!(!health.is_live());
        assert!(health.report().contains(r#""live": false"#));
    }
}
