//! Holds a partition back that yields little but dead letters, instead of draining it into their
//! topic: a producer that went wrong is mended once, and its posts are decided as if nothing had been.
//!
//! The publisher tells what becomes of each record, the reader asks what to do: stop, then let one
//! record through now and then, and flow again after the first good one. A plain value behind a lock;
//! it knows neither Kafka nor threads, and the clock comes from outside.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use crate::{
    config::BreakerSettings,
    delivery::{Disposition, Epoch, Offset, Partition, Place, Position},
};

/// How many records of a partition a share is taken of.
const WINDOW: usize = 1000;

/// What the reader has to do with a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Read nothing more of it.
    Hold(Partition),
    /// Read the record at this position, and nothing behind it.
    Probe(Partition, Position),
    /// Read on from here, under the epoch of the probe.
    Flow(Partition, Position, Epoch),
    /// It has been held back for too long.
    GiveUp(Partition),
}

/// The breakers of all partitions.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    watched: Mutex<BTreeMap<Partition, Watched>>,
    /// Partitions that do not simply flow, so that the reader asks for nothing where all is well.
    held: AtomicUsize,
}

#[derive(Debug, Default)]
struct Watched {
    /// The last record that counted: what is sent again counts once.
    last: Option<Offset>,
    in_a_row: u32,
    recent: VecDeque<bool>,
    bad: usize,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Flowing,
    /// Held back since then; whether the reader knows and the publisher holds none of its records any
    /// more, from where it goes on, when it tries next.
    Held { since: Instant, told: bool, settled: bool, from: Offset, probe_at: Instant },
    /// One record is let through; whether it was read.
    Probing { since: Instant, epoch: Epoch, read: bool },
    /// The probe was good: the reader goes on behind it.
    Mended { from: Offset, epoch: Epoch },
    /// The probe was bad for too long.
    Over,
}

