//! What is between reading and commit: every record of the batches in flight, in input order.
//!
//! Records enter in the order they were read and are handed to the producer in that order. A batch
//! leaves when all of its records are finished, and batches leave in order. When the producer
//! fails, [`Window::rewind`] goes back to the first record that is not acknowledged and everything
//! from there is sent again: repeats carry the same decision id, and per key the last word is the
//! last one sent. Inside a transaction an acknowledgement settles nothing: [`Window::rewind_to`] goes
//! back to its first record, and batches leave only before it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroU8,
    ops::Range,
};

use super::{Disposition, Epoch, Partition, Place, Position};

/// The number of a record in the order of reading, counted over the life of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u64);

/// How far a partition is finished under one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The partition.
    pub partition: Partition,
    /// The epoch of its records.
    pub epoch: Epoch,
    /// The next offset to read.
    pub position: Position,
}

/// A batch that left the window: one disposition for each record that entered.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished<T> {
    /// Each item with what became of its record, in input order.
    pub records: Vec<(T, Disposition)>,
    /// How far the batch brings each partition: never past an abandoned record.
    pub progress: Vec<Progress>,
}

/// The records in flight, each with an item `T` to be published.
#[derive(Debug)]
pub struct Window<T> {
    entries: VecDeque<Entry<T>>,
    /// The slot of the first entry.
    first: u64,
    /// Entries before this index were handed over or abandoned.
    cursor: usize,
    /// How many entries are with the producer.
    waiting: usize,
    /// The slot after the last record of each batch in the window.
    batch_ends: VecDeque<u64>,
}

#[derive(Debug)]
struct Entry<T> {
    place: Place,
    item: T,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be handed over, for the first time or again.
    Ready,
    /// With the producer; so many reports are missing until it is finished as `disposition`.
    HandedOver { missing: NonZeroU8, disposition: Disposition },
    /// At its end, unless a rewind sends it again.
    Finished(Disposition),
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            first: 0,
            cursor: 0,
            waiting: 0,
            batch_ends: VecDeque::new(),
        }
    }
}

impl<T> Window<T> {
    /// Appends the next record of the batch that is entering.
    pub fn push(&mut self, place: Place, item: T) {
        self.entries.push_back(Entry { place, item, state: State::Ready });
    }

    /// The batch that was entering is complete.
    pub fn end_batch(&mut self) {
        self.batch_ends.push_back(self.slot(self.entries.len()).0);
    }

    /// The next record to hand over or abandon.
    pub fn peek(&mut self) -> Option<(Slot, Place, &T)> {
        // After a rewind, records that were abandoned earlier may lie ahead.
        while self.entries.get(self.cursor)?.state != State::Ready {
            self.cursor += 1;
        }
        let entry = &self.entries[self.cursor];
        Some((self.slot(self.cursor), entry.place, &entry.item))
    }

    /// The record that [`Self::peek`] showed is with the producer and will be finished as
    /// `disposition` after so many `reports`.
    pub fn hand_over(&mut self, reports: NonZeroU8, disposition: Disposition) {
        self.leave_cursor(State::HandedOver { missing: reports, disposition });
        self.waiting += 1;
    }

    /// The record that [`Self::peek`] showed will never be handed over.
    pub fn abandon(&mut self) {
        self.leave_cursor(State::Finished(Disposition::Abandoned));
    }

    /// The producer reported one delivery of a record that is with it.
    pub fn acknowledge(&mut self, slot: Slot) {
        let entry = self.entry(slot);
        let State::HandedOver { missing, disposition } = entry.state else {
            panic!("a report came for a record that is not with the producer");
        };
        entry.state = match NonZeroU8::new(missing.get() - 1) {
            Some(missing) => State::HandedOver { missing, disposition },
            None => State::Finished(disposition),
        };
        if matches!(entry.state, State::Finished(_)) {
            self.waiting -= 1;
        }
    }

    /// The producer did not take the record that was handed over last: it is ready again.
    pub fn take_back(&mut self) {
        self.cursor -= 1;
        let entry = &mut self.entries[self.cursor];
        debug_assert!(matches!(entry.state, State::HandedOver { .. }), "it was handed over");
        entry.state = State::Ready;
        self.waiting -= 1;
    }

    /// A record's item.
    pub fn item(&self, slot: Slot) -> &T {
        &self.entries[self.index(slot)].item
    }

    /// A record's item, to put something else in its place before it is handed over again.
    pub fn item_mut(&mut self, slot: Slot) -> &mut T {
        &mut self.entry(slot).item
    }

    /// Goes back to the first record that is with the producer: it and everything after it is to
    /// be sent again. Abandoned records stay abandoned. Returns how many will be sent again.
    pub fn rewind(&mut self) -> usize {
        let with_producer = |entry: &Entry<T>| matches!(entry.state, State::HandedOver { .. });
        let Some(start) = self.entries.iter().position(with_producer) else { return 0 };
        self.rewind_from(start)
    }

    /// Goes back to the record in `slot`, acknowledged or not: it and everything after it is to be
    /// sent again. Abandoned records stay abandoned. Returns how many will be sent again.
    pub fn rewind_to(&mut self, slot: Slot) -> usize {
        self.rewind_from(self.index(slot))
    }

