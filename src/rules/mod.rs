//! Rules: what their authors described, found in a post.
//!
//! Files become a [`Ruleset`] through [`compile`] alone, whole or not at all; a ruleset is immutable
//! and finds hits in one pass a view. A rule says what was seen, never what follows.

mod change;
mod compile;
mod corpus;
mod entry;
mod examples;
mod file;
mod list;
mod literals;
mod overlay;
mod patterns;
mod resolve;
mod ruleset;
#[cfg(test)]
mod scan_tests;
mod skip;
mod trace;
mod written;

pub use compile::{Which, compile};
pub use corpus::{Corpus, blast_radius};
pub use examples::{ExampleReport, check_examples};
pub use file::{Example, PackFile, RuleFile, parse_pack};
pub use list::ListFiles;
pub use overlay::{Layered, RuleTree, Weakened};
pub use ruleset::{Ruleset, ScanPart, Scanned};
pub use trace::{Expected, NEAR_HITS_MAX, NearHit, Refusal, Trace, Why};
pub use written::{check_regex, written_words};
