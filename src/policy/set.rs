//! All policies together: compiled from files, asked by the engine.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{
    Facts, Known, PolicyTrace, Reach, Row, Ruling,
    case::PolicyTest,
    checks,
    evaluate::{Circumstances, Judgement, Limits, judge},
    file::PolicyFile,
    inherit::Family,
    table::{Shadow, Table},
    trace::weigh,
};
use crate::{
    condition::{self, MissingKeys},
    decision::{Action, Outcome, RegionVerdict, Verdict},
    diagnostic::{Diagnostics, SourceFile},
    post::Region,
    signal::{ModelSignal, RuleFacts, RuleHit, Score, Signals},
    taxonomy::Taxonomy,
};

/// The policies of all regions.
#[derive(Debug, Clone)]
pub struct PolicySet {
    /// Every different policy once; the first is the root's.
    policies: Vec<Policy>,
    /// The policy of every region and group that a file names.
    of_region: BTreeMap<Region, usize>,
    /// The countries of every group.
    groups: BTreeMap<Region, Vec<Region>>,
    limits: Limits,
    /// No score below does anything anywhere.
    lowest_score: Option<Score>,
    tests: Vec<PolicyTest>,
}

/// What holds in some regions, and what would hold if shadow rows and cells were enforced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Policy {
    real: Table,
    trial: Option<Table>,
}

impl PolicySet {
    /// Compiles files in the order of their layers; nothing, and diagnostics, when any is wrong.
    ///
    /// A file of a later directory for the same region or group is a layer over the earlier one: its
    /// keys and row ids replace.
    pub fn compile(
        files: &[Arc<SourceFile>],
        known: &Known<'_>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let mut found = Diagnostics::default();
        let files: Vec<PolicyFile> =
            files.iter().filter_map(|file| PolicyFile::read(file, known, &mut found)).collect();
        let family = Family::new(&files, &mut found);
        checks::inheritance(&family, known, &mut found);
        checks::expectations(&files, &mut found);
        let mut set = Self::empty(limits(known.taxonomy));
        for region in
            std::iter::once(Region::DEFAULT).chain(family.places().map(|(place, _)| place))
        {
            set.add(region, &family.chain(region));
        }
        set.groups = family.groups();
        set.tests = files.iter().flat_map(|file| &file.tests).cloned().collect();
        for test in &mut set.tests {
            expand_expectations(test, &set.groups);
        }
        checks::idle(&files, &set.named(), &set.limits, known, &mut found);
        let refused = found.has_errors();
        for diagnostic in found.sorted() {
            out.push(diagnostic.clone());
        }
        (!refused).then_some(set)
    }

    /// The regions of an audience: groups become their members; sorted, each once.
    pub fn expand(&self, audience: &[Region]) -> Vec<Region> {
        let members = |region| self.groups.get(region).map_or(std::slice::from_ref(region), |m| m);
        let mut regions: Vec<Region> = audience.iter().flat_map(members).copied().collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }

    /// The verdicts of `regions`, which [`expand`](Self::expand) made; in any order.
    pub fn decide(&self, facts: &Facts<'_>, regions: &[Region]) -> Ruling {
        let regions = sorted(regions);
        let named = |region: &&Region| !self.of_region.contains_key(*region);
        let unnamed = regions.iter().filter(named).copied().collect();
        if self.is_quiet(facts.signals) {
            let missing = MissingKeys::default();
            return Ruling { verdicts: allow(regions.into_owned()), unnamed, missing };
        }
        let of_post = facts.of_post();
        let circumstances = Circumstances::of(facts, &of_post);
        let by_policy = self.by_policy(&regions);
        let mut verdicts: Vec<RegionVerdict> = Vec::with_capacity(by_policy.len());
        for (policy, regions) in by_policy {
            let verdict = self.verdict(&self.policies[policy], facts, circumstances);
            match verdicts.iter_mut().find(|other| other.verdict == verdict) {
                Some(equal) => equal.regions.extend(regions),
                None => verdicts.push(RegionVerdict { regions, verdict }),
            }
        }
        for verdict in &mut verdicts {
            verdict.regions.sort_unstable();
        }
        verdicts.sort_unstable_by_key(|verdict| verdict.regions[0]);
        Ruling { verdicts, unnamed, missing: of_post.missing.get() }
    }

