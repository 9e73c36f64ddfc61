//! Metric labels as closed sets, so that the number of series is bounded and visible.

/// A step of the pipeline, as a label of its duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// From a batch's first record to its hand-over to the pool.
    Read,
    /// One chunk in the pool: decode, screen, score, decide, encode.
    Judge,
    /// Of that, views, languages and rules.
    Screen,
    /// Of that, the classifier.
    Score,
    /// Of that, the policies.
    Decide,
    /// From a batch's arrival at the publisher to its last acknowledgement.
    Publish,
}

impl Stage {
    /// Every stage, in the order of the flow.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Judge, Self::Screen, Self::Score, Self::Decide, Self::Publish];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Judge => "judge",
            Self::Screen => "screen",
            Self::Score => "score",
            Self::Decide => "decide",
            Self::Publish => "publish",
        }
    }
}

/// What became of an attempt to reload the bundle, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reload {
    /// Another bundle came into force.
    Applied,
    /// It did not pass the gates, or could not be read; the old one stays.
    Refused,
    /// It is the one in force.
    Unchanged,
}

impl Reload {
    /// Every result.
    pub const ALL: [Self; 3] = [Self::Applied, Self::Refused, Self::Unchanged];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Unchanged => "unchanged",
        }
    }
}

/// How a transaction ended, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionEnd {
    /// Its decisions are visible.
    Committed,
    /// Its decisions never will be, and its records are sent again.
    Aborted,
}

impl TransactionEnd {
    /// Every end.
    pub const ALL: [Self; 2] = [Self::Committed, Self::Aborted];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Aborted => "aborted",
        }
    }
}

/// What became of a second opinion, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpinionResult {
    /// Every verdict stayed as it was.
    Kept,
    /// Some verdict is another one.
    Flipped,
    /// What second opinions may cost was spent.
    Skipped,
    /// The model gave no answer.
    Unavailable,
}

impl OpinionResult {
    /// Every result.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Flipped, Self::Skipped, Self::Unavailable];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Flipped => "flipped",
            Self::Skipped => "skipped",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What a model on trial says of a post, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrialResult {
    /// It would decide alike.
    Same,
    /// It would decide otherwise somewhere.
    Differs,
    /// It gave no answer.
    Unavailable,
}

impl TrialResult {
    /// Every result.
    pub const ALL: [Self; 3] = [Self::Same, Self::Differs, Self::Unavailable];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What the classifier is doing, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelStatus {
    /// It scores.
    Scoring,
    /// It is routed but gives no answer.
    Unavailable,
    /// None is routed.
    NotRouted,
}

impl ModelStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Scoring, Self::Unavailable, Self::NotRouted];

    /// Before the first post was scored.
    pub fn at_start(routed: bool) -> Self {
        if routed { Self::Scoring } else { Self::NotRouted }
    }

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scoring => "scoring",
            Self::Unavailable => "unavailable",
            Self::NotRouted => "not_routed",
        }
    }
}
