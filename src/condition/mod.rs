//! Conditions: what a rule or a policy row asks of a post beside its words.
//!
//! One closed vocabulary and one grammar for both kinds of file. A condition is evaluated when a post
//! is decided, against the post's own time; it cannot fail, and a value that the post does not give is
//! remembered. Nothing here knows rules or policies.

mod comparison;
mod key;
mod read;
pub mod regions;

use std::{cell::Cell, fmt, sync::Arc};

use jiff::Timestamp;

pub use comparison::{Comparison, InvalidComparison};
pub use key::{Key, MissingKeys};
pub use read::{ConditionFile, Declared, ExtraKind, read, read_declared};

use crate::{
    post::{Field, Post},
    signal::Language,
};
use key::Value;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// What is known of a post while it is decided.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// The post.
    pub post: &'a Post,
    /// The time it is judged at; without one no age is known.
    pub as_of: Option<Timestamp>,
    /// Its largest language, where that is certain.
    pub language: Option<Language>,
    /// The keys that were asked for and that it does not give.
    pub missing: Cell<MissingKeys>,
}

/// The piece of evidence that a condition is asked about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// The field it was seen in; nothing for what is said of the whole post.
    pub field: Option<Field>,
    /// It was seen only through disguise.
    pub obfuscated: bool,
}

/// Clauses that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Clause {
    One(Test),
    /// One of them is enough.
    Any(Vec<Condition>),
}

/// One key and what is asked of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    key: Key,
    needs: Needs,
    /// What is said of a post that does not give the value.
    missing_holds: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Needs {
    Number(Comparison),
    Is(bool),
    In(Words),
    NotIn(Words),
}

/// Sorted.
type Words = Vec<Arc<str>>;

/// The first clause that did not hold, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmet {
    /// What was asked about: `author.age_days`, or `any`.
    pub key: String,
    /// What the post gives; nothing where it gives nothing.
    pub value: Option<String>,
    /// What was asked for.
    pub needs: String,
}

impl<'a> Circumstances<'a> {
    /// Those of a post.
    pub fn new(post: &'a Post, as_of: Option<Timestamp>, language: Option<Language>) -> Self {
        Self { post, as_of, language, missing: Cell::default() }
    }
}

impl Condition {
    /// Whether every clause holds; what the post does not give is added to `circumstances.missing`.
    pub fn holds(&self, circumstances: &Circumstances<'_>, seen: Seen) -> bool {
        self.clauses.iter().all(|clause| clause.holds(circumstances, seen))
    }

    /// The first clause that does not hold.
    pub fn unmet(&self, circumstances: &Circumstances<'_>, seen: Seen) -> Option<Unmet> {
        let failed = self.clauses.iter().find(|clause| !clause.holds(circumstances, seen))?;
        Some(match failed {
            Clause::One(test) => Unmet {
                key: test.key.to_string(),
                value: test.key.value(circumstances, seen).map(|value| value.to_string()),
                needs: test.needs.to_string(),
            },
            Clause::Any(ways) => {
                let unmet = ways.iter().filter_map(|way| way.unmet(circumstances, seen));
                let told: Vec<String> = unmet.map(|unmet| unmet.to_string()).collect();
                let (key, needs) = ("any".to_owned(), "one of its conditions".to_owned());
                Unmet { key, value: Some(told.join("; ")), needs }
            }
        })
    }
}

impl Clause {
    fn holds(&self, circumstances: &Circumstances<'_>, seen: Seen) -> bool {
        match self {
            Self::One(test) => test.holds(circumstances, seen),
            Self::Any(ways) => ways.iter().any(|way| way.holds(circumstances, seen)),
        }
    }
}

impl Test {
    fn holds(&self, circumstances: &Circumstances<'_>, seen: Seen) -> bool {
        let Some(value) = self.key.value(circumstances, seen) else {
            let missing = &circumstances.missing;
            missing.set(missing.get().with(&self.key));
            return self.missing_holds;
        };
        match (&self.needs, value) {
            (Needs::Number(comparison), Value::Number(number)) => comparison.holds(number),
            (Needs::Is(expected), Value::Bool(value)) => *expected == value,
            (Needs::In(words), Value::Word(word)) => has(words, word),
            (Needs::NotIn(words), Value::Word(word)) => !has(words, word),
            // A platform's own value that is of another kind than was declared says nothing.
            _ => self.missing_holds,
        }
    }
}

fn has(words: &Words, word: &str) -> bool {
    words.binary_search_by(|known| (**known).cmp(word)).is_ok()
}

/// `author.age_days is 400, not < 30`.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, needs } = self;
        match value {
            Some(value) if key == "any" => write!(f, "none of `any` holds ({value})"),
            Some(value) => write!(f, "{key} is {value}, not {needs}"),
            None => write!(f, "{key} is not given, and {needs} was asked for"),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told =
            |words: &Words| words.iter().take(8).map(|w| &**w).collect::<Vec<_>>().join(", ");
        match self {
            Self::Number(comparison) => comparison.fmt(f),
            Self::Is(expected) => expected.fmt(f),
            Self::In(words) => write!(f, "one of {}", told(words)),
            Self::NotIn(words) => write!(f, "other than {}", told(words)),
        }
    }
}

#[cfg(test)]
mod tests;
