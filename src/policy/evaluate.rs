//! One table, one post: claims are collected, softened, and the strictest wins.
//!
//! Every cell and row that holds makes a *claim*. Adding evidence only ever adds claims, so it never
//! lowers an action.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Facts,
    cell::Cell,
    evidence::Evidence,
    ground::{After, Ground},
    row::Row,
    table::Table,
};
use crate::{
    condition::{self, Condition},
    decision::{
        Action, Effect, Outcome, Reason, Reasons, ReviewAsk, ReviewWhen, RowId, Scope, Tier,
    },
    post::{Post, Surface},
    signal::{AtMost, Category, Language, ModelSignal, RuleHit, Score, Signals},
};

/// What the taxonomy forbids policies to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    /// Categories that nothing may weaken.
    pub(super) mandatory: Vec<Category>,
    /// Categories that never block, or never act, sorted so that the strictest limit holds.
    pub(super) at_most: Vec<(Category, Action)>,
    /// Which umbrella scores speak for a category.
    pub(super) umbrellas: Vec<(Category, Category)>,
}

/// What a row needs to know of the post. What is not given holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Circumstances<'a> {
    pub(super) surface: Option<Surface>,
    pub(super) as_of: Option<Timestamp>,
    pub(super) language: Option<Language>,
    /// What conditions ask about.
    pub(super) of_post: Option<&'a condition::Circumstances<'a>>,
}

impl<'a> Circumstances<'a> {
    /// Those of a post that is decided about.
    pub(super) fn of(facts: &Facts<'_>, of_post: &'a condition::Circumstances<'a>) -> Self {
        let surface = Some(facts.post.surface);
        let (as_of, language) = (facts.as_of, of_post.language);
        Self { surface, as_of, language, of_post: Some(of_post) }
    }

    /// Whether a condition holds; nothing where no post is given.
    pub(super) fn meets(self, when: &Condition, evidence: &Evidence<'_>) -> Option<bool> {
        Some(when.holds(self.of_post?, evidence.seen()))
    }
}

/// What a table makes of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) outcome: Outcome,
    pub(super) effects: BTreeSet<Effect>,
    pub(super) reviews: Vec<ReviewAsk>,
}

/// One row or cell that holds for one piece of evidence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    /// What it asks for, already softened.
    pub(super) action: Action,
    pub(super) ground: &'a Ground,
    pub(super) evidence: Evidence<'a>,
    pub(super) threshold: Option<Score>,
}

/// What `table` makes of `signals` on `post`.
pub(super) fn judge(
    table: &Table,
    limits: &Limits,
    signals: &Signals,
    post: &Post,
    circumstances: Circumstances<'_>,
) -> Judgement {
    conclude(&collect(table, limits, signals, circumstances), post)
}

/// Everything that holds, in the order of the evidence.
pub(super) fn collect<'a>(
    table: &'a Table,
    limits: &Limits,
    signals: &'a Signals,
    circumstances: Circumstances<'_>,
) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    let hits = signals.hits.iter().filter(|hit| hit.is_evidence()).map(Evidence::Hit);
    hits.for_each(|hit| claim(table, limits, hit, circumstances, &mut claims));
    match &signals.model {
        ModelSignal::Scored { scores, .. } => {
            let acts = |score: &Score| table.lowest_score.is_some_and(|lowest| *score >= lowest);
            for (category, score) in scores.iter().filter(|(_, score)| acts(score)) {
                let evidence = Evidence::Score(category, *score);
                claim(table, limits, evidence, circumstances, &mut claims);
            }
        }
        ModelSignal::Unavailable(_) => {
            without_model(table, limits, signals, circumstances, &mut claims);
        }
        ModelSignal::NotRouted => {}
    }
    if let Some((category, ground)) = table.truncated.as_ref().filter(|_| signals.truncated) {
        let (evidence, action) = (Evidence::Truncated(category), ground.action);
        claims.push(Claim { action, ground, evidence, threshold: None });
    }
    claims
}

