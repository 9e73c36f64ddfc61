//! What a run has left behind, as plain values: what was asked, what stands in the topics, what was
//! committed when, and everything that the workers said.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::ledger::{Entry, Expect, Ledger, NUMBER};
use crate::support::kafka::StoredRecord;

/// The place of a record in the posts topic.
pub(crate) type Place = (i32, i64);

/// Everything that the checker looks at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// What stands in the posts topic.
    pub(crate) posts: BTreeMap<Place, Arc<Entry>>,
    /// Posts of the ledger that are not there, or there twice.
    pub(crate) unwritten: usize,
    /// Decisions and dead letters in the order of their partitions.
    pub(crate) outputs: Vec<Output>,
    /// The group's positions at the end.
    pub(crate) committed: BTreeMap<i32, i64>,
    /// Positions that were committed at a crash, and places that had an end then.
    pub(crate) crashes: Vec<Crash>,
    /// How many repeats crashes, lost partitions and rebuilt producers explain.
    pub(crate) repeats_max: usize,
    /// Everything that workers logged and showed.
    pub(crate) said: Vec<String>,
    /// What must not be said.
    pub(crate) secrets: Vec<String>,
    /// The most memory of any worker, in MiB, and what it may be.
    pub(crate) memory: (u64, u64),
    /// What the fault itself expected and did not see.
    pub(crate) surprises: Vec<String>,
}

/// What stood where at the moment when a worker was killed.
#[derive(Clone, Debug)]
pub(crate) struct Crash {
    pub(crate) committed: BTreeMap<i32, i64>,
    pub(crate) ended: Vec<Place>,
}

/// A decision or a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// The partition it stands in; decisions and dead letters never share one here.
    pub(crate) stands_in: (Kind, i32),
    /// The place of the record it is about.
    pub(crate) about: Place,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Decision,
    Letter,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Decision { id: String, post_id: String },
    Letter { code: String, value: Option<Vec<u8>>, claims: bool },
}

impl Output {
    /// Reads a record of the decisions topic; nothing when it is no decision.
    pub(crate) fn decision(record: &StoredRecord) -> Option<Self> {
        let json: Value = serde_json::from_slice(record.value.as_deref()?).ok()?;
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let partition = i32::try_from(json["source"]["partition"].as_i64()?).ok()?;
        Some(Self {
            stands_in: (Kind::Decision, record.partition),
            about: (partition, json["source"]["offset"].as_i64()?),
            key: record.key.clone(),
            content: Content::Decision { id: text("id")?, post_id: text("post_id")? },
        })
    }

    /// Reads a record of the dead-letter topic; nothing when it is no dead letter.
    pub(crate) fn letter(record: &StoredRecord) -> Option<Self> {
        let number = |name: &str| header(record, name)?.parse::<i64>().ok();
        let partition = i32::try_from(number("tidegate.source.partition")?).ok()?;
        let content = Content::Letter {
            code: header(record, "tidegate.error.code")?,
            value: record.value.clone(),
            claims: header(record, "tidegate.claim.offset").is_some(),
        };
        Some(Self {
            stands_in: (Kind::Letter, record.partition),
            about: (partition, number("tidegate.source.offset")?),
            key: record.key.clone(),
            content,
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.stands_in.0
    }
}

/// The number in the ledger of a record of the posts topic.
pub(crate) fn number(record: &StoredRecord) -> Option<usize> {
    header(record, NUMBER)?.parse().ok()
}

/// The posts that were found with their entries, and how many of the ledger are missing or twice there.
pub(crate) fn posts(
    found: &[(Place, usize)],
    ledger: &Ledger,
) -> (BTreeMap<Place, Arc<Entry>>, usize) {
    let mut seen = vec![0_usize; ledger.len()];
    let mut posts = BTreeMap::new();
    for &(place, number) in found {
        if let Some(entry) = ledger.get(number) {
            seen[number] += 1;
            posts.insert(place, Arc::clone(entry));
        }
    }
    (posts, seen.iter().filter(|&&count| count != 1).count())
}

/// What an entry allows to become of it.
pub(crate) fn allows(expect: Expect, content: &Content) -> bool {
    match (expect, content) {
        (Expect::Decision, Content::Decision { .. }) => true,
        (Expect::Letter(code), Content::Letter { code: found, .. }) => code == found,
        (Expect::Decision, Content::Letter { .. })
        | (Expect::Letter(_), Content::Decision { .. }) => false,
    }
}

fn header(record: &StoredRecord, name: &str) -> Option<String> {
    let (_, value) = record.headers.iter().rfind(|(key, _)| key == name)?;
    String::from_utf8(value.clone()?).ok()
}
