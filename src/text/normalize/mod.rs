//! The folds, one a file.
//!
//! [`standard`] is one pass over the text with a table of what every character becomes (`table`, made
//! of `letters`, `marks` and NFKC) and one question about the surroundings (`traditional`); `spaces` then folds white space.
//!
//! [`skeleton`] works on the standard view, one step after the other, in the order in which `skeleton`
//! lists them. A literal of a rule takes the same path as a text.

mod confusables;
mod diacritics;
mod kana;
mod leet;
mod letters;
mod marks;
mod numerals;
mod plain;
mod separators;
mod skeleton;
mod spaces;
mod standard;
mod table;
mod traditional;
mod units;

#[cfg(test)]
mod tests;

pub use skeleton::{Skeleton, SkeletonLiteral, skeleton, skeleton_literal};
pub use standard::{standard, standard_literal, standard_literal_among_kana};
