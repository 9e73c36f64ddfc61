//! Puts work that was done in parallel back into the order it was given out in.

use std::collections::BTreeMap;

/// Holds back what came too early. Its size is bounded by the work that was given out.
#[derive(Debug)]
pub struct Sequencer<T> {
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<T> Default for Sequencer<T> {
    fn default() -> Self {
        Self { next: 0, early: BTreeMap::new() }
    }
}

impl<T> Sequencer<T> {
    /// Takes the piece of work with this number, counted from 0 without gaps.
    pub fn insert(&mut self, number: u64, done: T) {
        debug_assert!(number >= self.next, "a piece of work is done once");
        self.early.insert(number, done);
    }

    /// The next piece in order, once it is there.
    pub fn pop(&mut self) -> Option<T> {
        let done = self.early.remove(&self.next)?;
        self.next += 1;
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::Sequencer;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_of_arrival_leaves_in_order(order in Just((0..50_u64).collect::<Vec<_>>()).prop_shuffle()) {
            let mut sequencer = Sequencer::default();
            let mut left = Vec::new();
            for number in order {
                sequencer.insert(number, number);
                left.extend(std::iter::from_fn(|| sequencer.pop()));
            }
            prop_assert_eq!(left, (0..50).collect::<Vec<_>>());
        }
    }
}