/// Adds what the table's cell and rows claim from one piece of evidence.
pub(super) fn claim<'a>(
    table: &'a Table,
    limits: &Limits,
    evidence: Evidence<'a>,
    circumstances: Circumstances<'_>,
    claims: &mut Vec<Claim<'a>>,
) {
    let Circumstances { surface, as_of, .. } = circumstances;
    let holds = |row: &&Row| {
        let meets = |when| circumstances.meets(when, &evidence).unwrap_or(true);
        row.selects(&evidence) && row.applies(surface, as_of) && row.when.as_ref().is_none_or(meets)
    };
    let mut replaced = false;
    for row in table.rows.iter().map(|row| &**row).filter(holds) {
        replaced |= row.replaces_category;
        let ground = &row.ground;
        let terms = Terms { weak_blocks: ground.weak_blocks, scope: ground.scope };
        let limit = limit(table, limits, &evidence, terms, circumstances);
        let action = ground.action.min(limit);
        // A row that a cap reduced to nothing is not there; a restraint asks for no more than allow.
        if action > Action::Allow || ground.tier == Tier::Restrain {
            let threshold = row.selectors.score.filter(|_| evidence.score().is_some());
            claims.push(Claim { action, ground, evidence, threshold });
        }
    }
    if !replaced || limits.is_mandatory(evidence.category()) {
        claims.extend(claim_of_cell(table, limits, evidence, circumstances));
    }
}

fn claim_of_cell<'a>(
    table: &'a Table,
    limits: &Limits,
    evidence: Evidence<'a>,
    circumstances: Circumstances<'_>,
) -> Option<Claim<'a>> {
    let Cell::Acts(bars) = table.cell(evidence.category())? else { return None };
    let reached = |action| match (evidence.rule(), evidence.score()) {
        (Some(rule), _) if rule.severity.level() == 0 => None,
        (Some(rule), _) => Some((bars.severity(action, rule.severity)?, None)),
        (None, Some(score)) => {
            let (ground, threshold) = bars.score(action, circumstances.language)?;
            (score >= threshold).then_some((ground, Some(threshold)))
        }
        (None, None) => None,
    };
    let (block, review) = (reached(Action::Block), reached(Action::Review));
    block.or(review)?;
    // What may only be reviewed names the bar for review, where the cell has one.
    let terms = Terms { weak_blocks: bars.weak_blocks, scope: Scope::Regional };
    let limit = limit(table, limits, &evidence, terms, circumstances);
    let (ground, threshold) = match limit {
        Action::Allow => None,
        Action::Review => review.or(block),
        Action::Block => block.or(review),
    }?;
    Some(Claim { action: ground.action.min(limit), ground, evidence, threshold })
}

/// On what terms a row or cell acts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Weak evidence may block, too.
    pub(super) weak_blocks: bool,
    pub(super) scope: Scope,
}

/// The strictest action that `evidence` may lead to.
pub(super) fn limit(
    table: &Table,
    limits: &Limits,
    evidence: &Evidence<'_>,
    terms: Terms,
    circumstances: Circumstances<'_>,
) -> Action {
    let weak =
        if evidence.is_weak() && !terms.weak_blocks { Action::Review } else { Action::Block };
    let of_category = limits.at_most(evidence.category());
    let mut limit = weak.min(of_category).min(evidence.at_most());
    // A global row says the same everywhere, so no region's cap reaches it.
    let caps = if terms.scope == Scope::Regional { &table.caps[..] } else { &[] };
    for cap in caps.iter().filter(|cap| cap.covers(evidence, circumstances)) {
        if !limits.is_mandatory(evidence.category()) {
            limit = limit.min(cap.at_most);
        }
    }
    limit
}

fn without_model<'a>(
    table: &'a Table,
    limits: &Limits,
    signals: &Signals,
    circumstances: Circumstances<'_>,
    claims: &mut Vec<Claim<'a>>,
) {
    for unavailable in &table.unavailable {
        let of = &unavailable.category;
        let speaks = |found: &Category| found.is_within(of) || limits.speaks_for(of, found);
        let counts =
            |hit: &&RuleHit| hit.cancelled_by.is_none() && hit.at_most != Some(AtMost::Allow);
        let mut hits = signals.hits.iter().filter(counts);
        if unavailable.needs_signal && !hits.any(|hit| speaks(&hit.rule.category)) {
            continue;
        }
        let evidence = Evidence::ModelUnavailable(of);
        let ground = &unavailable.ground;
        let terms = Terms { weak_blocks: false, scope: Scope::Regional };
        if limit(table, limits, &evidence, terms, circumstances) > Action::Allow {
            claims.push(Claim { action: Action::Review, ground, evidence, threshold: None });
        }
    }
}

