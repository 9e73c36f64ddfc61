//! One piece of evidence, whoever produced it.

use crate::{
    condition::Seen,
    decision::Action,
    signal::{AtMost, Category, RuleFacts, RuleHit, Score},
};

/// What a cell or row may act on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Evidence<'a> {
    /// An enforced rule hit that nothing cancelled.
    Hit(&'a RuleHit),
    /// The strongest hit that a rule could give, to see how far it reaches.
    AnyHitOf(&'a RuleFacts),
    /// A score of the classifier.
    Score(&'a Category, Score),
    /// The model gave no answer about a category.
    ModelUnavailable(&'a Category),
    /// The scan met a limit; the category is [`truncated`].
    Truncated(&'a Category),
}

impl<'a> Evidence<'a> {
    pub(super) fn category(&self) -> &'a Category {
        match self {
            Self::Hit(hit) => &hit.rule.category,
            Self::AnyHitOf(rule) => &rule.category,
            Self::Score(category, _)
            | Self::ModelUnavailable(category)
            | Self::Truncated(category) => category,
        }
    }

    /// The rule that gave it.
    pub(super) fn rule(&self) -> Option<&'a RuleFacts> {
        match self {
            Self::Hit(hit) => Some(&hit.rule),
            Self::AnyHitOf(rule) => Some(rule),
            Self::Score(..) | Self::ModelUnavailable(_) | Self::Truncated(_) => None,
        }
    }

    /// The score that it is.
    pub(super) fn score(&self) -> Option<Score> {
        match self {
            Self::Score(_, score) => Some(*score),
            _ => None,
        }
    }

    /// Weak evidence asks at most for review, unless a cell or row says otherwise.
    pub(super) fn is_weak(&self) -> bool {
        matches!(self, Self::Hit(hit) if hit.is_weak())
    }

    /// The most it may lead to where an emergency override holds; an override knows no regions and
    /// no scopes.
    pub(super) fn at_most(&self) -> Action {
        match self {
            Self::Hit(hit) => match hit.at_most {
                Some(AtMost::Allow) => Action::Allow,
                Some(AtMost::Review) => Action::Review,
                None => Action::Block,
            },
            _ => Action::Block,
        }
    }

    /// The evidence as conditions ask about it.
    pub(super) fn seen(&self) -> Seen {
        match self {
            Self::Hit(hit) => Seen { field: Some(hit.field), obfuscated: hit.obfuscated },
            _ => Seen::default(),
        }
    }

    /// How urgent a look at it is, 0 to 100, where a row does not say: a serious hit before a sure
    /// score, a sure score before a mild hit.
    pub(super) fn urgency(&self) -> u8 {
        match (self.rule(), self.score()) {
            (Some(rule), _) => rule.severity.level() * 20,
            (None, Some(score)) => u8::try_from(score.thousandths() / 20).unwrap_or(50),
            (None, None) => 20,
        }
    }
}

/// The category of reasons that a truncated scan gives: no harm was seen, so none is named.
pub(super) fn truncated() -> Category {
    Category::new("truncated")
}
