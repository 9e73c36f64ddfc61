//! What belongs to one transaction, when it is committed, and what its end means.
//!
//! A transaction is a run of consecutive records: from the slot it was opened at to the last one
//! handed over. What comes before the run is decided for good; what is in it becomes visible
//! together, or not at all and is sent again.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Partition, Position, Progress, Slot};

/// When a transaction takes no more records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionLimits {
    /// At most so many records.
    pub max_records: usize,
    /// Full once so many bytes are written; the last record may go beyond.
    pub max_bytes: usize,
    /// Committed this long after its first record, so that a quiet topic is answered soon.
    pub max_age: Duration,
}

impl Default for TransactionLimits {
    fn default() -> Self {
        Self { max_records: 5_000, max_bytes: 8 << 20, max_age: Duration::from_millis(200) }
    }
}

/// The transaction that is open, if one is.
#[derive(Debug)]
pub struct Transaction {
    limits: TransactionLimits,
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    from: Slot,
    since: Instant,
    records: usize,
    bytes: usize,
    closed: bool,
}

impl Transaction {
    /// None is open yet.
    pub fn new(limits: TransactionLimits) -> Self {
        Self { limits, run: None }
    }

    /// Opens one for the record in slot `from` and those behind it.
    ///
    /// # Panics
    /// When one is open.
    pub fn open(&mut self, from: Slot, now: Instant) {
        assert!(self.run.is_none(), "a transaction is ended before the next one is opened");
        self.run = Some(Run { from, since: now, records: 0, bytes: 0, closed: false });
    }

    /// One more record of so many bytes was handed over.
    ///
    /// # Panics
    /// When none is open.
    pub fn add(&mut self, bytes: usize) {
        let run = self.run.as_mut().expect("a record is handed over inside a transaction");
        run.records += 1;
        run.bytes += bytes;
    }

    /// Takes no more records: somebody waits for its end.
    pub fn close(&mut self) {
        if let Some(run) = &mut self.run {
            run.closed = true;
        }
    }

    /// Whether a record may be handed over, which opens one if none is open.
    pub fn takes_more(&self, now: Instant) -> bool {
        self.run.as_ref().is_none_or(|run| !run.is_full(self.limits, now))
    }

    /// Whether it is to be committed as soon as everything in it is acknowledged.
    pub fn is_due(&self, now: Instant) -> bool {
        self.run.as_ref().is_some_and(|run| run.is_full(self.limits, now))
    }

    /// The first slot of the one that is open.
    pub fn from(&self) -> Option<Slot> {
        self.run.as_ref().map(|run| run.from)
    }

    /// How long one has been open.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        self.run.as_ref().map(|run| now.saturating_duration_since(run.since))
    }

    /// Records in it.
    pub fn records(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.records)
    }

    /// It was committed or aborted: how long it was open.
    pub fn end(&mut self, now: Instant) -> Option<Duration> {
        let age = self.age(now);
        self.run = None;
        age
    }
}

impl Run {
    fn is_full(&self, limits: TransactionLimits, now: Instant) -> bool {
        self.closed
            || self.records >= limits.max_records
            || self.bytes >= limits.max_bytes
            || now.saturating_duration_since(self.since) >= limits.max_age
    }
}

/// What became of a transaction whose commit was not answered, told by the positions that Kafka
/// has now. A transaction is whole: `held`, what it brings those partitions to that are still ours,
/// was reached by all or by none. Where none is ours any more the answer does not matter to us, and
/// nothing may be called committed.
pub fn was_committed(held: &[Progress], committed: &BTreeMap<Partition, Position>) -> bool {
    let reached = |step: &Progress| {
        committed.get(&step.partition).is_some_and(|position| *position >= step.position)
    };
    !held.is_empty() && held.iter().all(reached)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{Offset, Positions};

    const LIMITS: TransactionLimits =
        TransactionLimits { max_records: 3, max_bytes: 100, max_age: Duration::from_millis(200) };

    fn open_with(sizes: &[usize], now: Instant) -> Transaction {
        let mut transaction = Transaction::new(LIMITS);
        transaction.open(Slot(7), now);
        for &bytes in sizes {
            transaction.add(bytes);
        }
        transaction
    }

    #[test]
    fn it_is_due_by_count_bytes_or_age_whichever_is_first() {
        let now = Instant::now();
        let due_after = |sizes: &[usize], age| {
            let transaction = open_with(sizes, now);
            let due = transaction.is_due(now + Duration::from_millis(age));
            assert_eq!(transaction.takes_more(now + Duration::from_millis(age)), !due);
            due
        };
        assert!(!due_after(&[1, 1], 199));
        assert!(due_after(&[1, 1, 1], 0), "by count");
        assert!(due_after(&[60, 60], 0), "by bytes");
        assert!(due_after(&[1], 200), "by age");
    }

    #[test]
    fn none_is_due_while_none_is_open() {
        let (mut transaction, now) = (Transaction::new(LIMITS), Instant::now());
        let later = now + Duration::from_hours(1);
        transaction.close();
        assert!(transaction.takes_more(later) && !transaction.is_due(later));
        assert_eq!((transaction.from(), transaction.end(later)), (None, None));
    }

    #[test]
    fn whoever_waits_for_its_end_does_not_wait_for_its_age() {
        let now = Instant::now();
        let mut transaction = open_with(&[1], now);
        transaction.close();
        assert!(transaction.is_due(now) && !transaction.takes_more(now));
        assert_eq!(transaction.end(now + LIMITS.max_age), Some(LIMITS.max_age));
        assert!(transaction.takes_more(now), "the next one begins anew");
    }

    #[test]
    fn positions_tell_whether_an_unanswered_commit_was_one() {
        let mut positions = Positions::default();
        let mut step = |partition, offset| Progress {
            partition: Partition(partition),
            epoch: positions.assign(Partition(partition)),
            position: Offset(offset).next(),
        };
        let held = [step(0, 9), step(1, 4)];
        let at = |pairs: &[(i32, i64)]| {
            let pair =
                |&(partition, offset): &(i32, i64)| (Partition(partition), Offset(offset).next());
            pairs.iter().map(pair).collect::<BTreeMap<_, _>>()
        };
        assert!(was_committed(&held, &at(&[(0, 9), (1, 4), (2, 0)])));
        assert!(!was_committed(&held, &at(&[(0, 3), (1, 2)])), "as before the transaction");
        assert!(!was_committed(&held, &at(&[])), "a group without positions");
        assert!(!was_committed(&[], &at(&[(0, 9)])), "nothing of it is ours");
    }
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod whole;
