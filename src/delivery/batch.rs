//! Batches form by themselves: whatever has arrived, up to three limits.

use std::time::{Duration, Instant};

use super::Record;

/// When a batch is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// At most so many records.
    pub max_records: usize,
    /// Complete once it has so many bytes; the last record may go beyond.
    pub max_bytes: usize,
    /// Complete this long after its first record, so that a quiet topic is answered quickly.
    pub linger: Duration,
}

/// A batch that is being formed.
#[derive(Debug)]
pub struct Batch {
    limits: BatchLimits,
    records: Vec<Record>,
    bytes: usize,
    since: Option<Instant>,
}

impl Batch {
    /// An empty batch.
    pub fn new(limits: BatchLimits) -> Self {
        Self { limits, records: Vec::new(), bytes: 0, since: None }
    }

    /// Adds a record that was read at `now`.
    pub fn push(&mut self, record: Record, now: Instant) {
        self.since.get_or_insert(now);
        self.bytes += record.size();
        self.records.push(record);
    }

    /// Whether it has no record yet.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether it takes no more records.
    pub fn is_full(&self) -> bool {
        self.records.len() >= self.limits.max_records || self.bytes >= self.limits.max_bytes
    }

    /// Time since its first record.
    pub fn age(&self, now: Instant) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Time left until it is complete by its age; none while it is empty.
    pub fn time_left(&self, now: Instant) -> Option<Duration> {
        let age = now.saturating_duration_since(self.since?);
        Some(self.limits.linger.saturating_sub(age))
    }

    /// Whether it should be handed on.
    pub fn is_complete(&self, now: Instant) -> bool {
        self.is_full() || self.time_left(now).is_some_and(|left| left.is_zero())
    }

    /// Takes at most `max_records` records in the order of reading; what came on top of a full
    /// batch begins the next one.
    pub fn take(&mut self) -> Vec<Record> {
        let rest = self.records.split_off(self.records.len().min(self.limits.max_records));
        self.bytes = rest.iter().map(Record::size).sum();
        self.since = self.since.filter(|_| !rest.is_empty());
        std::mem::replace(&mut self.records, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, BatchLimits};
    use crate::delivery::{Offset, Partition, Place, Positions, Record};
    use std::time::{Duration, Instant};

    const LIMITS: BatchLimits =
        BatchLimits { max_records: 3, max_bytes: 100, linger: Duration::from_millis(5) };

    fn record(bytes: usize) -> Record {
        let epoch = Positions::default().assign(Partition(0));
        let place = Place { partition: Partition(0), offset: Offset(0), epoch };
        Record { place, timestamp: None, key: None, value: Some(vec![0; bytes]), headers: vec![] }
    }

    #[test]
    fn completes_by_count_bytes_or_age_whichever_is_first() {
        let start = Instant::now();
        let complete_after = |sizes: &[usize], age: Duration| {
            let mut batch = Batch::new(LIMITS);
            for &size in sizes {
                batch.push(record(size), start);
            }
            batch.is_complete(start + age)
        };
        assert!(!complete_after(&[], Duration::from_secs(9)), "nothing to hand on");
        assert!(!complete_after(&[1, 1], Duration::from_millis(4)));
        assert!(complete_after(&[1, 1, 1], Duration::ZERO), "by count");
        assert!(complete_after(&[60, 60], Duration::ZERO), "by bytes");
        assert!(complete_after(&[1], Duration::from_millis(5)), "by age");
    }

    #[test]
    fn starts_anew_once_taken() {
        let start = Instant::now();
        let mut batch = Batch::new(LIMITS);
        batch.push(record(200), start);
        assert_eq!(batch.take().len(), 1);
        assert!(batch.is_empty() && !batch.is_full() && batch.time_left(start).is_none());
    }

    #[test]
    fn what_is_over_a_full_batch_begins_the_next() {
        let start = Instant::now();
        let mut batch = Batch::new(LIMITS);
        for _ in 0..5 {
            batch.push(record(1), start);
        }
        assert_eq!((batch.take().len(), batch.take().len(), batch.take().len()), (3, 2, 0));
    }
}
