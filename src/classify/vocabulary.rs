//! The n-grams that a model knows, as a table from hash to id.
//!
//! The file is the sorted hashes as little-endian `u32`; the id of the k-th (from 1) is k. Knowing an
//! n-gram is what keeps the many rare ones, which carry nothing, out of the model. It knows nothing of
//! texts, and refuses a list that is not sorted and distinct.

/// Most n-grams of a model.
pub const NGRAMS_MAX: usize = 4_000_000;

/// A look-up table of hashes.
#[derive(Debug)]
pub struct Vocabulary {
    /// Open addressing at `hash & mask`; an id of 0 is an empty slot.
    slots: Vec<(u32, i32)>,
    mask: u32,
    len: usize,
}

impl Vocabulary {
    /// The table of a sorted, distinct list of at most [`NGRAMS_MAX`].
    pub fn new(sorted: &[u32]) -> Result<Self, VocabularyError> {
        if sorted.len() > NGRAMS_MAX {
            return Err(VocabularyError::TooMany(sorted.len()));
        }
        if let Some(at) = sorted.windows(2).position(|pair| pair[0] >= pair[1]) {
            return Err(VocabularyError::Order(at + 1));
        }
        // A load of at most a half keeps the probes short.
        let size = (sorted.len() * 2).next_power_of_two();
        let mask = u32::try_from(size - 1).expect("the list's limit keeps the table small");
        let mut slots = vec![(0, 0); size];
        for (hash, id) in sorted.iter().copied().zip(1..) {
            let mut at = hash & mask;
            while slots[at as usize].1 != 0 {
                at = at.wrapping_add(1) & mask;
            }
            slots[at as usize] = (hash, id);
        }
        Ok(Self { slots, mask, len: sorted.len() })
    }

    /// The table of a file's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VocabularyError> {
        let (hashes, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(VocabularyError::Torn(bytes.len()));
        }
        let hashes: Vec<u32> = hashes.iter().map(|&hash| u32::from_le_bytes(hash)).collect();
        Self::new(&hashes)
    }

    /// The id of a hash, from 1; nothing when the model does not know it.
    pub fn id(&self, hash: u32) -> Option<i32> {
        let mut at = hash & self.mask;
        loop {
            let (known, id) = self.slots[at as usize];
            if id == 0 {
                return None;
            }
            if known == hash {
                return Some(id);
            }
            at = at.wrapping_add(1) & self.mask;
        }
    }

    /// How many n-grams the model knows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Why a list is no vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// The file is no list of four-byte numbers.
    #[error("{0} bytes are no list of four-byte numbers")]
    Torn(usize),
    /// Too long.
    #[error("{0} n-grams, where at most {NGRAMS_MAX} are allowed")]
    TooMany(usize),
    /// Not sorted, or a hash twice.
    #[error("hash number {0} is not larger than the one before it")]
    Order(usize),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_it_knows_and_nothing_else(
            known in prop::collection::btree_set(any::<u32>(), 0..300),
            asked in prop::collection::vec(any::<u32>(), 0..50),
        ) {
            let sorted: Vec<u32> = known.iter().copied().collect();
            let vocabulary = Vocabulary::new(&sorted).expect("a set is sorted and distinct");
            for hash in asked.into_iter().chain(sorted.clone()) {
                let place = sorted.binary_search(&hash).ok();
                let id = place.map(|k| i32::try_from(k + 1).expect("small"));
                prop_assert_eq!(vocabulary.id(hash), id);
            }
        }
    }

    #[test]
    fn refuses_what_is_no_sorted_list() {
        let refused = |bytes: &[u8]| Vocabulary::from_bytes(bytes).expect_err("no vocabulary");
        assert_eq!(refused(&[1, 0, 0]), VocabularyError::Torn(3));
        assert_eq!(refused(&[2, 0, 0, 0, 1, 0, 0, 0]), VocabularyError::Order(1));
        assert_eq!(refused(&[1, 0, 0, 0, 1, 0, 0, 0]), VocabularyError::Order(1));
    }
}
