//! Ten invariants, held against what a run has left behind. Knows no broker and no worker: the same
//! checks run over evidence that was falsified on purpose, and must then fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::evidence::{Content, Evidence, Kind, Output, Place, allows};

/// What always holds, whatever fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Invariant {
    /// I1: every post has an end.
    Complete,
    /// I2: no post has both a decision and a dead letter.
    Exclusive,
    /// I3: repeats stay within what the faults explain, and carry the same id.
    Bounded,
    /// I4: the first ends of a key's posts come in the order of the posts.
    Ordered,
    /// I5: every output is about a post that was written, has its key and says the right thing.
    Genuine,
    /// I6: at a crash, everything below a committed position had its end.
    NotEarly,
    /// I7: in the end the positions are behind the last post.
    Alive,
    /// I8: memory stays within its budget.
    Frugal,
    /// I9: what an operator must be told is told, with the right exit code.
    Clear,
    /// I10: no post's text, key or password in logs, metrics, probes, headers.
    Discreet,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) records: usize,
    pub(crate) lost: usize,
    pub(crate) repeated: usize,
    pub(crate) repeated_beyond_bound: usize,
    pub(crate) order_breaks: usize,
    pub(crate) broken: Vec<(Invariant, String)>,
}

impl Findings {
    pub(crate) fn broke(&self, invariant: Invariant) -> bool {
        self.broken.iter().any(|(broken, _)| *broken == invariant)
    }

    fn fail(&mut self, invariant: Invariant, text: impl Into<String>) {
        self.broken.push((invariant, text.into()));
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            Self::Complete,
            Self::Exclusive,
            Self::Bounded,
            Self::Ordered,
            Self::Genuine,
            Self::NotEarly,
            Self::Alive,
            Self::Frugal,
            Self::Clear,
            Self::Discreet,
        ];
        let number = all.iter().position(|each| each == self).expect("all are listed") + 1;
        write!(f, "I{number} {self:?}")
    }
}

/// Holds the evidence against every invariant.
pub(crate) fn check(evidence: &Evidence) -> Findings {
    let mut found = Findings { records: evidence.posts.len(), ..Findings::default() };
    let mut ends: BTreeMap<Place, Vec<&Output>> = BTreeMap::new();
    for output in &evidence.outputs {
        ends.entry(output.about).or_default().push(output);
    }
    complete(evidence, &ends, &mut found);
    exclusive(&ends, &mut found);
    bounded(evidence, &ends, &mut found);
    ordered(evidence, &mut found);
    genuine(evidence, &mut found);
    not_early(evidence, &mut found);
    alive(evidence, &mut found);
    let (most, budget) = evidence.memory;
    if most > budget {
        found.fail(Invariant::Frugal, format!("{most} MiB of {budget} MiB"));
    }
    for surprise in &evidence.surprises {
        found.fail(Invariant::Clear, surprise);
    }
    discreet(evidence, &mut found);
    found
}

type Ends<'a> = BTreeMap<Place, Vec<&'a Output>>;

fn complete(evidence: &Evidence, ends: &Ends<'_>, found: &mut Findings) {
    if evidence.unwritten > 0 {
        let text =
            format!("{} posts of the ledger are not in their topic once", evidence.unwritten);
        found.fail(Invariant::Complete, text);
    }
    let lost: Vec<&Place> =
        evidence.posts.keys().filter(|place| !ends.contains_key(place)).collect();
    found.lost = lost.len();
    if !lost.is_empty() {
        found.fail(Invariant::Complete, format!("{} posts lost: {}", lost.len(), some(&lost)));
    }
}

fn exclusive(ends: &Ends<'_>, found: &mut Findings) {
    let both = |outputs: &[&Output]| {
        let kinds: BTreeSet<Kind> = outputs.iter().map(|output| output.kind()).collect();
        kinds.len() > 1
    };
    let both: Vec<&Place> = ends.iter().filter(|(_, all)| both(all)).map(|(at, _)| at).collect();
    if !both.is_empty() {
        found.fail(Invariant::Exclusive, format!("decided and dead-lettered: {}", some(&both)));
    }
}

fn bounded(evidence: &Evidence, ends: &Ends<'_>, found: &mut Findings) {
    found.repeated = ends.values().map(|outputs| outputs.len() - 1).sum();
    found.repeated_beyond_bound = found.repeated.saturating_sub(evidence.repeats_max);
    if found.repeated_beyond_bound > 0 {
        let places: Vec<&Place> =
            ends.iter().filter(|(_, all)| all.len() > 1).map(|(at, _)| at).collect();
        let (repeated, explained, places) = (found.repeated, evidence.repeats_max, some(&places));
        let text = format!("{repeated} repeats, {explained} explained: {places}");
        found.fail(Invariant::Bounded, text);
    }
    let ids = |outputs: &[&Output]| -> BTreeSet<String> {
        let id = |output: &&Output| match &output.content {
            Content::Decision { id, .. } => Some(id.clone()),
            Content::Letter { .. } => None,
        };
        outputs.iter().filter_map(id).collect()
    };
    let several: Vec<&Place> =
        ends.iter().filter(|(_, all)| ids(all).len() > 1).map(|(at, _)| at).collect();
    if !several.is_empty() {
        found.fail(Invariant::Bounded, format!("repeats with another id: {}", some(&several)));
    }
    let mut owners: BTreeMap<String, Place> = BTreeMap::new();
    for (&place, outputs) in ends {
        for id in ids(outputs) {
            if owners.insert(id, place).is_some_and(|owner| owner != place) {
                found.fail(Invariant::Bounded, format!("{place:?} has the id of another record"));
            }
        }
    }
}

