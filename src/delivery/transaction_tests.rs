//! Window, positions and transactions together, against a broker that shows only what is committed:
//! every record is shown once, in order, whatever fails.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU8,
    time::Instant,
};

use proptest::prelude::*;

use super::{Transaction, TransactionLimits, was_committed};
use crate::delivery::{
    Disposition, Epoch, Offset, Partition, Place, Position, Positions, Progress, Slot, Window,
};

const PARTITIONS: i32 = 2;

/// Something that can happen to a worker.
#[derive(Debug, Clone)]
enum Event {
    Read {
        partition: i32,
    },
    EndBatch,
    HandOver,
    /// The broker acknowledges the oldest record that is with the producer.
    Acknowledge,
    /// A delivery fails, or positions are refused.
    Abort,
    Commit,
    /// A commit is not answered; it happened or it did not.
    Doubt {
        happened: bool,
    },
    /// The partition is taken away without a word and comes back at once.
    Lose {
        partition: i32,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let partition = 0..PARTITIONS;
    prop_oneof![
        8 => partition.clone().prop_map(|partition| Event::Read { partition }),
        2 => Just(Event::EndBatch),
        8 => Just(Event::HandOver),
        8 => Just(Event::Acknowledge),
        1 => Just(Event::Abort),
        3 => Just(Event::Commit),
        1 => any::<bool>().prop_map(|happened| Event::Doubt { happened }),
        1 => partition.prop_map(|partition| Event::Lose { partition }),
    ]
}

struct World {
    window: Window<()>,
    positions: Positions,
    transaction: Transaction,
    epochs: BTreeMap<Partition, Epoch>,
    next_offset: BTreeMap<Partition, i64>,
    with_producer: VecDeque<Slot>,
    entering: usize,
    /// What the broker has: the records of the open transaction, those of committed ones, positions.
    sent: Vec<Place>,
    shown: Vec<Place>,
    committed: BTreeMap<Partition, Position>,
}

impl World {
    fn new() -> Self {
        let limits = TransactionLimits { max_records: 4, ..TransactionLimits::default() };
        let mut world = Self {
            window: Window::default(),
            positions: Positions::default(),
            transaction: Transaction::new(limits),
            epochs: BTreeMap::new(),
            next_offset: BTreeMap::new(),
            with_producer: VecDeque::new(),
            entering: 0,
            sent: Vec::new(),
            shown: Vec::new(),
            committed: BTreeMap::new(),
        };
        (0..PARTITIONS).for_each(|partition| world.lose(Partition(partition)));
        world
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Read { partition } => self.read(Partition(partition)),
            Event::EndBatch => self.end_batch(),
            Event::HandOver => self.hand_over(),
            Event::Acknowledge => self.acknowledge(),
            Event::Abort => self.abort(),
            Event::Commit => self.commit(),
            Event::Doubt { happened } => self.doubt(happened),
            Event::Lose { partition } => self.lose(Partition(partition)),
        }
        let settled = self.transaction.from().unwrap_or(self.window.next_slot());
        while self.window.take_finished_before(settled).is_some() {}
    }

    fn read(&mut self, partition: Partition) {
        let next = self.next_offset.get_mut(&partition).unwrap();
        let place = Place { partition, offset: Offset(*next), epoch: self.epochs[&partition] };
        *next += 1;
        self.window.push(place, ());
        self.entering += 1;
    }

    fn end_batch(&mut self) {
        if self.entering > 0 {
            self.window.end_batch();
            self.entering = 0;
        }
    }

    fn hand_over(&mut self) {
        let now = Instant::now();
        if !self.transaction.takes_more(now) {
            return;
        }
        let Some((slot, place, ())) = self.window.peek() else { return };
        if !self.positions.is_open(place.partition, place.epoch) {
            self.window.abandon();
            return;
        }
        if self.transaction.from().is_none() {
            self.transaction.open(slot, now);
        }
        self.transaction.add(1);
        self.window.hand_over(NonZeroU8::MIN, Disposition::Published);
        self.with_producer.push_back(slot);
        self.sent.push(place);
    }

    fn acknowledge(&mut self) {
        if let Some(slot) = self.with_producer.pop_front() {
            self.window.acknowledge(slot);
        }
    }

    fn abort(&mut self) {
        self.sent.clear();
        self.undo();
    }

    fn undo(&mut self) {
        self.with_producer.clear();
        if let Some(from) = self.transaction.from() {
            self.window.rewind_to(from);
            self.transaction.end(Instant::now());
        }
    }

    /// What is about to be committed; nothing where not all of it is acknowledged.
    fn due(&self) -> Option<Vec<Progress>> {
        let from = self.transaction.from().filter(|_| self.with_producer.is_empty())?;
        Some(self.window.progress_from(from))
    }

    fn held(&self, progress: &[Progress]) -> Vec<Progress> {
        let held = |step: &&Progress| self.positions.is_held(step.partition, step.epoch);
        progress.iter().filter(held).copied().collect()
    }

    fn commit(&mut self) {
        let Some(progress) = self.due() else { return };
        if self.held(&progress) != progress {
            return self.abort();
        }
        self.broker_commits(&progress);
        self.transaction.end(Instant::now());
    }

    fn doubt(&mut self, happened: bool) {
        let Some(progress) = self.due() else { return };
        if self.held(&progress) != progress {
            return self.abort();
        }
        if happened {
            self.broker_commits(&progress);
        } else {
            self.sent.clear();
        }
        if was_committed(&self.held(&progress), &self.committed) {
            assert!(happened, "nothing was committed");
            self.transaction.end(Instant::now());
        } else {
            assert!(!happened, "everything was committed");
            self.undo();
        }
    }

    fn broker_commits(&mut self, progress: &[Progress]) {
        self.shown.append(&mut self.sent);
        for step in progress {
            let before = self.committed.insert(step.partition, step.position);
            assert!(before < Some(step.position), "a committed position rises");
        }
    }

    /// Reading goes on from the committed position, under a new epoch.
    fn lose(&mut self, partition: Partition) {
        self.positions.revoke(partition);
        self.epochs.insert(partition, self.positions.assign(partition));
        let next = self.committed.get(&partition).map_or(0, |position| position.get());
        self.next_offset.insert(partition, next);
    }

    fn settle(&mut self) {
        self.end_batch();
        loop {
            while self.window.peek().is_some() && self.transaction.takes_more(Instant::now()) {
                self.happen(&Event::HandOver);
            }
            while !self.with_producer.is_empty() {
                self.acknowledge();
            }
            self.happen(&Event::Commit);
            if self.window.is_empty() {
                break;
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_fails_committed_readers_see_each_record_once_and_in_order(
        events in prop::collection::vec(event(), 0..300)
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        world.settle();
        for partition in (0..PARTITIONS).map(Partition) {
            let shown = world.shown.iter().filter(|place| place.partition == partition);
            let offsets: Vec<i64> = shown.map(|place| place.offset.0).collect();
            let committed = world.committed.get(&partition).map_or(0, |position| position.get());
            prop_assert_eq!(offsets, (0..committed).collect::<Vec<_>>(), "of {:?}", partition);
            prop_assert_eq!(committed, world.next_offset[&partition], "all that was read");
        }
    }
}