    fn rewind_from(&mut self, start: usize) -> usize {
        let mut again = 0;
        for entry in self.entries.range_mut(start..self.cursor) {
            if entry.state != State::Finished(Disposition::Abandoned) {
                entry.state = State::Ready;
                again += 1;
            }
        }
        self.cursor = start;
        self.waiting = 0;
        again
    }

    /// Takes the oldest batch out if all of its records are finished.
    pub fn take_finished(&mut self) -> Option<Finished<T>> {
        self.take_finished_before(Slot(u64::MAX))
    }

    /// The same, if it ends before the record in `limit`.
    pub fn take_finished_before(&mut self, limit: Slot) -> Option<Finished<T>> {
        let end = *self.batch_ends.front()?;
        if end > limit.0 {
            return None;
        }
        let len = usize::try_from(end - self.first).expect("a batch fits in memory");
        let finished = |entry: &Entry<T>| matches!(entry.state, State::Finished(_));
        if !self.entries.range(..len).all(finished) {
            return None;
        }
        let progress = self.progress_of(0..len, |_| true);
        let end_of = |entry: Entry<T>| match entry.state {
            State::Finished(disposition) => (entry.item, disposition),
            State::Ready | State::HandedOver { .. } => unreachable!("checked above"),
        };
        let records = self.entries.drain(..len).map(end_of).collect();
        self.batch_ends.pop_front();
        self.first = end;
        self.cursor = self.cursor.saturating_sub(len);
        Some(Finished { records, progress })
    }

    /// How far the given partitions are finished inside the window, whatever other partitions of
    /// the same batches wait for.
    pub fn progress(&self, partitions: &BTreeSet<Partition>) -> Vec<Progress> {
        self.progress_of(0..self.entries.len(), |partition| partitions.contains(&partition))
    }

    /// How far the records from `slot` on bring their partitions.
    pub fn progress_from(&self, slot: Slot) -> Vec<Progress> {
        self.progress_of(self.index(slot)..self.entries.len(), |_| true)
    }

    /// Whether a record of these partitions is with the producer.
    pub fn awaits(&self, partitions: &BTreeSet<Partition>) -> bool {
        let awaited = |entry: &Entry<T>| {
            matches!(entry.state, State::HandedOver { .. })
                && partitions.contains(&entry.place.partition)
        };
        self.entries.iter().any(awaited)
    }

    /// Whether a record of this partition is here.
    pub fn has(&self, partition: Partition) -> bool {
        self.entries.iter().any(|entry| entry.place.partition == partition)
    }

    /// The record that is handed over next, or the next one to enter: everything before it was
    /// handed over or abandoned.
    pub fn next_slot(&self) -> Slot {
        self.slot(self.cursor)
    }

    /// Batches that were handed over to their last record.
    pub fn batches_handed_over(&self) -> usize {
        let next = self.next_slot().0;
        self.batch_ends.iter().take_while(|&&end| end <= next).count()
    }

    /// The oldest record that is not finished; the next one to enter if all are. It never goes
    /// back: a rewind repeats only what lies behind it.
    pub fn first_unfinished(&self) -> Slot {
        let unfinished = |entry: &Entry<T>| !matches!(entry.state, State::Finished(_));
        self.slot(self.entries.iter().position(unfinished).unwrap_or(self.entries.len()))
    }

    /// How many records are with the producer.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Records in the window.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The unbroken run of finished records of each partition among these entries.
    fn progress_of(
        &self,
        entries: Range<usize>,
        wanted: impl Fn(Partition) -> bool,
    ) -> Vec<Progress> {
        let mut reached: BTreeMap<(Partition, Epoch), Position> = BTreeMap::new();
        let mut broken: BTreeSet<(Partition, Epoch)> = BTreeSet::new();
        for entry in self.entries.range(entries) {
            let key = (entry.place.partition, entry.place.epoch);
            if !wanted(key.0) || broken.contains(&key) {
                continue;
            }
            match entry.state {
                State::Finished(Disposition::Published | Disposition::DeadLettered) => {
                    reached.insert(key, entry.place.offset.next());
                }
                State::Finished(Disposition::Abandoned)
                | State::Ready
                | State::HandedOver { .. } => {
                    broken.insert(key);
                }
            }
        }
        let progress = |((partition, epoch), position)| Progress { partition, epoch, position };
        reached.into_iter().map(progress).collect()
    }

    fn leave_cursor(&mut self, state: State) {
        let entry = &mut self.entries[self.cursor];
        debug_assert_eq!(entry.state, State::Ready, "peek was called before");
        entry.state = state;
        self.cursor += 1;
    }

    fn slot(&self, index: usize) -> Slot {
        Slot(self.first + u64::try_from(index).expect("an index fits in 64 bits"))
    }

    fn index(&self, slot: Slot) -> usize {
        usize::try_from(slot.0 - self.first).expect("an index fits in memory")
    }

    fn entry(&mut self, slot: Slot) -> &mut Entry<T> {
        let index = self.index(slot);
        &mut self.entries[index]
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
