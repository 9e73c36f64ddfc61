//! Rules: what their authors described, found in a post.
//!
//! Files become a [`Ruleset`] through [`compile`] alone, whole or not at all; a ruleset is immutable
//! and finds hits in one pass a view. A rule says what was seen, never what follows.

mod blast;
mod change;
mod combination;
mod combine;
#[cfg(test)]
mod combine_tests;
mod compile;
mod corpus;
mod domain;
mod entry;
mod examples;
mod expectation;
mod expiry;
mod file;
mod given;
mod list;
mod list_line;
mod literals;
mod near;
mod overlay;
mod patterns;
#[cfg(test)]
mod post_tests;
mod resolve;
mod rule_hash;
mod ruleset;
#[cfg(test)]
mod scan_tests;
mod shrink;
mod trace;
mod variants;
mod written;

pub use compile::{Vocabulary, Which, compile};
pub use corpus::{Corpus, blast_radius};
pub use examples::{ExampleReport, check_examples};
pub use expectation::{LanguageTag, Mismatch};
pub use file::{Example, PackFile, RuleFile, parse_pack};
pub use list::ListFiles;
pub use overlay::{Layered, RuleTree, Weakened};
pub use ruleset::{Ruleset, ScanPart, Scanned};
pub use trace::{Expected, Lack, NEAR_HITS_MAX, NearHit, Refusal, Trace, Why};
pub use written::{check_regex, written_words};