impl Breaker {
    /// Breakers that have seen nothing.
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self { settings, watched: Mutex::default(), held: AtomicUsize::new(0) }
    }

    /// Partitions that are held back now.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether nothing more of a partition is to be read for now.
    pub(super) fn holds(&self, partition: Partition) -> bool {
        self.held() > 0
            && self.lock().get(&partition).is_some_and(|watched| watched.phase != Phase::Flowing)
    }

    /// A record was handed to the producer as this; true when its partition is to be closed behind it.
    pub(super) fn observe(&self, place: Place, end: Disposition, now: Instant) -> bool {
        let mut all = self.lock();
        let watched = all.entry(place.partition).or_default();
        if watched.last.is_some_and(|last| place.offset <= last) {
            return false;
        }
        watched.last = Some(place.offset);
        let bad = end == Disposition::DeadLettered;
        let trips = watched.phase == Phase::Flowing && watched.trips(bad, &self.settings);
        let next = match watched.phase {
            Phase::Flowing if trips => {
                let probe_at = now + self.settings.probe_every;
                let from = Offset(place.offset.0 + 1);
                Phase::Held { since: now, told: false, settled: false, from, probe_at }
            }
            Phase::Probing { since, epoch, .. } => {
                self.after_probe(place, bad, (since, epoch), now)
            }
            phase => phase,
        };
        let closes = next != watched.phase && !matches!(next, Phase::Mended { .. });
        watched.phase = next;
        self.count(&all);
        closes
    }

    fn after_probe(
        &self,
        place: Place,
        bad: bool,
        (since, epoch): (Instant, Epoch),
        now: Instant,
    ) -> Phase {
        let from = Offset(place.offset.0 + 1);
        if !bad {
            Phase::Mended { from, epoch }
        } else if now.saturating_duration_since(since) >= self.settings.give_up {
            Phase::Over
        } else {
            let probe_at = now + self.settings.probe_every;
            Phase::Held { since, told: true, settled: false, from, probe_at }
        }
    }

    /// A record behind the one that tripped was not handed over: reading goes on with it at the
    /// latest.
    pub(super) fn abandoned(&self, place: Place) {
        if self.held() == 0 {
            return;
        }
        if let Some(watched) = self.lock().get_mut(&place.partition)
            && let Phase::Held { from, .. } = &mut watched.phase
        {
            *from = (*from).min(place.offset);
            watched.last = watched.last.filter(|last| *last < place.offset);
        }
    }

    /// The partitions whose last records the publisher may still hold.
    pub(super) fn unsettled(&self) -> Vec<Partition> {
        if self.held() == 0 {
            return Vec::new();
        }
        let unsettled =
            |watched: &Watched| matches!(watched.phase, Phase::Held { settled: false, .. });
        let all = self.lock();
        all.iter().filter(|(_, watched)| unsettled(watched)).map(|(&of, _)| of).collect()
    }

    /// The publisher holds no record of a partition any more: whatever was not handed over is known.
    pub(super) fn settle(&self, partition: Partition) {
        if let Some(watched) = self.lock().get_mut(&partition)
            && let Phase::Held { settled, .. } = &mut watched.phase
        {
            *settled = true;
        }
    }

    /// What the reader is to do now; each order is given once.
    pub(super) fn orders(&self, now: Instant) -> Vec<Order> {
        if self.held() == 0 {
            return Vec::new();
        }
        let mut all = self.lock();
        let mut orders = Vec::new();
        for (&partition, watched) in all.iter_mut() {
            match &mut watched.phase {
                Phase::Held { told, .. } if !*told => {
                    *told = true;
                    orders.push(Order::Hold(partition));
                }
                Phase::Held { settled: true, from, probe_at, .. } if *probe_at <= now => {
                    *probe_at = now + self.settings.probe_every;
                    orders.push(Order::Probe(partition, from.position()));
                }
                Phase::Flowing | Phase::Probing { .. } | Phase::Held { .. } => {}
                &mut Phase::Mended { from, epoch } => {
                    orders.push(Order::Flow(partition, from.position(), epoch));
                    *watched = Watched { last: watched.last, ..Watched::default() };
                }
                Phase::Over => orders.push(Order::GiveUp(partition)),
            }
        }
        self.count(&all);
        orders
    }

    /// The reader lets a probe through under this epoch.
    pub(super) fn probing(&self, partition: Partition, epoch: Epoch) {
        if let Some(watched) = self.lock().get_mut(&partition)
            && let Phase::Held { since, .. } = watched.phase
        {
            watched.phase = Phase::Probing { since, epoch, read: false };
        }
    }

    /// A record of a partition was read; whether it is the probe, behind which nothing is read.
    pub(super) fn is_probe(&self, place: Place) -> bool {
        if self.held() == 0 {
            return false;
        }
        let mut all = self.lock();
        let Some(watched) = all.get_mut(&place.partition) else { return false };
        match &mut watched.phase {
            Phase::Probing { read, .. } if !*read => {
                *read = true;
                true
            }
            _ => false,
        }
    }

    /// The partition is somebody else's, or begins anew.
    pub(super) fn forget(&self, partition: Partition) {
        let mut all = self.lock();
        all.remove(&partition);
        self.count(&all);
    }

    fn count(&self, all: &BTreeMap<Partition, Watched>) {
        let held = all.values().filter(|watched| watched.phase != Phase::Flowing).count();
        self.held.store(held, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Partition, Watched>> {
        self.watched.lock().expect("no thread panics while it holds this")
    }
}

impl Watched {
    /// Counts one more record; whether that was one dead letter too many.
    fn trips(&mut self, bad: bool, settings: &BreakerSettings) -> bool {
        self.in_a_row = if bad { self.in_a_row.saturating_add(1) } else { 0 };
        self.recent.push_back(bad);
        self.bad += usize::from(bad);
        if self.recent.len() > WINDOW {
            self.bad -= usize::from(self.recent.pop_front().expect("it is longer than a window"));
        }
        let row = settings.in_a_row.is_some_and(|max| self.in_a_row >= max.get());
        let share = settings.percent.and_then(|max| usize::try_from(max.get()).ok());
        let full = self.recent.len() >= WINDOW;
        bad && (row || full && share.is_some_and(|max| self.bad * 100 >= WINDOW * max))
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::*;
    use crate::delivery::Positions;

    const P: Partition = Partition(1);
    const SECOND: Duration = Duration::from_secs(1);

    struct Bench {
        breaker: Breaker,
        epoch: Epoch,
        start: Instant,
    }

    fn bench(in_a_row: u32, percent: u32) -> Bench {
        let settings = BreakerSettings {
            in_a_row: NonZeroU32::new(in_a_row),
            percent: NonZeroU32::new(percent),
            probe_every: 60 * SECOND,
            give_up: 150 * SECOND,
        };
        let epoch = Positions::default().assign(P);
        Bench { breaker: Breaker::new(settings), epoch, start: Instant::now() }
    }

    impl Bench {
        fn place(&self, offset: i64) -> Place {
            Place { partition: P, offset: Offset(offset), epoch: self.epoch }
        }

        fn see(&self, offset: i64, bad: bool, at: Duration) -> bool {
            let end = if bad { Disposition::DeadLettered } else { Disposition::Published };
            self.breaker.observe(self.place(offset), end, self.start + at)
        }

        /// What the reader is told once the publisher has let go.
        fn orders(&self, at: Duration) -> Vec<Order> {
            self.breaker
                .unsettled()
                .into_iter()
                .for_each(|partition| self.breaker.settle(partition));
            self.breaker.orders(self.start + at)
        }
    }

    #[test]
    fn trips_after_so_many_in_a_row_and_a_good_record_in_between_counts() {
        let bench = bench(3, 0);
        let ends = [true, true, false, true, true, true];
        let trips: Vec<bool> =
            (0..).zip(ends).map(|(offset, bad)| bench.see(offset, bad, SECOND)).collect();
        assert_eq!(trips, [false, false, false, false, false, true]);
        assert!(bench.breaker.holds(P) && !bench.breaker.holds(Partition(2)));
        assert_eq!(bench.orders(SECOND), [Order::Hold(P)]);
        assert_eq!(bench.orders(SECOND), [], "told once");
    }

    #[test]
    fn trips_by_share_of_a_full_window_only() {
        let bench = bench(0, 50);
        let trip = (0..5_000).find(|&offset| bench.see(offset, offset % 2 == 1, SECOND));
        assert_eq!(trip, Some(999), "every second one is bad");
    }

    #[test]
    fn nothing_is_tried_while_the_publisher_may_still_find_records_to_give_back() {
        let bench = bench(1, 0);
        assert!(bench.see(7, true, Duration::ZERO));
        let now = bench.start + 99 * SECOND;
        assert_eq!(bench.breaker.orders(now), [Order::Hold(P)]);
        assert_eq!((bench.breaker.orders(now), bench.breaker.unsettled()), (vec![], vec![P]));
        bench.breaker.settle(P);
        assert_eq!(bench.breaker.orders(now), [Order::Probe(P, Offset(7).next())]);
    }

    #[test]
    fn what_is_sent_again_counts_once() {
        let bench = bench(3, 0);
        for _ in 0..5 {
            assert!(!bench.see(1, true, SECOND) && !bench.see(2, true, SECOND));
        }
        assert!(bench.see(3, true, SECOND));
    }

    #[test]
    fn a_bad_probe_holds_on_and_a_good_one_lets_flow_from_behind_it() {
        let bench = bench(1, 0);
        assert!(bench.see(7, true, Duration::ZERO));
        assert_eq!(bench.orders(SECOND), [Order::Hold(P)]);
        assert_eq!(bench.orders(59 * SECOND), []);
        assert_eq!(bench.orders(60 * SECOND), [Order::Probe(P, Offset(7).next())]);
        bench.breaker.probing(P, bench.epoch);
        assert!(bench.breaker.is_probe(bench.place(9)), "offsets have gaps");
        assert!(!bench.breaker.is_probe(bench.place(10)), "one record only");
        assert!(bench.see(9, true, 61 * SECOND), "the partition is closed again");
        assert_eq!(bench.orders(120 * SECOND), []);
        assert_eq!(bench.orders(121 * SECOND), [Order::Probe(P, Offset(9).next())]);
        bench.breaker.probing(P, bench.epoch);
        assert!(bench.breaker.is_probe(bench.place(10)));
        assert!(!bench.see(10, false, 122 * SECOND), "it stays open");
        assert!(bench.breaker.holds(P), "until the reader goes on");
        assert_eq!(bench.orders(122 * SECOND), [Order::Flow(P, Offset(10).next(), bench.epoch)]);
        assert_eq!((bench.breaker.held(), bench.orders(122 * SECOND)), (0, vec![]));
    }

    #[test]
    fn a_probe_that_fails_for_too_long_ends_the_worker() {
        let bench = bench(1, 0);
        assert!(bench.see(0, true, Duration::ZERO));
        for (offset, at) in (1..).zip([60 * SECOND, 120 * SECOND, 180 * SECOND]) {
            bench.orders(at);
            bench.orders(at);
            bench.breaker.probing(P, bench.epoch);
            bench.see(offset, true, at);
        }
        assert_eq!(bench.orders(180 * SECOND), [Order::GiveUp(P)]);
    }

    #[test]
    fn records_that_were_not_handed_over_after_all_are_read_again() {
        let bench = bench(3, 0);
        let trips = [5, 6, 7].map(|offset| bench.see(offset, true, SECOND));
        assert_eq!(trips, [false, false, true]);
        // A producer that was built anew sends 6 and 7 again, and the partition is closed by now.
        bench.breaker.abandoned(bench.place(6));
        bench.breaker.abandoned(bench.place(7));
        bench.orders(SECOND);
        assert_eq!(bench.orders(61 * SECOND), [Order::Probe(P, Offset(5).next())]);
        bench.breaker.forget(P);
        assert_eq!(bench.breaker.held(), 0);
    }
}
