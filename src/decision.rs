//! What is decided about a post: a verdict for every region of its audience, with reasons.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use crate::{
    condition::MissingKeys,
    post::{Operation, PostId, Region},
    signal::{Category, ModelIdentity, RuleId, Score, Severity, Signals},
};

/// Most reasons a verdict lists.
pub const REASONS_PER_VERDICT_MAX: usize = 32;

/// What is done with a post. The order is the order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is shown.
    Allow,
    /// A person looks at it.
    Review,
    /// It is not shown.
    Block,
}

impl Action {
    /// Every action, the mildest first.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Review, Self::Block];

    /// The name in files, metrics and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Review => "review",
            Self::Block => "block",
        }
    }
}

/// On what ground a row acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The law of the place.
    Illegal,
    /// The platform's terms.
    Terms,
    /// A softer measure beside the action.
    Restrain,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 3] = [Self::Illegal, Self::Terms, Self::Restrain];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Illegal => "illegal",
            Self::Terms => "terms",
            Self::Restrain => "restrain",
        }
    }
}

/// How far a row reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Scope {
    /// The region it is evaluated for.
    #[default]
    Regional,
    /// Every region, whatever the audience.
    Global,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::Regional, Self::Global];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regional => "regional",
            Self::Global => "global",
        }
    }
}

/// A measure beside the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Adults only.
    AgeGate,
    /// Not recommended, not amplified.
    Limit,
    /// Shown with a notice.
    Label,
    /// Offers of help are shown beside it.
    ShowHelp,
}

impl Effect {
    /// Every effect.
    pub const ALL: [Self; 4] = [Self::AgeGate, Self::Limit, Self::Label, Self::ShowHelp];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AgeGate => "age_gate",
            Self::Limit => "limit",
            Self::Label => "label",
            Self::ShowHelp => "show_help",
        }
    }
}

/// A policy row's identity: written in a file (`de/unconstitutional-symbols`) or made from a cell
/// (`EU/hate/block`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(Arc<str>);

impl RowId {
    /// A row id; its form is checked where files are loaded.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The law a row stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalBasis {
    /// The act.
    pub act: String,
    /// The article in it.
    pub article: Option<String>,
    /// Where it can be read.
    pub url: Option<String>,
}

/// Why a verdict is what it is: one row and the evidence that satisfied it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The policy row.
    pub row: RowId,
    /// The kind of harm.
    pub category: Category,
    /// Severity of the rule hit, when a rule gave the evidence.
    pub severity: Option<Severity>,
    /// The rule, when a rule gave the evidence.
    pub rule: Option<RuleId>,
    /// The rule's entry, when a rule gave the evidence.
    pub entry: Option<Arc<str>>,
    /// The score, when the classifier gave the evidence.
    pub score: Option<Score>,
    /// The threshold that the score reached.
    pub threshold: Option<Score>,
    /// On what ground.
    pub tier: Tier,
    /// On what law.
    pub legal: Option<Arc<LegalBasis>>,
    /// How far.
    pub scope: Scope,
}

impl Reason {
    /// The order in a verdict: severity falling (none last), score falling, row, rule, entry.
    pub fn sort_key(&self) -> impl Ord + '_ {
        use std::cmp::Reverse;
        let severity = Reverse(self.severity);
        (severity, Reverse(self.score), &self.row, &self.rule, &self.entry)
    }
}

/// At least one reason, sorted, at most [`REASONS_PER_VERDICT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons {
    list: Vec<Reason>,
    truncated: bool,
}

impl Reasons {
    /// Sorts, removes repeats and cuts; nothing when `list` is empty.
    pub fn new(mut list: Vec<Reason>) -> Option<Self> {
        if list.is_empty() {
            return None;
        }
        list.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        list.dedup();
        let truncated = list.len() > REASONS_PER_VERDICT_MAX;
        list.truncate(REASONS_PER_VERDICT_MAX);
        Some(Self { list, truncated })
    }

    /// The reasons, the gravest first.
    pub fn as_slice(&self) -> &[Reason] {
        &self.list
    }

    /// Whether there were more.
    pub fn truncated(&self) -> bool {
        self.truncated
    }
}

/// What a policy makes of the evidence. A restriction without a reason cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is shown. The list holds what `tier: restrain` rows had against it, often nothing.
    Allow(Option<Reasons>),
    /// A person looks at it.
    Review {
        /// Why.
        reasons: Reasons,
        /// Whether it stays hidden until then.
        hold: bool,
    },
    /// It is not shown.
    Block(Reasons),
}

impl Outcome {
    /// The action.
    pub fn action(&self) -> Action {
        match self {
            Self::Allow(_) => Action::Allow,
            Self::Review { .. } => Action::Review,
            Self::Block(_) => Action::Block,
        }
    }

    /// The reasons; none for a plain allow.
    pub fn reasons(&self) -> Option<&Reasons> {
        match self {
            Self::Allow(reasons) => reasons.as_ref(),
            Self::Review { reasons, .. } | Self::Block(reasons) => Some(reasons),
        }
    }

    /// Whether a person's look holds the post back.
    pub fn hold(&self) -> bool {
        matches!(self, Self::Review { hold: true, .. })
    }
}