    /// How the policies of `regions` weigh the evidence, sorted by their first region.
    pub fn trace(&self, facts: &Facts<'_>, regions: &[Region]) -> Vec<PolicyTrace> {
        let mut traces: Vec<PolicyTrace> = Vec::new();
        let of_post = facts.of_post();
        let circumstances = Circumstances::of(facts, &of_post);
        for (policy, regions) in self.by_policy(&sorted(regions)) {
            let policy = &self.policies[policy];
            let verdict = self.verdict(policy, facts, circumstances);
            let weighed = weigh(&policy.real, &self.limits, facts, circumstances);
            match traces.iter_mut().find(|t| t.verdict == verdict && t.weighed == weighed) {
                Some(equal) => equal.regions.extend(regions),
                None => traces.push(PolicyTrace { regions, verdict, weighed }),
            }
        }
        for trace in &mut traces {
            trace.regions.sort_unstable();
        }
        traces.sort_unstable_by_key(|trace| trace.regions[0]);
        traces
    }

    /// Whether two bodies of evidence about one post lead to different deeds in some region: another
    /// action, another hold, other effects. Reasons, and what shadow rows would do, do not count.
    pub fn differ(&self, one: &Facts<'_>, other: &Facts<'_>, regions: &[Region]) -> bool {
        if self.is_quiet(one.signals) && self.is_quiet(other.signals) {
            return false;
        }
        let policies = self.by_policy(&sorted(regions));
        policies.keys().any(|&at| {
            let deeds = |facts: &Facts<'_>| {
                let of_post = facts.of_post();
                let circumstances = Circumstances::of(facts, &of_post);
                let table = &self.policies[at].real;
                let Judgement { outcome, effects, .. } =
                    judge(table, &self.limits, facts.signals, facts.post, circumstances);
                (outcome.action(), outcome.hold(), effects)
            };
            deeds(one) != deeds(other)
        })
    }

    /// The tests that stand in the files, in their order.
    pub fn tests(&self) -> &[PolicyTest] {
        &self.tests
    }

    /// What a hit of `rule` leads to in the regions that files name, the root among them.
    pub fn reach(&self, rule: &RuleFacts) -> Reach {
        Reach::of(rule, &self.named(), &self.limits)
    }

    /// The same region by region; no action where nothing follows.
    pub fn reach_by_region(&self, rule: &RuleFacts) -> Vec<(Region, Option<Action>)> {
        let named = self.named();
        let action = |table: &Table| super::reach::strictest(rule, table, &self.limits);
        named.into_iter().map(|(region, table)| (region, action(table))).collect()
    }

    /// The rows in effect in one region, sorted by id; those of the root where no file names it.
    pub fn rows(&self, region: Region) -> &[Arc<Row>] {
        &self.policies[self.of_region.get(&region).copied().unwrap_or_default()].real.rows
    }

    /// Every region that a file names, groups left out, sorted.
    pub fn regions(&self) -> impl Iterator<Item = Region> {
        self.of_region.keys().copied().filter(|region| !self.groups.contains_key(region))
    }

    fn empty(limits: Limits) -> Self {
        Self {
            policies: Vec::new(),
            of_region: BTreeMap::new(),
            groups: BTreeMap::new(),
            limits,
            lowest_score: None,
            tests: Vec::new(),
        }
    }

    /// Adds the policy of a region; equal ones are kept once.
    fn add(&mut self, region: Region, chain: &[&PolicyFile]) {
        let real = Table::inherit(chain, Shadow::Ignored);
        let trial = Some(Table::inherit(chain, Shadow::Tried)).filter(|trial| *trial != real);
        let scores = [Some(&real), trial.as_ref()].into_iter().flatten();
        let lowest = scores.filter_map(|table| table.lowest_score).chain(self.lowest_score).min();
        self.lowest_score = lowest;
        let policy = Policy { real, trial };
        let at = self.policies.iter().position(|other| *other == policy).unwrap_or_else(|| {
            self.policies.push(policy);
            self.policies.len() - 1
        });
        self.of_region.insert(region, at);
    }

    /// The table of every named region; a group speaks through its members.
    fn named(&self) -> Vec<(Region, &Table)> {
        self.regions()
            .map(|region| (region, &self.policies[self.of_region[&region]].real))
            .collect()
    }

    /// The regions of every policy that is asked for, by its place.
    fn by_policy(&self, regions: &[Region]) -> BTreeMap<usize, Vec<Region>> {
        let mut by_policy: BTreeMap<usize, Vec<Region>> = BTreeMap::new();
        for region in regions {
            let policy = self.of_region.get(region).copied().unwrap_or_default();
            by_policy.entry(policy).or_default().push(*region);
        }
        by_policy
    }

    /// Whether no table anywhere can act on this evidence.
    fn is_quiet(&self, signals: &Signals) -> bool {
        let scores_are_low = match &signals.model {
            ModelSignal::Scored { scores, .. } => self
                .lowest_score
                .is_none_or(|lowest| scores.iter().all(|(_, score)| *score < lowest)),
            ModelSignal::Unavailable(_) => false,
            ModelSignal::NotRouted => true,
        };
        scores_are_low && !signals.truncated && !signals.hits.iter().any(RuleHit::is_evidence)
    }

    fn verdict(
        &self,
        policy: &Policy,
        facts: &Facts<'_>,
        circumstances: Circumstances<'_>,
    ) -> Verdict {
        let judge = |table| judge(table, &self.limits, facts.signals, facts.post, circumstances);
        let real = judge(&policy.real);
        let would = policy.trial.as_ref().map(|trial| judge(trial).outcome);
        let would = would.filter(|would| *would != real.outcome);
        Verdict { outcome: real.outcome, effects: real.effects, would, reviews: real.reviews }
    }
}

