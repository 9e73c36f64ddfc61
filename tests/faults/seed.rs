//! Randomness that a person can repeat: one seed gives one run.

/// A stream of numbers (`SplitMix64`: Steele, Lea and Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
pub(crate) struct Seed(u64);

impl Seed {
    /// The stream of a number; `part` keeps the streams of different faults apart.
    pub(crate) fn new(seed: u64, part: u64) -> Self {
        Self(seed ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to below `high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        let span = u64::try_from(high - low).expect("a number of records");
        low + usize::try_from(self.next() % span).expect("below a number of records")
    }
}
