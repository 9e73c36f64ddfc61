//! What was seen and is no evidence, and why: for explanations.
//!
//! The scan tells a [`Witness`] of everything that it drops, so an explanation cannot tell another
//! story than the scan. Posts are moderated before `()`, who does not listen: nothing of it is left in
//! the machine's code.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use super::{
    combine::Lacking,
    entry::{Entry, Role},
    ruleset::{Find, Ruleset, ScanPart, Scanned, Setting},
};
use crate::{
    condition::{self, Circumstances, Seen},
    post::Field,
    signal::{Language, RuleFacts, RuleHit, TextSpan},
    text::{SentenceLanguage, Utf16Cursor, View, sentence_language},
};

/// Most different near hits that are kept; a post made of near hits costs no more than that.
const NOTES_MAX: usize = 4096;
/// Bytes of a regex's required words from which on they are worth telling without the rest: two Han
/// characters.
const CALL_BYTES_MIN: u32 = 6;
/// Most entries that are named where one of them is lacking.
const NAMES_MAX: usize = 4;
/// Most near hits that are told.
pub const NEAR_HITS_MAX: usize = 64;

/// Why a place where an entry's letters stand is no find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Directly after one of `not_after`.
    NotAfter,
    /// Directly before one of `not_before`.
    NotBefore,
    /// The rule does not look at posts of this surface.
    Surface,
    /// The entry does not look at this field.
    Field,
    /// The original has other capitals.
    Case,
    /// The entry must be the whole field.
    NotWhole,
    /// It lies inside an address or a mention.
    Address,
    /// It is a part of another host's name.
    Host,
    /// A longer word begins before it.
    LeftEdge,
    /// A longer word goes on after it.
    RightEdge,
    /// The words that the regex needs are there, and the rest of it is not.
    Rest,
    /// Its letters stand doubled or single where the entry's do not.
    Letters,
}

/// Why something that was seen is no evidence; the order is the order of telling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The rule asks for more than was found.
    Lacking(Lack),
    /// The place does not satisfy the entry.
    Refused(Refusal),
    /// A longer find of the same rule covers it, by this entry.
    Covered(Arc<str>),
}

/// What a rule asks for that was not found, or that was found and must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// The rule needs more different entries.
    Entries {
        /// How many were found.
        found: usize,
        /// How many the rule's `min` asks for.
        needed: usize,
    },
    /// The entries stand at another number of places.
    Places {
        /// How many were found.
        found: usize,
        /// What the rule's `count` asks for.
        needed: String,
    },
    /// Nothing of a group of `all` was found; its entries.
    Group(Vec<Arc<str>>),
    /// An entry of `none` was found.
    Veto(Arc<str>),
    /// What must stand near does not.
    Near {
        /// The entries that are looked for.
        entries: Vec<Arc<str>>,
        /// Most graphemes between.
        within: u32,
    },
    /// The rule's condition does not hold.
    Condition(condition::Unmet),
    /// The rule drops finds in sentences of another language.
    Language,
}

/// Something that nearly hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearHit {
    /// The rule.
    pub rule: Arc<RuleFacts>,
    /// The entry as its author wrote it.
    pub entry: Arc<str>,
    /// It is one of the rule's `unless` phrases: it would have cancelled, not found.
    pub exception: bool,
    /// The field it stands in.
    pub field: Field,
    /// The place in the field's list.
    pub index: Option<u16>,
    /// The first place.
    pub span: TextSpan,
    /// How many places there are.
    pub times: usize,
    /// The cheapest view that shows it.
    pub view: View,
    /// Why it is no evidence.
    pub why: Why,
}

/// What a hit's rule expects, and what stands around its first place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The languages that the rule expects; empty: any.
    pub languages: Vec<Language>,
    /// The language of the sentence.
    pub sentence: SentenceLanguage,
}

/// A scan with everything that it dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct Trace {
    /// What [`Ruleset::scan`] answers, exactly.
    pub scanned: Scanned,
    /// For each hit, in the same order.
    pub expected: Vec<Expected>,
    /// Near hits, the most telling first; at most [`NEAR_HITS_MAX`].
    pub near: Vec<NearHit>,
    /// There were more near hits.
    pub more: bool,
}

