//! The window and the positions together, against a broker that is a set and a log that is a range.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU8,
};

use proptest::prelude::*;

use super::{Disposition, Place, Slot, Window};
use crate::delivery::{Epoch, Offset, Partition, Positions};

const PARTITIONS: i32 = 3;

/// Something that can happen to a worker.
#[derive(Debug, Clone)]
enum Event {
    Read {
        partition: i32,
        gap: i64,
    },
    EndBatch,
    HandOver {
        reports: u8,
    },
    /// The broker reports on the n-th record that is with the producer.
    Report {
        nth: usize,
    },
    ProducerFails,
    Close {
        partition: i32,
    },
    /// Taken away and given back at once: reading goes on from the committed position.
    Reassign {
        partition: i32,
    },
    Commit,
}

fn event() -> impl Strategy<Value = Event> {
    let partition = 0..PARTITIONS;
    prop_oneof![
        8 => (partition.clone(), 1..3_i64).prop_map(|(partition, gap)| Event::Read { partition, gap }),
        2 => Just(Event::EndBatch),
        8 => (1..=3_u8).prop_map(|reports| Event::HandOver { reports }),
        12 => (0..20_usize).prop_map(|nth| Event::Report { nth }),
        1 => Just(Event::ProducerFails),
        1 => partition.clone().prop_map(|partition| Event::Close { partition }),
        1 => partition.prop_map(|partition| Event::Reassign { partition }),
        2 => Just(Event::Commit),
    ]
}

/// The simple model: what is on the broker, what was read, what is committed.
struct World {
    window: Window<()>,
    positions: Positions,
    epochs: BTreeMap<Partition, Epoch>,
    next_offset: BTreeMap<Partition, i64>,
    committed: BTreeMap<Partition, i64>,
    /// Every record that exists (was read at least once).
    exists: BTreeSet<(Partition, i64)>,
    durable: BTreeSet<(Partition, i64)>,
    with_producer: Vec<(Slot, Place, u8)>,
    batch_sizes: Vec<usize>,
    entering: usize,
    last_handed: Option<Slot>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            window: Window::default(),
            positions: Positions::default(),
            epochs: BTreeMap::new(),
            next_offset: BTreeMap::new(),
            committed: BTreeMap::new(),
            exists: BTreeSet::new(),
            durable: BTreeSet::new(),
            with_producer: Vec::new(),
            batch_sizes: Vec::new(),
            entering: 0,
            last_handed: None,
        };
        (0..PARTITIONS).for_each(|partition| world.reassign(Partition(partition)));
        world
    }

    fn reassign(&mut self, partition: Partition) {
        self.positions.revoke(partition);
        self.epochs.insert(partition, self.positions.assign(partition));
        let committed = self.committed.get(&partition).copied().unwrap_or(0);
        self.next_offset.insert(partition, committed);
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Read { partition, gap } => self.read(Partition(partition), gap),
            Event::EndBatch => self.end_batch(),
            Event::HandOver { reports } => self.hand_over(NonZeroU8::new(reports).unwrap()),
            Event::Report { nth } => self.report(nth),
            Event::ProducerFails => {
                self.window.rewind();
                self.with_producer.clear();
                self.last_handed = None;
            }
            Event::Close { partition } => self.positions.close(Partition(partition)),
            Event::Reassign { partition } => {
                let partition = Partition(partition);
                self.positions.close(partition);
                for progress in self.window.progress(&BTreeSet::from([partition])) {
                    self.positions.reach(progress.partition, progress.epoch, progress.position);
                }
                self.commit();
                self.reassign(partition);
            }
            Event::Commit => self.commit(),
        }
        assert_eq!(self.window.waiting(), self.with_producer.len());
    }

    fn read(&mut self, partition: Partition, gap: i64) {
        let next = self.next_offset.get_mut(&partition).unwrap();
        // What was read before is read again; new records come after a gap, as on a real log.
        let known = self.exists.range((partition, *next)..=(partition, i64::MAX)).next();
        let offset = known.map_or(*next + gap - 1, |&(_, offset)| offset);
        *next = offset + 1;
        self.exists.insert((partition, offset));
        let epoch = self.epochs[&partition];
        self.window.push(Place { partition, offset: Offset(offset), epoch }, ());
        self.entering += 1;
    }

    fn end_batch(&mut self) {
        if self.entering > 0 {
            self.window.end_batch();
            self.batch_sizes.push(std::mem::take(&mut self.entering));
        }
    }

    fn hand_over(&mut self, reports: NonZeroU8) {
        let Some((slot, place, ())) = self.window.peek() else { return };
        assert!(self.last_handed.is_none_or(|last| last < slot), "handed over in input order");
        self.last_handed = Some(slot);
        if self.positions.is_open(place.partition, place.epoch) {
            self.window.hand_over(reports, Disposition::Published);
            self.with_producer.push((slot, place, reports.get()));
        } else {
            self.window.abandon();
        }
    }

    fn report(&mut self, nth: usize) {
        if self.with_producer.is_empty() {
            return;
        }
        let index = nth % self.with_producer.len();
        let (slot, place, missing) = &mut self.with_producer[index];
        self.window.acknowledge(*slot);
        *missing -= 1;
        if *missing == 0 {
            self.durable.insert((place.partition, place.offset.0));
            self.with_producer.remove(index);
        }
    }

    fn commit(&mut self) {
        while let Some(finished) = self.window.take_finished() {
            assert_eq!(finished.records.len(), self.batch_sizes.remove(0), "none forgotten");
            for progress in finished.progress {
                self.positions.reach(progress.partition, progress.epoch, progress.position);
            }
        }
        for (partition, position) in self.positions.take() {
            let position = position.get();
            let passed = self.exists.range((partition, 0)..(partition, position));
            for record in passed {
                assert!(self.durable.contains(record), "{record:?} was committed unfinished");
            }
            let before = self.committed.insert(partition, position);
            assert!(before <= Some(position), "a committed position never falls");
        }
    }

    /// Everything open is published; nothing may be left over.
    fn settle(&mut self) {
        self.end_batch();
        while self.window.peek().is_some() {
            self.hand_over(NonZeroU8::MIN);
        }
        while !self.with_producer.is_empty() {
            self.report(0);
        }
        self.commit();
        assert!(self.window.is_empty() && self.batch_sizes.is_empty(), "every batch finished");
    }
}

