//! How a table weighed the evidence: what held, what did not, and why. For explanations.
//!
//! What held is asked of the evaluation itself, so it is never another answer; only what it passed
//! over is worked out here.

use jiff::Timestamp;

use super::{
    Facts,
    cell::{Bars, Cell},
    evaluate::{Circumstances, Claim, Limits, Terms, claim, collect, limit},
    evidence::Evidence,
    ground::Ground,
    row::Row,
    table::Table,
};
use crate::{
    condition::Unmet,
    decision::{Action, RowId, Scope, Tier, Verdict},
    post::Region,
    signal::{Category, ModelSignal, RuleFacts, RuleId, Score, Severity},
};

/// What one policy made of a post, in the regions that share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTrace {
    /// Where it applies, sorted.
    pub regions: Vec<Region>,
    /// What follows, as [`super::PolicySet::decide`] says it.
    pub verdict: Verdict,
    /// Every row and bar that had to do with the evidence.
    pub weighed: Vec<Weighed>,
}

/// One row or bar against one piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The row, written or made; for a category that is switched off its key.
    pub row: RowId,
    /// What it asks for.
    pub asks: Action,
    /// On what ground.
    pub tier: Tier,
    /// The kind of harm that was seen.
    pub category: Category,
    /// What was seen.
    pub seen: Seen,
    /// The score it asks for, where it asks for one.
    pub threshold: Option<Score>,
    /// What came of it.
    pub fate: Fate,
}

/// A piece of evidence, in the words of explanations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A rule's hit.
    Hit {
        /// The rule.
        rule: RuleId,
        /// How bad it says that is.
        severity: Severity,
    },
    /// A score.
    Score(Score),
    /// The model gave no answer.
    NoModel,
    /// The scan met a limit.
    Truncated,
}

/// What came of a row or bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It held.
    Held {
        /// What it led to.
        action: Action,
        /// Why that is less than it asks for.
        softened: Option<Softener>,
    },
    /// It did not.
    Missed(Missed),
}

/// What lowered an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Softener {
    /// The evidence was seen through disguise or in another language.
    Weak,
    /// The category never does more.
    Category,
    /// A cap.
    Cap(RowId),
    /// Something outside the policy files.
    Override,
}

/// Why a row or bar did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missed {
    /// The rule is not severe enough.
    Severity(Severity),
    /// The score is too low; how much is missing.
    Score(Score),
    /// Rules of severity 0 act through rows alone.
    SignalOnly,
    /// The row is for other surfaces.
    Surface,
    /// The row's condition does not hold.
    Condition(Unmet),
    /// The row is not in effect before this time.
    NotYet(Timestamp),
    /// The row was in effect up to this time.
    Over(Timestamp),
    /// This row stands in the place of the category's cell.
    ReplacedBy(RowId),
    /// It would hold, and less or nothing is left of it.
    Reduced(Softener),
    /// The category is switched off.
    SwitchedOff,
    /// No rule saw anything of the category.
    NoSignal,
}

impl PolicyTrace {
    /// What the verdict stands on.
    pub fn decided(&self) -> impl Iterator<Item = &Weighed> {
        let action = self.verdict.outcome.action();
        let decisive = move |weighed: &&Weighed| weighed.held() == Some(action);
        self.weighed.iter().filter(decisive)
    }

    /// What held and asks for less, the strictest first.
    pub fn weaker(&self) -> Vec<&Weighed> {
        let action = self.verdict.outcome.action();
        let mut weaker: Vec<&Weighed> = self
            .weighed
            .iter()
            .filter(|weighed| weighed.held().is_some_and(|held| held < action))
            .collect();
        weaker.sort_by_key(|weighed| std::cmp::Reverse(weighed.held()));
        weaker
    }

    /// What asks for more than the verdict and did not hold, the nearest first.
    pub fn stricter(&self) -> Vec<&Weighed> {
        let action = self.verdict.outcome.action();
        let more = |weighed: &&Weighed| weighed.asks > action && weighed.distance().is_some();
        let mut stricter: Vec<&Weighed> = self.weighed.iter().filter(more).collect();
        stricter.sort_by_key(|weighed| weighed.distance());
        stricter
    }
}

impl Weighed {
    /// What it led to, where it held.
    pub fn held(&self) -> Option<Action> {
        match self.fate {
            Fate::Held { action, .. } => Some(action),
            Fate::Missed(_) => None,
        }
    }

    /// How far it was from leading to what it asks for; nothing where it led there.
    ///
    /// A step of severity counts as far as 0.2 of a score.
    fn distance(&self) -> Option<u16> {
        let of_severity = |needs: Severity| match self.seen {
            Seen::Hit { severity, .. } => {
                200 * u16::from(needs.level().saturating_sub(severity.level()))
            }
            _ => 1000,
        };
        let of_score = |needs: Score| match self.seen {
            Seen::Score(score) => needs.thousandths().saturating_sub(score.thousandths()),
            _ => 1000,
        };
        match &self.fate {
            Fate::Held { action, .. } => (*action < self.asks).then_some(0),
            Fate::Missed(Missed::Reduced(_)) => Some(0),
            Fate::Missed(Missed::Severity(needs)) => Some(of_severity(*needs)),
            Fate::Missed(Missed::Score(needs)) => Some(of_score(*needs)),
            Fate::Missed(Missed::SignalOnly | Missed::SwitchedOff | Missed::NoSignal) => Some(1000),
            Fate::Missed(_) => Some(1),
        }
    }
}