impl Ruleset {
    /// Scans once more, and keeps what is dropped on the way.
    pub fn trace(&self, parts: &[ScanPart<'_>], circumstances: &Circumstances<'_>) -> Trace {
        let mut notes = Notes::default();
        let scanned = self.scan_before(parts, Setting::of(circumstances), &mut notes);
        let expected = scanned.hits.iter().map(|hit| self.expected(parts, hit)).collect();
        let near = Near { rules: self, parts, circumstances };
        let mut near = near.hits(&notes, &scanned.hits);
        let more = notes.full || near.len() > NEAR_HITS_MAX;
        near.truncate(NEAR_HITS_MAX);
        Trace { scanned, expected, near, more }
    }

    fn expected(&self, parts: &[ScanPart<'_>], hit: &RuleHit) -> Expected {
        let rule = self.rules.iter().find(|rule| rule.facts.id == hit.rule.id);
        let rule = rule.expect("a hit is of a rule that was scanned");
        let here = |part: &&ScanPart<'_>| (part.field, part.index) == (hit.field, hit.index);
        let part = parts.iter().find(here).expect("a hit lies in a part that was scanned");
        let span = hit.spans.first().map_or(0..0, |span| span.bytes.range());
        let sentence = sentence_language(part.original, span);
        let languages = rule.languages.iter().map(|tag| tag.language).collect();
        Expected { languages, sentence }
    }
}

/// What near hits are told of.
struct Near<'a> {
    rules: &'a Ruleset,
    parts: &'a [ScanPart<'a>],
    circumstances: &'a Circumstances<'a>,
}

impl Near<'_> {
    /// What was noted and says more than the hits do.
    fn hits(&self, notes: &Notes, hits: &[RuleHit]) -> Vec<NearHit> {
        let mut near: Vec<NearHit> = notes
            .seen
            .iter()
            .map(|(&(entry, part, cause), noted)| self.hit(entry, part, cause, noted))
            .filter(|near| !hits.iter().any(|hit| says_as_much(hit, near)))
            .collect();
        near.sort_by(|a, b| {
            let key = |near: &NearHit| (near.why.clone(), near.exception);
            let place = |near: &NearHit| (near.field, near.index, near.span);
            let rule = |near: &NearHit| std::cmp::Reverse(near.rule.severity);
            key(a).cmp(&key(b)).then(rule(a).cmp(&rule(b))).then(place(a).cmp(&place(b)))
        });
        near
    }

    fn hit(&self, entry: usize, part: usize, cause: Cause, noted: &Noted) -> NearHit {
        let entries = &self.rules.entries;
        let (entry, part) = (&entries[entry], &self.parts[part]);
        let rule = &self.rules.rules[entry.rule];
        let seen = Seen { field: Some(part.field), obfuscated: noted.find.view >= View::Skeleton };
        let bytes = noted.find.span;
        NearHit {
            rule: Arc::clone(&rule.facts),
            entry: Arc::clone(&entry.name),
            exception: entry.role == Role::Excepts,
            field: part.field,
            index: part.index,
            span: TextSpan { bytes, utf16: Utf16Cursor::new(part.original).span(bytes) },
            times: noted.times,
            view: noted.find.view,
            why: match cause {
                Cause::Lacking(lacking) => Why::Lacking(self.lack(entry.rule, lacking, seen)),
                Cause::Refused(refusal) => Why::Refused(refusal),
                Cause::Covered(by) => Why::Covered(Arc::clone(&entries[by].name)),
            },
        }
    }

    /// What the rule at this place lacks, in its author's words.
    fn lack(&self, rule: usize, lacking: Lacking, seen: Seen) -> Lack {
        let (place, rule) = (rule, &self.rules.rules[rule]);
        let (entries, combination) = (&self.rules.entries, &rule.combination);
        let named = |wanted: &dyn Fn(Role) -> bool| {
            let of_rule = |entry: &&Entry| entry.rule == place && wanted(entry.role);
            let mut names: Vec<Arc<str>> =
                entries.iter().filter(of_rule).map(|entry| Arc::clone(&entry.name)).collect();
            names.dedup();
            names.truncate(NAMES_MAX);
            names
        };
        match lacking {
            Lacking::Entries(found) => Lack::Entries { found, needed: combination.min },
            Lacking::Places(found) => {
                let needed = combination.count.map(|count| count.to_string());
                Lack::Places { found, needed: needed.unwrap_or_default() }
            }
            Lacking::Group(group) => Lack::Group(named(&|role| role == Role::Group(group))),
            Lacking::Veto(entry) => Lack::Veto(Arc::clone(&entries[entry].name)),
            Lacking::Near(which) => Lack::Near {
                entries: named(&|role| match (role, which) {
                    (Role::Near(number), Some(which)) => number == which,
                    (role, _) => matches!(role, Role::Near(_)),
                }),
                within: combination.near.as_ref().map_or(0, |near| near.within),
            },
            Lacking::Condition => {
                let unmet =
                    rule.when.as_ref().and_then(|when| when.unmet(self.circumstances, seen));
                Lack::Condition(unmet.expect("the same condition did not hold before"))
            }
            Lacking::Language => Lack::Language,
        }
    }
}

