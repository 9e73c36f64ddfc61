//! How far each partition is finished.

use std::collections::BTreeMap;

use super::{Epoch, Partition, Position};

/// The partitions held now and how far each is finished.
///
/// A partition is *open* from its assignment until it is closed (its records may be handed to the
/// producer), then *closing* (what was handed over still counts), then gone (nothing counts).
#[derive(Debug, Default)]
pub struct Positions {
    epochs_given: u64,
    held: BTreeMap<Partition, Held>,
}

#[derive(Debug)]
struct Held {
    epoch: Epoch,
    open: bool,
    reached: Option<Position>,
    taken: Option<Position>,
}

impl Positions {
    /// Holds `partition` under a new epoch.
    pub fn assign(&mut self, partition: Partition) -> Epoch {
        self.epochs_given += 1;
        let epoch = Epoch::new(self.epochs_given);
        self.held.insert(partition, Held { epoch, open: true, reached: None, taken: None });
        epoch
    }

    /// From now on no record of `partition` may be handed over under its present epoch.
    pub fn close(&mut self, partition: Partition) {
        if let Some(held) = self.held.get_mut(&partition) {
            held.open = false;
        }
    }

    /// Forgets `partition`: whatever is reported about it later is ignored.
    pub fn revoke(&mut self, partition: Partition) {
        self.held.remove(&partition);
    }

    /// Whether a record read under `epoch` may be handed to the producer.
    pub fn is_open(&self, partition: Partition, epoch: Epoch) -> bool {
        self.held.get(&partition).is_some_and(|held| held.open && held.epoch == epoch)
    }

    /// Whether `partition` is held under `epoch`, open or closing.
    pub fn is_held(&self, partition: Partition, epoch: Epoch) -> bool {
        self.held.get(&partition).is_some_and(|held| held.epoch == epoch)
    }

    /// Every record of `partition` before `position` is finished. Ignored under another epoch; a
    /// position never falls.
    pub fn reach(&mut self, partition: Partition, epoch: Epoch, position: Position) {
        if let Some(held) = self.held.get_mut(&partition)
            && held.epoch == epoch
        {
            held.reached = held.reached.max(Some(position));
        }
    }

    /// The positions that rose since they were last taken.
    pub fn take(&mut self) -> Vec<(Partition, Position)> {
        let mut risen = Vec::new();
        for (&partition, held) in &mut self.held {
            if let Some(position) = held.reached
                && held.taken != held.reached
            {
                held.taken = held.reached;
                risen.push((partition, position));
            }
        }
        risen
    }

    /// The partitions held, open or closing.
    pub fn partitions(&self) -> Vec<Partition> {
        self.held.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;
    use crate::delivery::{Offset, Partition};

    const P: Partition = Partition(3);

    #[test]
    fn only_the_current_epoch_moves_a_position() {
        let mut positions = Positions::default();
        let old = positions.assign(P);
        positions.revoke(P);
        assert!(!positions.is_held(P, old));
        positions.reach(P, old, Offset(9).next());
        let new = positions.assign(P);
        positions.reach(P, old, Offset(9).next());
        assert_eq!(positions.take(), []);
        positions.reach(P, new, Offset(4).next());
        assert_eq!(positions.take(), [(P, Offset(4).next())]);
        assert_eq!(positions.take(), [], "taken once");
    }

    #[test]
    fn closing_stops_handing_over_but_still_counts_what_was() {
        let mut positions = Positions::default();
        let epoch = positions.assign(P);
        positions.close(P);
        assert!(!positions.is_open(P, epoch) && positions.is_held(P, epoch));
        positions.reach(P, epoch, Offset(0).next());
        assert_eq!(positions.take(), [(P, Offset(0).next())]);
    }

    #[test]
    fn a_position_never_falls() {
        let mut positions = Positions::default();
        let epoch = positions.assign(P);
        positions.reach(P, epoch, Offset(7).next());
        positions.reach(P, epoch, Offset(5).next());
        assert_eq!(positions.take(), [(P, Offset(7).next())]);
    }
}
