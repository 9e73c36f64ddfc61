//! Rows: what follows, at one place, from evidence that satisfies all of a row's selectors.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{evidence::Evidence, ground::Ground};
use crate::{
    condition::Condition,
    post::Surface,
    signal::{Category, Language, RuleId, Score, Severity},
};

/// A row of a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What follows.
    pub ground: Ground,
    /// From which evidence.
    pub selectors: Selectors,
    /// On which posts; empty: on all.
    pub surfaces: Vec<Surface>,
    /// On posts for which this holds; nothing: on all.
    pub when: Option<Condition>,
    /// Acts from this time on.
    pub from: Option<Timestamp>,
    /// Acts up to this time.
    pub until: Option<Timestamp>,
    /// Evidence that satisfies this row is nothing to its category's cell.
    pub replaces_category: bool,
    /// Contexts in which the law makes an exception; a person decides whether one applies.
    pub exceptions: Vec<Exception>,
    /// What a statement of reasons says beside the row.
    pub statement: Option<Statement>,
    /// What the author is told, by language.
    pub tell_author: BTreeMap<Language, String>,
}

/// What one piece of evidence must satisfy, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selectors {
    /// It is of this category or below.
    pub category: Option<Category>,
    /// One of these rules gave it; empty: any.
    pub rules: Vec<RuleId>,
    /// A rule hit of this severity or above; nothing: no rule hit.
    pub severity: Option<Severity>,
    /// A score at or above; nothing: no score.
    pub score: Option<Score>,
}

/// A context in which a law lets stand what it forbids elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// Works of art, satire among them.
    Art,
    /// Science and research.
    Science,
    /// Teaching.
    Education,
    /// Reports on current events.
    Reporting,
    /// Teaching and reports on history.
    History,
    /// Speech against what is shown.
    CounterSpeech,
}

impl Exception {
    /// Every exception.
    pub const ALL: [Self; 6] = [
        Self::Art,
        Self::Science,
        Self::Education,
        Self::Reporting,
        Self::History,
        Self::CounterSpeech,
    ];

    /// The name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Art => "art",
            Self::Science => "science",
            Self::Education => "education",
            Self::Reporting => "reporting",
            Self::History => "history",
            Self::CounterSpeech => "counter_speech",
        }
    }
}

/// What a row says to a statement of reasons, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// Category of the Transparency Database.
    pub category: Option<String>,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// Why, in words for the author.
    pub explanation: Option<String>,
    /// Why there is no statement.
    pub none: Option<String>,
}

impl Row {
    /// Whether `evidence` satisfies every selector.
    pub(super) fn selects(&self, evidence: &Evidence<'_>) -> bool {
        let selectors = &self.selectors;
        let category = selectors.category.as_ref();
        if category.is_some_and(|category| !evidence.category().is_within(category)) {
            return false;
        }
        let by_rule = evidence.rule().is_some_and(|rule| {
            let named = selectors.rules.is_empty() || selectors.rules.contains(&rule.id);
            named && selectors.severity.is_some_and(|least| rule.severity >= least)
        });
        let by_score = selectors.score.zip(evidence.score());
        by_rule || by_score.is_some_and(|(least, score)| score >= least)
    }

    /// Whether it acts on posts of this surface at this time. What is not given holds.
    pub(super) fn applies(&self, surface: Option<Surface>, as_of: Option<Timestamp>) -> bool {
        let on = surface.is_none_or(|s| self.surfaces.is_empty() || self.surfaces.contains(&s));
        let begun = |at| self.from.is_none_or(|from| from <= at);
        let going_on = |at| self.until.is_none_or(|until| at < until);
        on && as_of.is_none_or(|at| begun(at) && going_on(at))
    }
}
