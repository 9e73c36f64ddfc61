//! Evidence about a post: rule hits and scores, whoever produced them.
//!
//! A signal says what was seen, never what follows; policies do that.

use std::{fmt, sync::Arc};

use crate::{
    post::Field,
    text::{Original, Span, Utf16, View},
};

/// Most spans a hit lists; more are counted as truncated.
pub const SPANS_PER_HIT_MAX: usize = 16;
/// Most hits a post carries; more are cut from the end of the order.
pub const HITS_PER_POST_MAX: usize = 256;

/// A kind of harm as a path of the taxonomy: `hate`, or `hate/slur`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(Arc<str>);

impl Category {
    /// A category by its path. Whether the taxonomy has it is checked where files are loaded.
    pub fn new(path: &str) -> Self {
        Self(path.into())
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first level: `hate` of `hate/slur`.
    pub fn top(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(top, _)| top)
    }

    /// Whether this is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// How bad a rule says its find is: 0 signal only, 1 mild, 2 clear, 3 serious, 4 critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Severity(u8);

impl Severity {
    /// A severity from 0 to 4.
    pub fn new(level: u8) -> Option<Self> {
        (level <= 4).then_some(Self(level))
    }

    /// The level, 0 to 4.
    pub fn level(self) -> u8 {
        self.0
    }
}

/// A calibrated probability in thousandths: never NaN, never outside 0 to 1, exact to compare.
///
/// The rounding is part of the meaning: two runs on different machines that differ in the seventh
/// digit decide alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u16);

impl Score {
    /// The score nearest to `probability`; nothing for NaN or outside 0 to 1.
    pub fn new(probability: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&probability) {
            return None;
        }
        let thousandths = (probability * 1000.0).round();
        (0..=1000).find(|&t| (f64::from(t) - thousandths).abs() < 0.5).map(Self)
    }

    /// The score of `thousandths` / 1000.
    pub fn from_thousandths(thousandths: u16) -> Option<Self> {
        (thousandths <= 1000).then_some(Self(thousandths))
    }

    /// The score in thousandths.
    pub fn thousandths(self) -> u16 {
        self.0
    }

    /// The probability, 0 to 1.
    pub fn probability(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// The score between this and `other`: the mean of their log odds, as for two judges who are
    /// trusted alike. A score of 0 or 1 is one that was rounded, so neither end outweighs all else.
    #[must_use]
    pub fn between(self, other: Self) -> Self {
        // Without logarithms, which processors round differently: the odds' geometric mean.
        let (p, q) = (self.inside(), other.inside());
        let (yes, no) = ((p * q).sqrt(), ((1.0 - p) * (1.0 - q)).sqrt());
        Self::new(yes / (yes + no)).expect("a share of two positive numbers is a probability")
    }

    fn inside(self) -> f64 {
        self.probability().clamp(0.000_5, 0.999_5)
    }
}

impl fmt::Debug for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// A rule's identity: `pack/what-it-finds`. Never reused, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// A rule id; its form is checked where files are loaded.
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How far a rule has come. `Draft` and `Deprecated` rules are not scanned, so no hit has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Runs its own tests only.
    Draft,
    /// Scanned, counted and published; never a reason.
    Shadow,
    /// Scanned, and policies act on it.
    Enforced,
    /// Not scanned; the id stays reserved.
    Deprecated,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Shadow, Self::Enforced, Self::Deprecated];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Shadow => "shadow",
            Self::Enforced => "enforced",
            Self::Deprecated => "deprecated",
        }
    }
}

/// How far an emergency override lets a hit go, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AtMost {
    /// It is no evidence.
    Allow,
    /// It asks at most for a review.
    Review,
}

impl AtMost {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Allow, Self::Review];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Review => "review",
        }
    }
}

/// What every hit of a rule has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFacts {
    /// The rule.
    pub id: RuleId,
    /// Hash of the effective rule, as 16 hexadecimal digits.
    pub hash: Arc<str>,
    /// The kind of harm it finds.
    pub category: Category,
    /// How bad that is.
    pub severity: Severity,
    /// How far the rule has come.
    pub status: Status,
}

/// One place in the original text, in both units that consumers count in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextSpan {
    /// UTF-8 bytes.
    pub bytes: Span<Original>,
    /// UTF-16 code units.
    pub utf16: Span<Utf16>,
}

/// One rule's find by one entry in one text of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHit {
    /// The rule.
    pub rule: Arc<RuleFacts>,
    /// The entry as its author wrote it.
    pub entry: Arc<str>,
    /// The field it was found in.
    pub field: Field,
    /// The place in the field's list.
    pub index: Option<u16>,
    /// Where, in order; at most [`SPANS_PER_HIT_MAX`].
    pub spans: Vec<TextSpan>,
    /// The cheapest view that shows it.
    pub view: View,
    /// Seen only in a view that undoes disguise.
    pub obfuscated: bool,
    /// Seen only in sentences that are confidently another language than the rule's.
    pub language_mismatch: bool,
    /// The allowed phrase that covers it; a cancelled hit is published and never a reason.
    pub cancelled_by: Option<Arc<str>>,
    /// How far an emergency override lets it go, where one held.
    pub at_most: Option<AtMost>,
    /// More spans were found than are listed.
    pub truncated: bool,
}