/// A job for a person that a row asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReviewAsk {
    /// The row that asks.
    pub row: RowId,
    /// Where the job goes.
    pub queue: Arc<str>,
    /// More is sooner, 0 to 100.
    pub priority: u8,
    /// When the person looks.
    pub when: ReviewWhen,
}

/// When a person looks at a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewWhen {
    /// Before the action is final.
    Before,
    /// After the action, to confirm it.
    After,
    /// When the author appeals.
    Appeal,
}

impl ReviewWhen {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Appeal => "appeal",
        }
    }
}

/// What one policy says about one post, whatever the region it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The action with its reasons.
    pub outcome: Outcome,
    /// Measures beside the action.
    pub effects: BTreeSet<Effect>,
    /// What shadow rows and cells would have done, when that differs.
    pub would: Option<Outcome>,
    /// Jobs for people, sorted.
    pub reviews: Vec<ReviewAsk>,
}

/// The regions that share a verdict, sorted by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionVerdict {
    /// Where it applies; never empty.
    pub regions: Vec<Region>,
    /// What applies.
    pub verdict: Verdict,
}

/// Which parts decided, so that a decision can be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The engine.
    pub engine: &'static str,
    /// The whole bundle's hash.
    pub bundle: String,
    /// The rules' hash.
    pub rules: String,
    /// The policies' hash.
    pub policies: String,
    /// `name@version` of every model.
    pub models: Vec<String>,
}

/// What stood in the way of the full decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Degraded {
    /// A routed model gave no answer.
    ModelUnavailable,
    /// Evidence was dropped to keep the decision within its size.
    EvidenceTruncated,
    /// An emergency override weakened a rule that hit.
    EmergencyOverride,
    /// A second opinion was wanted, and what they may cost was spent.
    SecondOpinionSkipped,
    /// A second opinion was asked and gave no answer.
    SecondOpinionUnavailable,
}

impl Degraded {
    /// The name on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelUnavailable => "model_unavailable",
            Self::EvidenceTruncated => "evidence_truncated",
            Self::EmergencyOverride => "emergency_override",
            Self::SecondOpinionSkipped => "second_opinion_skipped",
            Self::SecondOpinionUnavailable => "second_opinion_unavailable",
        }
    }
}

/// Everything the engine says about one post.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The post.
    pub post_id: PostId,
    /// Its revision.
    pub revision: u64,
    /// What happened to it.
    pub operation: Operation,
    /// BLAKE3 of the texts as written.
    pub content_hash: String,
    /// BLAKE3 of the texts in the standard view.
    pub text_hash: String,
    /// The summary for simple consumers.
    pub action: Action,
    /// Verdicts, sorted by their first region; every region of the audience is in exactly one.
    pub verdicts: Vec<RegionVerdict>,
    /// The evidence.
    pub signals: Signals,
    /// What decided.
    pub versions: Arc<Versions>,
    /// The time everything was judged at.
    pub as_of: Timestamp,
    /// What stood in the way.
    pub degraded: BTreeSet<Degraded>,
    /// Regions of the audience that no policy file names.
    pub unnamed_regions: Vec<Region>,
    /// What conditions asked for and the post does not give.
    pub missing_keys: MissingKeys,
    /// What a model on trial says, where this post was in its share. It decides nothing and is not
    /// published.
    pub shadow: Option<Shadowed>,
}

/// A model on trial beside the decision that was made without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    /// The model on trial.
    pub model: Arc<ModelIdentity>,
    /// Its scores, sorted by path; nothing: it gave no answer.
    pub scores: Option<Vec<(Category, Score)>>,
    /// Some verdict would be another one.
    pub differs: bool,
}

impl Decision {
    /// Regions that block, sorted.
    pub fn withheld_in(&self) -> Vec<Region> {
        self.regions_where(|outcome| outcome.action() == Action::Block)
    }

    /// Regions whose review holds the post back, sorted.
    pub fn held_in(&self) -> Vec<Region> {
        self.regions_where(Outcome::hold)
    }

    fn regions_where(&self, holds: impl Fn(&Outcome) -> bool) -> Vec<Region> {
        let matching = self.verdicts.iter().filter(|v| holds(&v.verdict.outcome));
        let mut regions: Vec<Region> = matching.flat_map(|v| v.regions.iter().copied()).collect();
        regions.sort_unstable();
        regions
    }
}

/// The summary action: block when every region blocks or a global row does, else review when any
/// region reviews, else allow.
pub fn summary(verdicts: &[RegionVerdict]) -> Action {
    let outcomes = || verdicts.iter().map(|v| &v.verdict.outcome);
    let blocks = |outcome: &Outcome| outcome.action() == Action::Block;
    let is_global = |reason: &Reason| reason.scope == Scope::Global;
    let globally = |outcome: &Outcome| {
        blocks(outcome) && outcome.reasons().is_some_and(|r| r.as_slice().iter().any(is_global))
    };
    if !verdicts.is_empty() && (outcomes().all(blocks) || outcomes().any(globally)) {
        Action::Block
    } else if outcomes().any(|outcome| outcome.action() == Action::Review) {
        Action::Review
    } else {
        Action::Allow
    }
}
