//! Scores against every threshold that applies, region by region.

use std::collections::BTreeMap;

use super::Explanation;
use crate::{
    decision::Action,
    post::Region,
    signal::{Category, ModelSignal, Score},
};

/// A score with the thresholds that it stands before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scored<'a> {
    pub(super) category: &'a Category,
    pub(super) score: Score,
    pub(super) thresholds: Vec<Threshold<'a>>,
}

/// A score that a row or bar asks for, where that is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Threshold<'a> {
    pub(super) row: &'a str,
    pub(super) asks: Action,
    pub(super) from: Score,
    pub(super) regions: Vec<Region>,
}

impl Threshold<'_> {
    /// How far the score is above (or below, then negative), in thousandths.
    pub(super) fn distance(&self, score: Score) -> i32 {
        i32::from(score.thousandths()) - i32::from(self.from.thousandths())
    }
}

impl Explanation {
    /// Every score, the highest first, with the thresholds of the audience.
    pub(super) fn scores(&self) -> Vec<Scored<'_>> {
        let ModelSignal::Scored { scores, .. } = &self.decision.signals.model else {
            return Vec::new();
        };
        let mut scores: Vec<Scored<'_>> = scores
            .iter()
            .map(|(category, score)| {
                let thresholds = self.thresholds(category);
                Scored { category, score: *score, thresholds }
            })
            .collect();
        scores.sort_by_key(|scored| std::cmp::Reverse(scored.score));
        scores
    }

    fn thresholds(&self, category: &Category) -> Vec<Threshold<'_>> {
        let mut found: BTreeMap<(Score, Action, &str), Vec<Region>> = BTreeMap::new();
        for policy in &self.policies {
            for weighed in policy.weighed.iter().filter(|weighed| weighed.category == *category) {
                if let Some(from) = weighed.threshold {
                    let key = (from, weighed.asks, weighed.row.as_str());
                    found.entry(key).or_default().extend(&policy.regions);
                }
            }
        }
        let threshold = |((from, asks, row), regions)| Threshold { row, asks, from, regions };
        found.into_iter().map(threshold).collect()
    }
}
