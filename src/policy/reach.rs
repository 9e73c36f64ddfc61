//! How far a rule reaches: what its hit would lead to in every region that a file names.

use std::fmt;

use super::{
    evaluate::{Circumstances, Limits, claim},
    evidence::Evidence,
    table::Table,
};
use crate::{decision::Action, post::Region, signal::RuleFacts};

/// In how many regions a rule's hit leads to what, surfaces and dates left aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// Regions in which it blocks.
    pub blocks: usize,
    /// Regions in which a person looks.
    pub reviews: usize,
    /// Regions in which it has effects beside an allow.
    pub restrains: usize,
    /// Regions in which nothing follows.
    pub nothing: usize,
}

impl Reach {
    /// The reach of `rule` over the regions of `tables`.
    pub(super) fn of(rule: &RuleFacts, tables: &[(Region, &Table)], limits: &Limits) -> Self {
        let mut reach = Self::default();
        for (_, table) in tables {
            let counter = match strictest(rule, table, limits) {
                None => &mut reach.nothing,
                Some(Action::Allow) => &mut reach.restrains,
                Some(Action::Review) => &mut reach.reviews,
                Some(Action::Block) => &mut reach.blocks,
            };
            *counter += 1;
        }
        reach
    }

    /// Whether nothing follows anywhere.
    pub fn is_nothing(&self) -> bool {
        self.blocks + self.reviews + self.restrains == 0
    }
}

/// The strictest action that any hit of `rule` leads to; nothing where none follows.
pub(super) fn strictest(rule: &RuleFacts, table: &Table, limits: &Limits) -> Option<Action> {
    let mut claims = Vec::new();
    claim(table, limits, Evidence::AnyHitOf(rule), Circumstances::default(), &mut claims);
    claims.iter().map(|claim| claim.action).max()
}

/// `blocks in 3 regions, reviews in 21, nothing in 2`.
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("blocks", self.blocks),
            ("reviews", self.reviews),
            ("restrains", self.restrains),
            ("nothing", self.nothing),
        ];
        let counted = parts.into_iter().filter(|(_, count)| *count > 0).enumerate();
        for (at, (what, count)) in counted {
            let comma = if at == 0 { "" } else { ", " };
            let noun = match (at, count) {
                (0, 1) => " region",
                (0, _) => " regions",
                _ => "",
            };
            write!(f, "{comma}{what} in {count}{noun}")?;
        }
        Ok(())
    }
}