proptest! {
    #[test]
    fn no_position_passes_an_unfinished_record_whatever_happens(
        events in prop::collection::vec(event(), 0..200)
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        world.settle();
        // A fresh owner of every partition reads the rest: then everything is durable.
        (0..PARTITIONS).for_each(|partition| world.reassign(Partition(partition)));
        let exists = world.exists.clone();
        for &(partition, offset) in &exists {
            if offset >= world.next_offset[&partition] {
                world.read(partition, 1);
            }
        }
        world.settle();
        prop_assert_eq!(&world.durable, &exists);
    }
}

fn place(offset: i64, epoch: Epoch) -> Place {
    Place { partition: Partition(0), offset: Offset(offset), epoch }
}

fn window_of(offsets: std::ops::Range<i64>) -> Window<()> {
    let epoch = Positions::default().assign(Partition(0));
    let mut window = Window::default();
    for offset in offsets {
        window.push(place(offset, epoch), ());
    }
    window.end_batch();
    window
}

fn hand_over_all(window: &mut Window<()>) -> Vec<Slot> {
    let mut slots = Vec::new();
    while let Some((slot, ..)) = window.peek() {
        slots.push(slot);
        window.hand_over(NonZeroU8::MIN, Disposition::Published);
    }
    slots
}

#[test]
fn after_a_failure_everything_from_the_first_unacknowledged_record_is_sent_again_in_order() {
    let mut window = window_of(0..5);
    let slots = hand_over_all(&mut window);
    for acknowledged in [0, 1, 3] {
        window.acknowledge(slots[acknowledged]);
    }
    assert_eq!(window.rewind(), 3, "offset 3 too, though it was acknowledged");
    assert_eq!(hand_over_all(&mut window), slots[2..]);
}

#[test]
fn a_later_batch_does_not_overtake_an_earlier_one() {
    let epoch = Positions::default().assign(Partition(0));
    let mut window = window_of(0..1);
    window.push(place(1, epoch), ());
    window.end_batch();
    let slots = hand_over_all(&mut window);
    window.acknowledge(slots[1]);
    assert_eq!(window.take_finished(), None);
    window.acknowledge(slots[0]);
    assert!(window.take_finished().is_some() && window.take_finished().is_some());
}

#[test]
#[should_panic(expected = "not with the producer")]
fn a_report_for_a_record_that_was_never_sent_is_a_bug() {
    window_of(0..1).acknowledge(Slot(0));
}

#[test]
fn the_first_unfinished_record_goes_forward_only_when_the_oldest_is_finished() {
    let mut window = window_of(0..3);
    hand_over_all(&mut window);
    window.acknowledge(Slot(1));
    assert_eq!(window.first_unfinished(), Slot(0), "one behind it was acknowledged");
    window.rewind();
    hand_over_all(&mut window);
    window.acknowledge(Slot(0));
    assert_eq!(window.first_unfinished(), Slot(1), "a rewind repeats what was acknowledged");
    window.acknowledge(Slot(1));
    window.acknowledge(Slot(2));
    assert_eq!(window.first_unfinished(), Slot(3));
    assert!(window.take_finished().is_some());
    assert_eq!(window.first_unfinished(), Slot(3), "the next one to enter");
}

#[test]
fn a_batch_counts_as_handed_over_with_its_last_record() {
    let mut window = window_of(0..2);
    let count = |window: &mut Window<()>| {
        window.peek();
        window.hand_over(NonZeroU8::MIN, Disposition::Published);
        window.batches_handed_over()
    };
    assert_eq!((count(&mut window), count(&mut window)), (0, 1));
}

#[test]
fn inside_a_transaction_acknowledged_records_are_sent_again_and_stay_in_the_window() {
    let mut window = window_of(0..3);
    let slots = hand_over_all(&mut window);
    for &slot in &slots {
        window.acknowledge(slot);
    }
    let from = slots[1];
    assert_eq!(window.take_finished_before(from), None, "its last record is not before the limit");
    assert_eq!(window.progress_from(from), window.progress(&BTreeSet::from([Partition(0)])));
    assert_eq!(window.rewind_to(from), 2, "acknowledged ones too");
    assert_eq!(window.next_slot(), from);
    let again = hand_over_all(&mut window);
    for &slot in &again {
        window.acknowledge(slot);
    }
    assert_eq!(again, slots[1..]);
    assert!(window.take_finished_before(window.next_slot()).is_some());
}