/// Everything that `table` weighed.
pub(super) fn weigh(
    table: &Table,
    limits: &Limits,
    facts: &Facts<'_>,
    circumstances: Circumstances<'_>,
) -> Vec<Weighed> {
    let signals = facts.signals;
    let scale = Scale { table, limits, circumstances };
    let held = collect(table, limits, signals, circumstances);
    let mut weighed: Vec<Weighed> = held.iter().map(|claim| scale.held(claim)).collect();
    for hit in signals.hits.iter().filter(|hit| hit.is_evidence()) {
        scale.missed(Evidence::Hit(hit), &mut weighed);
    }
    match &signals.model {
        ModelSignal::Scored { scores, .. } => {
            for (category, score) in scores {
                scale.missed(Evidence::Score(category, *score), &mut weighed);
            }
        }
        ModelSignal::Unavailable(_) => scale.without_model(&mut weighed),
        ModelSignal::NotRouted => {}
    }
    weighed
}

/// A table with what it needs to weigh.
#[derive(Clone, Copy)]
struct Scale<'a> {
    table: &'a Table,
    limits: &'a Limits,
    circumstances: Circumstances<'a>,
}

impl Scale<'_> {
    fn held(&self, claim: &Claim<'_>) -> Weighed {
        let (ground, action) = (claim.ground, claim.action);
        let softened = (action < ground.action).then(|| {
            let weak_blocks = ground.weak_blocks || self.cell_blocks(claim);
            self.softener(&claim.evidence, weak_blocks, ground)
        });
        let fate = Fate::Held { action, softened };
        weighed(ground, claim.evidence, claim.threshold, fate)
    }

    /// Adds the rows and bars that have to do with the evidence and did not hold.
    fn missed(&self, evidence: Evidence<'_>, out: &mut Vec<Weighed>) {
        let mut claims = Vec::new();
        claim(self.table, self.limits, evidence, self.circumstances, &mut claims);
        let claimed = |id: &RowId| claims.iter().any(|claim| claim.ground.id == *id);
        for row in self.table.rows.iter().filter(|row| !claimed(&row.ground.id)) {
            let threshold = row.selectors.score.filter(|_| evidence.score().is_some());
            if let Some(missed) = self.row(row, &evidence) {
                out.push(weighed(&row.ground, evidence, threshold, Fate::Missed(missed)));
            }
        }
        match self.table.cell(evidence.category()) {
            None => {}
            Some(Cell::Never) => out.push(switched_off(evidence)),
            Some(Cell::Acts(bars)) => self.bars(bars, evidence, &claims, out),
        }
    }

    /// Why a row does not hold; nothing where it has nothing to do with the evidence.
    fn row(&self, row: &Row, evidence: &Evidence<'_>) -> Option<Missed> {
        let selectors = &row.selectors;
        let category = selectors.category.as_ref();
        if category.is_some_and(|category| !evidence.category().is_within(category)) {
            return None;
        }
        if let Some(rule) = evidence.rule() {
            let named = selectors.rules.is_empty() || selectors.rules.contains(&rule.id);
            let least = selectors.severity.filter(|_| named)?;
            if rule.severity < least {
                return Some(Missed::Severity(least));
            }
        }
        if let Some(score) = evidence.score() {
            let least = selectors.score?;
            if score < least {
                return Some(Missed::Score(least));
            }
        }
        let Circumstances { surface, as_of, of_post, .. } = self.circumstances;
        if !row.applies(surface, None) {
            return Some(Missed::Surface);
        }
        if !row.applies(None, as_of) {
            let begins = row.from.filter(|from| as_of.is_some_and(|at| at < *from));
            return begins.map(Missed::NotYet).or(row.until.map(Missed::Over));
        }
        if let (Some(when), Some(of_post)) = (&row.when, of_post)
            && let Some(unmet) = when.unmet(of_post, evidence.seen())
        {
            return Some(Missed::Condition(unmet));
        }
        Some(Missed::Reduced(self.softener(evidence, row.ground.weak_blocks, &row.ground)))
    }

    /// The bars of a cell that were not reached, or whose reach was lowered.
    fn bars(
        &self,
        bars: &Bars,
        evidence: Evidence<'_>,
        claims: &[Claim<'_>],
        out: &mut Vec<Weighed>,
    ) {
        let replaced = self.replaced_by(evidence, claims);
        for action in [Action::Block, Action::Review] {
            let Some((ground, threshold, shortfall)) = self.bar(bars, action, evidence) else {
                continue;
            };
            if claims.iter().any(|claim| claim.ground.id == ground.id) {
                continue;
            }
            let led_to = claims.iter().map(|claim| claim.action).max();
            let missed = match (shortfall, &replaced) {
                (Some(shortfall), _) => shortfall,
                (None, Some(row)) => Missed::ReplacedBy(row.clone()),
                // The cell's stronger bar holds: this one goes without saying.
                (None, None) if led_to >= Some(action) => continue,
                (None, None) => Missed::Reduced(self.softener(&evidence, bars.weak_blocks, ground)),
            };
            out.push(weighed(ground, evidence, threshold, Fate::Missed(missed)));
        }
    }

    /// The ground of a bar, its score where one is asked for, and why it was not reached.
    fn bar<'b>(
        &self,
        bars: &'b Bars,
        action: Action,
        evidence: Evidence<'_>,
    ) -> Option<(&'b Ground, Option<Score>, Option<Missed>)> {
        if let Some(score) = evidence.score() {
            let (ground, needs) = bars.score(action, self.circumstances.language)?;
            return Some((ground, Some(needs), (score < needs).then_some(Missed::Score(needs))));
        }
        let rule = evidence.rule()?;
        let bar = if action == Action::Block { bars.block.as_ref() } else { bars.review.as_ref() }?;
        let needs = bar.severity?;
        let missed = match rule.severity {
            severity if severity.level() == 0 => Some(Missed::SignalOnly),
            severity => (severity < needs).then_some(Missed::Severity(needs)),
        };
        Some((&bar.ground, None, missed))
    }

    /// The row that stands in the place of the category's cell.
    fn replaced_by(&self, evidence: Evidence<'_>, claims: &[Claim<'_>]) -> Option<RowId> {
        if self.limits.is_mandatory(evidence.category()) {
            return None;
        }
        let claimed = |id: &RowId| claims.iter().any(|claim| claim.ground.id == *id);
        let rows = self.table.rows.iter().filter(|row| row.replaces_category);
        rows.map(|row| &row.ground.id).find(|id| claimed(id)).cloned()
    }

    /// What lowers the action of this evidence on this ground.
    fn softener(&self, evidence: &Evidence<'_>, weak_blocks: bool, ground: &Ground) -> Softener {
        let category = self.limits.at_most(evidence.category());
        let caps = self.table.caps.iter().filter(|cap| {
            ground.scope == Scope::Regional
                && cap.covers(evidence, self.circumstances)
                && !self.limits.is_mandatory(evidence.category())
        });
        let cap = caps.min_by_key(|cap| cap.at_most);
        let terms = Terms { weak_blocks, scope: ground.scope };
        let reached = limit(self.table, self.limits, evidence, terms, self.circumstances);
        match cap {
            Some(cap) if cap.at_most == reached => Softener::Cap(cap.id.clone()),
            _ if category == reached => Softener::Category,
            _ if evidence.is_weak() => Softener::Weak,
            _ => Softener::Override,
        }
    }

    /// Whether the cell that made a claim lets weak evidence block.
    fn cell_blocks(&self, claim: &Claim<'_>) -> bool {
        match self.table.cell(claim.evidence.category()) {
            Some(Cell::Acts(bars)) => bars.weak_blocks,
            Some(Cell::Never) | None => false,
        }
    }

    fn without_model(&self, out: &mut Vec<Weighed>) {
        for unavailable in &self.table.unavailable {
            if !out.iter().any(|weighed| weighed.row == unavailable.ground.id) {
                let evidence = Evidence::ModelUnavailable(&unavailable.category);
                let fate = Fate::Missed(Missed::NoSignal);
                out.push(weighed(&unavailable.ground, evidence, None, fate));
            }
        }
    }
}

fn weighed(
    ground: &Ground,
    evidence: Evidence<'_>,
    threshold: Option<Score>,
    fate: Fate,
) -> Weighed {
    Weighed {
        row: ground.id.clone(),
        asks: ground.action,
        tier: ground.tier,
        category: evidence.category().clone(),
        seen: seen(evidence),
        threshold,
        fate,
    }
}

fn switched_off(evidence: Evidence<'_>) -> Weighed {
    Weighed {
        row: RowId::new(evidence.category().as_str()),
        asks: Action::Review,
        tier: Tier::Terms,
        category: evidence.category().clone(),
        seen: seen(evidence),
        threshold: None,
        fate: Fate::Missed(Missed::SwitchedOff),
    }
}

fn seen(evidence: Evidence<'_>) -> Seen {
    let hit = |rule: &RuleFacts| Seen::Hit { rule: rule.id.clone(), severity: rule.severity };
    match evidence {
        Evidence::Hit(of) => hit(&of.rule),
        Evidence::AnyHitOf(rule) => hit(rule),
        Evidence::Score(_, score) => Seen::Score(score),
        Evidence::ModelUnavailable(_) => Seen::NoModel,
        Evidence::Truncated(_) => Seen::Truncated,
    }
}