/// What keeps its order: a partition that is written to, one that was read, a key.
type Line<'a> = ((Kind, i32), i32, Option<&'a [u8]>);

/// Within one partition of an output topic, the first ends of one key's posts rise.
fn ordered(evidence: &Evidence, found: &mut Findings) {
    let mut seen: BTreeSet<((Kind, i32), Place)> = BTreeSet::new();
    let mut last: BTreeMap<Line<'_>, i64> = BTreeMap::new();
    let mut breaks = Vec::new();
    for output in &evidence.outputs {
        if !seen.insert((output.stands_in, output.about)) {
            continue;
        }
        let key = (output.stands_in, output.about.0, output.key.as_deref());
        let before = last.insert(key, output.about.1);
        if before.is_some_and(|before| before > output.about.1) {
            breaks.push(output.about);
        }
    }
    found.order_breaks = breaks.len();
    if !breaks.is_empty() {
        found.fail(Invariant::Ordered, format!("after a later one: {}", some(&breaks)));
    }
}

fn genuine(evidence: &Evidence, found: &mut Findings) {
    let mut wrong = Vec::new();
    for output in &evidence.outputs {
        let Some(post) = evidence.posts.get(&output.about) else {
            wrong.push((output.about, "is about no post"));
            continue;
        };
        if !allows(post.expect, &output.content) {
            wrong.push((output.about, "should have ended otherwise"));
        }
        let right = match &output.content {
            Content::Decision { post_id, .. } => {
                let key = post.key.as_deref().unwrap_or(post_id.as_bytes());
                output.key.as_deref() == Some(key) && names(post.value.as_deref(), post_id)
            }
            Content::Letter { claims: true, value, .. } => value.is_none(),
            Content::Letter { value, .. } => output.key == post.key && *value == post.value,
        };
        if !right {
            wrong.push((output.about, "has another key, id or value"));
        }
    }
    if !wrong.is_empty() {
        found.fail(Invariant::Genuine, format!("{} outputs: {}", wrong.len(), some(&wrong)));
    }
}

/// Whether a post says that this is its id.
fn names(value: Option<&[u8]>, post_id: &str) -> bool {
    /// The rest may hold numbers beyond all measure.
    #[derive(serde::Deserialize)]
    struct Post {
        id: String,
    }
    let post = value.and_then(|value| serde_json::from_slice::<Post>(value).ok());
    post.is_some_and(|post| post.id == post_id)
}

fn not_early(evidence: &Evidence, found: &mut Findings) {
    for crash in &evidence.crashes {
        let ended: BTreeSet<&Place> = crash.ended.iter().collect();
        let early = |place: &&Place| {
            crash.committed.get(&place.0).is_some_and(|next| place.1 < *next)
                && !ended.contains(place)
        };
        let early: Vec<&Place> = evidence.posts.keys().filter(early).collect();
        if !early.is_empty() {
            let text = format!("{} committed before their end: {}", early.len(), some(&early));
            found.fail(Invariant::NotEarly, text);
        }
    }
}

fn alive(evidence: &Evidence, found: &mut Findings) {
    let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
    for &(partition, offset) in evidence.posts.keys() {
        ends.insert(partition, offset + 1);
    }
    let behind = |partition: &i32, end: i64| {
        evidence.committed.get(partition).is_none_or(|committed| *committed < end)
    };
    let behind: Vec<i32> =
        ends.iter().filter(|(p, end)| behind(p, **end)).map(|(p, _)| *p).collect();
    if !behind.is_empty() {
        let text = format!("positions of {behind:?} stayed at {:?}", evidence.committed);
        found.fail(Invariant::Alive, text);
    }
}

fn discreet(evidence: &Evidence, found: &mut Findings) {
    for secret in &evidence.secrets {
        if evidence.said.iter().any(|said| said.contains(secret.as_str())) {
            found.fail(Invariant::Discreet, format!("`{secret}` was said"));
        }
    }
}

fn some<T: fmt::Debug>(list: &[T]) -> String {
    let rest = if list.len() > 5 { " …" } else { "" };
    format!("{:?}{rest}", &list[..list.len().min(5)])
}
