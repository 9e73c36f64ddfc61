//! What decisions add to the metrics, summed up: series are looked up once a chunk, not once a post.

use std::collections::{BTreeMap, BTreeSet};

use super::{Instruments, ModelStatus, OpinionResult, TrialResult, models::Differences};
use crate::{
    decision::{Action, Decision},
    post::Region,
    signal::{ModelSignal, RuleId, Status},
};

/// What the decisions of one chunk add to the metrics.
#[derive(Debug, Default)]
pub struct Counts {
    verdicts: BTreeMap<(Region, Action), u64>,
    hits: BTreeMap<(RuleId, Status), u64>,
    weakened: BTreeMap<RuleId, u64>,
    missing: BTreeMap<&'static str, u64>,
    unnamed: u64,
    model: Option<ModelStatus>,
    opinions: BTreeMap<(String, OpinionResult), u64>,
    shadow: BTreeMap<(String, TrialResult), u64>,
    differences: Differences,
}

impl Counts {
    /// Adds one decision.
    pub fn add(&mut self, decision: &Decision) {
        for of in &decision.verdicts {
            for &region in &of.regions {
                *self.verdicts.entry((region, of.verdict.outcome.action())).or_default() += 1;
            }
        }
        for hit in decision.signals.hits.iter().filter(|hit| hit.cancelled_by.is_none()) {
            *self.hits.entry((hit.rule.id.clone(), hit.rule.status)).or_default() += 1;
        }
        let weakened = decision.signals.hits.iter().filter(|hit| hit.at_most.is_some());
        let rules: BTreeSet<&RuleId> = weakened.map(|hit| &hit.rule.id).collect();
        for rule in rules {
            *self.weakened.entry(rule.clone()).or_default() += 1;
        }
        for key in decision.missing_keys.names() {
            *self.missing.entry(key).or_default() += 1;
        }
        for opinion in decision.signals.model.opinions() {
            let key = (opinion.model.name.clone(), OpinionResult::from(&opinion.answer));
            *self.opinions.entry(key).or_default() += 1;
        }
        if let Some(shadow) = &decision.shadow {
            let key = (shadow.model.name.clone(), TrialResult::from(shadow));
            *self.shadow.entry(key).or_default() += 1;
            self.differences.add(decision);
        }
        self.unnamed += u64::try_from(decision.unnamed_regions.len()).unwrap_or(u64::MAX);
        self.model = Some(match decision.signals.model {
            ModelSignal::Scored { .. } => ModelStatus::Scoring,
            ModelSignal::Unavailable(_) => ModelStatus::Unavailable,
            ModelSignal::NotRouted => ModelStatus::NotRouted,
        });
    }

    /// Hands the sums over.
    pub fn report(self, instruments: &Instruments) {
        for ((region, action), count) in self.verdicts {
            instruments.decisions(region.as_str(), action).inc_by(count);
        }
        for ((rule, status), count) in self.hits {
            instruments.rule_hits(rule.as_str(), status).inc_by(count);
        }
        for (rule, count) in self.weakened {
            instruments.emergency_uses(rule.as_str()).inc_by(count);
        }
        for (key, count) in self.missing {
            instruments.condition_missing(key).inc_by(count);
        }
        for ((model, result), count) in self.opinions {
            instruments.second_opinions(&model, result).inc_by(count);
        }
        for ((model, result), count) in self.shadow {
            instruments.shadow_posts(&model, result).inc_by(count);
        }
        self.differences.log();
        instruments.unnamed_regions().inc_by(self.unnamed);
        if let Some(status) = self.model {
            instruments.set_model_status(status);
        }
    }
}
