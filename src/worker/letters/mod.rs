//! Dead letters after the fact: reading what stands in their topic, and sending posts once more.
//!
//! It reads without joining the group and commits nothing: the worker beside it notices nothing of it.
//! Whatever it holds at once is bounded; a topic is walked through, never loaded.

mod replay;
mod topic;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rdkafka::error::KafkaError;

pub use replay::{Replay, Replayed, Skipped};
pub use topic::{LetterTopic, Stored};

use crate::wire::dead_letter::ATTEMPTS_HEADER;

/// Most kinds of reasons that are counted apart.
const KINDS_MAX: usize = 1000;
/// What is beyond them.
const OTHER: &str = "other reasons";

/// Dead letters cannot be read or sent.
#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    /// The brokers do not answer, or refuse.
    #[error("Kafka at {brokers} does not answer: {source}")]
    Kafka {
        /// Where it was asked.
        brokers: String,
        /// What the client says.
        source: KafkaError,
    },
    /// There is no such topic.
    #[error("the topic {0} does not exist")]
    NoTopic(String),
    /// A partition gives nothing for too long.
    #[error("{0} gave no record for too long")]
    Silent(String),
    /// A post could not be sent.
    #[error("a post could not be sent again: {0}; what came before it was sent")]
    NotSent(KafkaError),
}

/// Which dead letters are meant; everything that is left out fits.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this code.
    pub code: Option<String>,
    /// Only this partition of the dead-letter topic.
    pub partition: Option<i32>,
    /// Only those written at this time or later.
    pub from: Option<Timestamp>,
    /// Only those written before this time.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether a dead letter is meant.
    pub fn fits(&self, letter: &Stored) -> bool {
        let at = letter.timestamp;
        self.code.as_ref().is_none_or(|code| letter.text("tidegate.error.code") == *code)
            && self.partition.is_none_or(|partition| letter.partition == partition)
            && self.from.is_none_or(|from| at.is_some_and(|at| at >= from))
            && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }
}

/// Dead letters by code and reason.
#[derive(Debug, Default)]
pub struct Counts {
    /// All of them.
    pub total: usize,
    kinds: BTreeMap<(String, String), usize>,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, letter: &Stored) {
        self.total += 1;
        let kind = (letter.text("tidegate.error.code"), letter.reason());
        let known = self.kinds.contains_key(&kind) || self.kinds.len() < KINDS_MAX;
        let kind = if known { kind } else { (OTHER.to_owned(), String::new()) };
        *self.kinds.entry(kind).or_default() += 1;
    }

    /// (code, reason, how many), the most frequent first.
    pub fn kinds(&self) -> Vec<(&str, &str, usize)> {
        let mut kinds: Vec<(&str, &str, usize)> = Vec::with_capacity(self.kinds.len());
        kinds.extend(self.kinds.iter().map(|((code, reason), count)| (&**code, &**reason, *count)));
        kinds.sort_by_key(|&(_, _, count)| std::cmp::Reverse(count));
        kinds
    }
}

impl Stored {
    /// The value of a header as a text; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        let header = self.headers.iter().rfind(|header| header.name == name);
        let value = header.and_then(|header| header.value.as_deref()).unwrap_or_default();
        String::from_utf8_lossy(value).into_owned()
    }

    /// What is wrong, with its place in the JSON where there is one.
    pub fn reason(&self) -> String {
        let (path, message) =
            (self.text("tidegate.error.path"), self.text("tidegate.error.message"));
        if path.is_empty() { message } else { format!("{path}: {message}") }
    }

    /// How often the post was sent again so far.
    pub fn attempts(&self) -> u32 {
        self.text(ATTEMPTS_HEADER).parse().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Header;

    fn letter(code: &str, path: &str, at: &str) -> Stored {
        Stored {
            partition: 1,
            offset: 7,
            timestamp: Some(at.parse().expect("a time")),
            key: None,
            value: None,
            headers: vec![
                Header::text("tidegate.error.code", code),
                Header::text("tidegate.error.message", "expected a string"),
                Header::text("tidegate.error.path", path),
            ],
        }
    }

    #[test]
    fn a_filter_takes_what_fits_all_that_it_says() {
        let found = letter("invalid_schema", "id", "2026-11-22T10:00:00Z");
        let time = |text: &str| Some(text.parse().expect("a time"));
        let cases = [
            (Filter::default(), true),
            (Filter { code: Some("invalid_schema".into()), ..Filter::default() }, true),
            (Filter { code: Some("too_deep".into()), ..Filter::default() }, false),
            (Filter { partition: Some(0), ..Filter::default() }, false),
            (Filter { from: time("2026-11-22T10:00:00Z"), ..Filter::default() }, true),
            (Filter { until: time("2026-11-22T10:00:00Z"), ..Filter::default() }, false),
        ];
        for (filter, fits) in cases {
            assert_eq!(filter.fits(&found), fits, "{filter:?}");
        }
    }

    #[test]
    fn reasons_are_counted_apart_up_to_a_limit() {
        let mut counts = Counts::default();
        for number in 0..KINDS_MAX + 5 {
            counts.add(&letter(
                "invalid_schema",
                &format!("tags[{number}]"),
                "2026-11-22T10:00:00Z",
            ));
        }
        counts.add(&letter("invalid_schema", "tags[0]", "2026-11-22T10:00:00Z"));
        let kinds = counts.kinds();
        assert_eq!((counts.total, kinds.len()), (KINDS_MAX + 6, KINDS_MAX + 1));
        assert_eq!(kinds[0], (OTHER, "", 5));
        assert_eq!(kinds[1], ("invalid_schema", "tags[0]: expected a string", 2));
    }
}