/// Whether a hit at the same place makes a near hit idle talk: the same entry in another view, or any
/// find of the rule where the place was refused.
fn says_as_much(hit: &RuleHit, near: &NearHit) -> bool {
    let here = hit.rule.id == near.rule.id && (hit.field, hit.index) == (near.field, near.index);
    let (start, end) = (near.span.bytes.start(), near.span.bytes.end());
    let overlaps = |span: &TextSpan| span.bytes.start() < end && start < span.bytes.end();
    let same_kind = hit.entry == near.entry || matches!(near.why, Why::Refused(_));
    here && same_kind && !near.exception && hit.spans.iter().any(overlaps)
}

/// Who is told what a scan drops.
pub(super) trait Witness {
    /// Whether anything is done with what is told.
    const LISTENS: bool;

    /// The letters of an entry stand here, and the place does not satisfy it.
    fn refused(&mut self, find: Find, why: Refusal);

    /// A find that a longer one of the same rule covers.
    fn covered(&mut self, find: Find, by: Find);

    /// A find of a rule that asks for more, or for less.
    fn lacking(&mut self, find: Find, lacking: Lacking);
}

impl Witness for () {
    const LISTENS: bool = false;

    fn refused(&mut self, _: Find, _: Refusal) {}
    fn covered(&mut self, _: Find, _: Find) {}
    fn lacking(&mut self, _: Find, _: Lacking) {}
}

/// The first place of everything that was dropped, by entry, part and cause.
#[derive(Default)]
struct Notes {
    seen: BTreeMap<(usize, usize, Cause), Noted>,
    full: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Lacking(Lacking),
    Refused(Refusal),
    Covered(usize),
}

struct Noted {
    find: Find,
    times: usize,
}

impl Notes {
    fn note(&mut self, find: Find, cause: Cause) {
        let room = self.seen.len() < NOTES_MAX;
        match self.seen.entry((find.entry, find.part, cause)) {
            btree_map::Entry::Occupied(noted) => {
                let noted = noted.into_mut();
                // A place that several views show is one place.
                noted.times += usize::from(noted.find.view == find.view);
            }
            btree_map::Entry::Vacant(free) if room => {
                free.insert(Noted { find, times: 1 });
            }
            btree_map::Entry::Vacant(_) => self.full = true,
        }
    }
}

impl Witness for Notes {
    const LISTENS: bool = true;

    fn refused(&mut self, find: Find, why: Refusal) {
        // Short words call a regex from everywhere.
        if why == Refusal::Rest && find.span.len() < CALL_BYTES_MIN {
            return;
        }
        self.note(find, Cause::Refused(why));
    }

    fn covered(&mut self, find: Find, by: Find) {
        // An entry covers itself wherever a dearer view shows it once more.
        if find.entry != by.entry {
            self.note(find, Cause::Covered(by.entry));
        }
    }

    fn lacking(&mut self, find: Find, lacking: Lacking) {
        self.note(find, Cause::Lacking(lacking));
    }
}
