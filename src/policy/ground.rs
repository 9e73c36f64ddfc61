//! What a claim stands on, whether a row was written or made from a cell.

use std::{collections::BTreeSet, sync::Arc};

use crate::decision::{Action, Effect, LegalBasis, RowId, Scope, Tier};

/// The part of a row that goes into a verdict when the row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The row's id, written or made.
    pub id: RowId,
    /// What it asks for.
    pub action: Action,
    /// On what ground.
    pub tier: Tier,
    /// On what law.
    pub legal: Option<Arc<LegalBasis>>,
    /// How far.
    pub scope: Scope,
    /// Measures beside the action.
    pub effects: BTreeSet<Effect>,
    /// Weak evidence may block.
    pub weak_blocks: bool,
    /// What it asks of people.
    pub review: ReviewTerms,
}

impl Ground {
    /// The ground of a cell, of an unavailable model or of a truncated scan.
    pub(super) fn made(id: &str, action: Action) -> Self {
        Self {
            id: RowId::new(id),
            action,
            tier: Tier::Terms,
            legal: None,
            scope: Scope::Regional,
            effects: BTreeSet::new(),
            weak_blocks: false,
            review: ReviewTerms::default(),
        }
    }
}

/// What a row asks of people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReviewTerms {
    /// A review hides the post until a person has looked.
    pub hold: bool,
    /// The look after a block.
    pub after: Option<After>,
    /// Where jobs go; without it the category's own queue.
    pub queue: Option<Arc<str>>,
    /// More is sooner, 0 to 100; without it the evidence decides.
    pub priority: Option<u8>,
}

/// Which blocks a person looks at afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Every one.
    Always,
    /// A share of them, in ten-thousandths.
    Share(u16),
    /// Those that the author appeals.
    Appeal,
}
