//! What follows from evidence, region by region.
//!
//! Files say it: cells (how strong the evidence of a category must be), rows (what one law or term
//! asks for), inherited from `default` over groups to the region. They are compiled into one small
//! table for every *different* policy; a decision evaluates the tables that its audience needs and
//! joins regions with equal verdicts.
//!
//! Nothing here knows how evidence is found, or the clock: the time is an argument. A set of files
//! with any mistake gives no policy; evaluation cannot fail.

mod cap;
mod case;
mod cell;
mod checks;
mod codes;
mod context;
mod evaluate;
mod evidence;
mod fallback;
mod file;
mod ground;
mod inherit;
mod reach;
mod read_row;
mod row;
mod row_checks;
mod row_terms;
mod set;
mod table;
mod trace;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    condition::{Declared, MissingKeys, regions as region},
    decision::RegionVerdict,
    post::{Post, Region},
    signal::{Category, Language, RuleFacts, RuleId, Signals},
    taxonomy::Taxonomy,
};

pub use case::{Expectation, PolicyTest};
pub use codes::CODES;
pub use ground::{After, Ground, ReviewTerms};
pub use reach::Reach;
pub use row::{Exception, Row, Selectors, Statement};
pub use set::PolicySet;
pub use trace::{Fate, Missed, PolicyTrace, Seen, Softener, Weighed};

/// What names in policy files may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The categories.
    pub taxonomy: &'a Taxonomy,
    /// Every rule of every pack, of any status.
    pub rules: &'a [Arc<RuleFacts>],
    /// Rules that exist but were left out by the operator's choice: rows may name them in vain.
    pub left_out: &'a BTreeSet<RuleId>,
    /// What the model's report has evidence for; without it scores are not checked against it.
    pub model: Option<&'a ModelEvidence>,
    /// The platform's own keys of posts, for conditions.
    pub extra: &'a Declared,
}

/// The categories and umbrellas, and for each the languages, in which a model was measured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelEvidence(pub BTreeMap<Category, BTreeSet<Language>>);

/// What a policy looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The evidence.
    pub signals: &'a Signals,
    /// The post, for what rows ask of it.
    pub post: &'a Post,
    /// The time it is judged at; without one every row is in effect, as in tests without `at`.
    pub as_of: Option<Timestamp>,
}

/// The verdicts of an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Sorted by their first region; every region of the audience is in exactly one.
    pub verdicts: Vec<RegionVerdict>,
    /// Regions that no file names, sorted; the root decided for them.
    pub unnamed: Vec<Region>,
    /// What conditions asked for and the post does not give.
    pub missing: MissingKeys,
}

#[cfg(test)]
mod tests;