/// The strictest claim wins, and every claim that reaches it is a reason.
fn conclude(claims: &[Claim<'_>], post: &Post) -> Judgement {
    let action = claims.iter().map(|claim| claim.action).max().unwrap_or(Action::Allow);
    let decisive = || claims.iter().filter(move |claim| claim.action == action);
    let reasons = Reasons::new(decisive().map(Claim::reason).collect());
    let outcome = match (action, reasons) {
        (Action::Allow, reasons) => Outcome::Allow(reasons),
        (Action::Review, Some(reasons)) => {
            Outcome::Review { reasons, hold: decisive().any(|claim| claim.ground.review.hold) }
        }
        (Action::Block, Some(reasons)) => Outcome::Block(reasons),
        (Action::Review | Action::Block, None) => {
            unreachable!("an action above allow is that of some claim, which is a reason")
        }
    };
    let effects = claims.iter().flat_map(|claim| claim.ground.effects.iter().copied()).collect();
    Judgement { outcome, effects, reviews: asks(decisive(), post) }
}

/// One job a row; the most urgent evidence says how soon.
fn asks<'a>(decisive: impl Iterator<Item = &'a Claim<'a>>, post: &Post) -> Vec<ReviewAsk> {
    let mut asks: Vec<ReviewAsk> = decisive.filter_map(|claim| claim.ask(post)).collect();
    asks.sort_by(|a, b| a.row.cmp(&b.row).then(b.priority.cmp(&a.priority)));
    asks.dedup_by(|later, first| later.row == first.row);
    asks
}

impl Claim<'_> {
    fn reason(&self) -> Reason {
        let ground = self.ground;
        let rule = self.evidence.rule();
        let entry = match self.evidence {
            Evidence::Hit(hit) => Some(&hit.entry),
            _ => None,
        };
        Reason {
            row: ground.id.clone(),
            category: self.evidence.category().clone(),
            severity: rule.map(|rule| rule.severity),
            rule: rule.map(|rule| rule.id.clone()),
            entry: entry.cloned(),
            score: self.evidence.score(),
            threshold: self.threshold,
            tier: ground.tier,
            legal: ground.legal.clone(),
            scope: ground.scope,
        }
    }

    /// The job for a person that follows from a decisive claim.
    fn ask(&self, post: &Post) -> Option<ReviewAsk> {
        let ground = self.ground;
        let when = match (self.action, ground.review.after) {
            (Action::Allow, _) | (Action::Block, None) => return None,
            (Action::Review, _) => ReviewWhen::Before,
            (Action::Block, Some(After::Always)) => ReviewWhen::After,
            (Action::Block, Some(After::Appeal)) => ReviewWhen::Appeal,
            (Action::Block, Some(After::Share(share))) => {
                (draw(post, &ground.id) < share).then_some(ReviewWhen::After)?
            }
        };
        let queue = ground.review.queue.clone();
        Some(ReviewAsk {
            row: ground.id.clone(),
            queue: queue.unwrap_or_else(|| self.evidence.category().top().into()),
            priority: ground.review.priority.unwrap_or_else(|| self.evidence.urgency()),
            when,
        })
    }
}

/// A number from 0 to 9,999 that is the same whenever this revision of the post meets this row.
fn draw(post: &Post, row: &RowId) -> u16 {
    let mut hasher = blake3::Hasher::new();
    for part in [post.id.as_str().as_bytes(), &post.revision.to_le_bytes(), row.as_str().as_bytes()]
    {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part);
    }
    let hash = *hasher.finalize().as_bytes();
    let number = u64::from_le_bytes(hash[..8].try_into().expect("a hash has 32 bytes")) % 10_000;
    u16::try_from(number).expect("below 10,000")
}

impl Limits {
    pub(super) fn is_mandatory(&self, category: &Category) -> bool {
        self.mandatory.iter().any(|mandatory| category.is_within(mandatory))
    }

    pub(super) fn at_most(&self, category: &Category) -> Action {
        let limits = self.at_most.iter().filter(|(of, _)| category.is_within(of));
        limits.map(|(_, action)| *action).min().unwrap_or(Action::Block)
    }

    /// Whether the umbrella `of` speaks for `found`.
    fn speaks_for(&self, of: &Category, found: &Category) -> bool {
        self.umbrellas
            .iter()
            .any(|(umbrella, category)| umbrella == of && found.is_within(category))
    }
}