impl RuleHit {
    /// Whether policies may act on it.
    pub fn is_evidence(&self) -> bool {
        self.rule.status == Status::Enforced
            && self.cancelled_by.is_none()
            && self.at_most != Some(AtMost::Allow)
    }

    /// Whether it is weak evidence, which by default asks at most for review.
    pub fn is_weak(&self) -> bool {
        self.obfuscated || self.language_mismatch
    }
}

/// A language of a post as a BCP-47 code; `und` where nothing is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language([u8; 3]);

impl Language {
    /// No language is certain.
    pub const UNDETERMINED: Self = Self(*b"und");

    /// A language by its primary subtag: two or three lower-case ASCII letters.
    pub fn new(code: &str) -> Option<Self> {
        let mut bytes = [0; 3];
        let valid = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase());
        valid.then(|| {
            bytes[..code.len()].copy_from_slice(code.as_bytes());
            Self(bytes)
        })
    }

    /// The primary language of a declared tag: `pt` of `pt-BR`, in any case.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::new(&primary.to_ascii_lowercase())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|&b| b == 0).unwrap_or(3);
        std::str::from_utf8(&self.0[..len]).expect("a language code is ASCII")
    }
}

/// A language with the confidence in it and its share of the post's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LanguageShare {
    /// The language.
    pub language: Language,
    /// How certain, 0 to 1.
    pub confidence: Score,
    /// Its part of all letters, 0 to 1.
    pub share: Score,
}

/// What the classifier said. Absence is a state with a name, not an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSignal {
    /// It scored the post.
    Scored {
        /// Which model.
        model: Arc<ModelIdentity>,
        /// Calibrated scores by taxonomy path or `toxic`, sorted by path; those of a second opinion
        /// stand in the place of its own.
        scores: Vec<(Category, Score)>,
        /// The second opinions that were wanted.
        opinions: Vec<Opinion>,
    },
    /// A model is routed but gave no answer: policies say what follows.
    Unavailable(Option<Arc<ModelIdentity>>),
    /// No model is routed, by the operator's choice.
    NotRouted,
}

impl ModelSignal {
    /// Every score, sorted by path.
    pub fn scores(&self) -> &[(Category, Score)] {
        match self {
            Self::Scored { scores, .. } => scores,
            Self::Unavailable(_) | Self::NotRouted => &[],
        }
    }

    /// The score of one category.
    pub fn score(&self, category: &Category) -> Option<Score> {
        self.scores().iter().find(|(of, _)| of == category).map(|&(_, score)| score)
    }

    /// The second opinions that were wanted.
    pub fn opinions(&self) -> &[Opinion] {
        match self {
            Self::Scored { opinions, .. } => opinions,
            Self::Unavailable(_) | Self::NotRouted => &[],
        }
    }
}

/// What became of a second opinion that was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// Whose.
    pub model: Arc<ModelIdentity>,
    /// What came of it.
    pub answer: Answer,
}

/// A second opinion, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It scored the post.
    Scored {
        /// Its scores, sorted by path.
        scores: Vec<(Category, Score)>,
        /// What the first model said of the same categories, sorted by path.
        core: Vec<(Category, Score)>,
        /// Some verdict is another one than it would have been without it.
        flipped: bool,
    },
    /// What second opinions may cost was spent.
    Skipped,
    /// It was asked and gave no answer.
    Unavailable,
}

impl Answer {
    /// The name on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Scored { .. } => "scored",
            Self::Skipped => "skipped",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Which model gave a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelIdentity {
    /// The model folder's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its manifest, which names that of each of its files, in hexadecimal digits.
    pub sha256: String,
}

/// All evidence about one post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signals {
    /// Hits, enforced ones first, severity falling; at most [`HITS_PER_POST_MAX`].
    pub hits: Vec<RuleHit>,
    /// Languages, the largest share first.
    pub languages: Vec<LanguageShare>,
    /// The classifier's part.
    pub model: ModelSignal,
    /// The scan met a limit: there may be more than is listed.
    pub truncated: bool,
}

impl Signals {
    /// The post's largest language, when it is certain.
    pub fn main_language(&self) -> Option<Language> {
        let first = self.languages.first()?;
        (first.language != Language::UNDETERMINED).then_some(first.language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_between_two_is_the_mean_of_their_log_odds() {
        let score = |t| Score::from_thousandths(t).expect("in range");
        // Neither order nor an end of the range matters: 0 and 1 are rounded from less.
        for (one, other, between) in [
            (500, 500, 500),
            (500, 800, 667),
            (100, 900, 500),
            (0, 1000, 500),
            (0, 0, 1),
            (1000, 1000, 1000),
            (0, 500, 22),
            (500, 1000, 978),
        ] {
            assert_eq!(score(one).between(score(other)), score(between), "{one} {other}");
            assert_eq!(score(other).between(score(one)), score(between), "{other} {one}");
        }
    }
}
