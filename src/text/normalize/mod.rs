//! The folds, one a file.
//!
//! [`standard`] is one pass over the text with a table of what every character becomes (`table`, made
//! of `letters`, `marks` and NFKC) and one question about the surroundings (`traditional`); `spaces` then folds white space.
//!
//! [`skeleton`] works on the standard view, one step after the other, in the order in which `skeleton`
//! lists them. A literal of a rule takes the same path as a text.

mod clusters;
mod confusables;
mod diacritics;
mod hangul;
mod joined;
mod kana;
mod leet;
mod letters;
mod lookalikes;
mod mandarin;
mod marks;
mod numerals;
mod odd_gaps;
mod phonetic;
mod plain;
mod reading;
mod reversed;
mod separators;
mod signs;
mod skeleton;
mod spaces;
mod splits;
mod standard;
mod table;
mod thai;
mod traditional;
mod turned;
mod units;

#[cfg(test)]
mod disguise_tests;
#[cfg(test)]
mod tests;

pub use mandarin::SyllablePairs;
pub use phonetic::{SYLLABLES_MIN, SYLLABLES_MIN_NEAR, phonetic, phonetic_literals, syllables};
pub use skeleton::{Form, Skeleton, SkeletonLiteral, skeleton, skeleton_literal, skeletons};
pub use standard::{standard, standard_literal, standard_literal_among_kana};