impl<'a> Facts<'a> {
    /// What conditions ask about.
    fn of_post(&self) -> condition::Circumstances<'a> {
        condition::Circumstances::new(self.post, self.as_of, self.signals.main_language())
    }
}

fn sorted(regions: &[Region]) -> Cow<'_, [Region]> {
    if regions.is_sorted_by(|a, b| a < b) {
        return Cow::Borrowed(regions);
    }
    let mut regions = regions.to_vec();
    regions.sort_unstable();
    regions.dedup();
    Cow::Owned(regions)
}

/// A plain allow for all regions together.
fn allow(regions: Vec<Region>) -> Vec<RegionVerdict> {
    if regions.is_empty() {
        return Vec::new();
    }
    let outcome = Outcome::Allow(None);
    let (effects, would, reviews) = (std::collections::BTreeSet::new(), None, Vec::new());
    vec![RegionVerdict { regions, verdict: Verdict { outcome, effects, would, reviews } }]
}

fn limits(taxonomy: &Taxonomy) -> Limits {
    let of = |category: &crate::signal::Category| category.clone();
    let mut limits = Limits::default();
    for (path, item) in taxonomy.iter() {
        if item.mandatory {
            limits.mandatory.push(of(path));
        }
        if item.max_action < Action::Block {
            limits.at_most.push((of(path), item.max_action));
        }
        limits.umbrellas.extend(item.umbrellas.iter().map(|umbrella| (of(umbrella), of(path))));
    }
    limits.at_most.extend(taxonomy.umbrellas().map(|umbrella| (of(umbrella), Action::Review)));
    limits
}

/// An expectation of a group is one of each member that the test does not name itself.
fn expand_expectations(test: &mut PolicyTest, groups: &BTreeMap<Region, Vec<Region>>) {
    for (group, members) in groups {
        let Some(expectation) = test.expect.remove(group) else { continue };
        for member in members {
            test.expect.entry(*member).or_insert_with(|| expectation.clone());
        }
    }
}
