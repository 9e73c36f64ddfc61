//! One change of a rule: what was written, whether it weakens, and how it is made.

use std::ops::Range;

use jiff::{Timestamp, civil::Date};

use super::overlay::{Weakened, entries, items, scalar};
use crate::{
    diagnostic::nearest,
    yaml::{Entry, Node, NodeKind, Reader},
};

/// Keys of a rule whose values are lists, which alone can be added to and taken from.
const LISTS: [&str; 9] =
    ["any", "unless", "hit", "miss", "todo", "all", "none", "languages", "surfaces"];
/// Keys of which a longer list is no weaker rule.
const STRENGTHENING: [&str; 4] = ["any", "hit", "miss", "todo"];
/// Keys that are for people.
const WORDS: [&str; 2] = ["title", "note"];

/// A change as it was written.
#[derive(Debug)]
pub(super) struct Change<'n> {
    /// The id of the rule.
    pub(super) rule: &'n str,
    pub(super) range: &'n Range<usize>,
    set: &'n [Entry],
    add: &'n [Entry],
    remove: &'n [Entry],
    pub(super) weaken: Option<Weakened>,
}

impl<'n> Change<'n> {
    /// Reads a change; what is wrong with it is reported.
    pub(super) fn read(reader: &Reader<'_>, node: &'n Node) -> Option<Self> {
        let mut keys = reader.keys(node)?;
        let rule = keys.require("rule", reader)?;
        let mut verb = |key| keys.take(key).and_then(|node| reader.keys(node));
        let [set, add, remove] =
            ["set", "add", "remove"].map(|key| verb(key).map_or(&[][..], |keys| keys.entries()));
        let weaken = keys.take("weaken");
        keys.take("note").map(|node| reader.filled(node));
        reader.finish(&keys);
        let id = reader.filled(rule)?;
        if set.is_empty() && add.is_empty() && remove.is_empty() {
            let help = "write `set`, `add` or `remove` below it";
            reader.error_help(&rule.range, "R072", "this changes nothing of the rule", help);
        }
        let weaken = weaken.and_then(|node| read_weaken(reader, id, node));
        Some(Self { rule: id, range: &rule.range, set, add, remove, weaken })
    }
}

fn read_weaken(reader: &Reader<'_>, rule: &str, node: &Node) -> Option<Weakened> {
    let mut keys = reader.keys(node)?;
    let [by, reason, until] = ["by", "reason", "until"].map(|key| keys.require(key, reader));
    reader.finish(&keys);
    let (by, reason) = (reader.filled(by?)?.to_owned(), reader.filled(reason?)?.to_owned());
    let place = until?;
    let until = reader.filled(place)?;
    if until.parse::<Date>().is_err() && until.parse::<Timestamp>().is_err() {
        let message = format!("`{until}` is no date");
        let help = "a day such as 2027-01-31, or a moment such as 2027-01-31T12:00:00Z";
        reader.error_help(&place.range, "Y013", message, help);
        return None;
    }
    Some(Weakened { rule: rule.to_owned(), by, reason, until: until.to_owned() })
}

/// A change on its way into a rule.
pub(super) struct Verbs<'a, 'f> {
    pub(super) reader: &'a Reader<'f>,
    pub(super) change: &'a Change<'a>,
    /// Where the change's file begins in the joined text.
    pub(super) offset: usize,
}

impl Verbs<'_, '_> {
    /// Whether the rule is mandatory and finds less, or counts for less, afterwards.
    pub(super) fn weakens(&self, rule: &[Entry], mandatory: &dyn Fn(&str) -> bool) -> bool {
        let old = |key: &str| rule.iter().find(|e| e.key == key).and_then(|e| scalar(&e.value));
        if !old("category").is_some_and(mandatory) {
            return false;
        }
        let harmless = |entry: &Entry| {
            let (key, new) = (entry.key.as_str(), scalar(&entry.value));
            let level = |text: Option<&str>| text.and_then(|text| text.parse::<u8>().ok());
            WORDS.contains(&key)
                || new.is_some() && new == old(key)
                || key == "severity" && level(new) >= level(old("severity"))
                || key == "status" && new == Some("enforced")
        };
        let set = self.change.set.iter().any(|entry| !harmless(entry));
        let added = self.change.add.iter().any(|e| !STRENGTHENING.contains(&e.key.as_str()));
        let removed = self.change.remove.iter().any(|entry| entry.key != "unless");
        set || added || removed
    }

    /// Makes the change: what is set, then what is removed, then what is added.
    pub(super) fn apply(&self, rule: &mut Vec<Entry>) {
        for entry in self.change.set {
            if entry.key == "id" {
                let help =
                    "ids stand in decisions and policies; deprecate the rule, and write another";
                self.reader.error_help(&entry.key_range, "R072", "an id is never changed", help);
                continue;
            }
            let fresh = self.moved_entry(entry);
            match rule.iter_mut().find(|old| old.key == entry.key) {
                Some(old) => *old = fresh,
                None => rule.push(fresh),
            }
        }
        for entry in self.lists(self.change.remove) {
            let old = rule.iter_mut().find(|old| old.key == entry.key);
            let old = old.map(|old| items_mut(&mut old.value));
            self.remove(entry, old.unwrap_or(&mut Vec::new()));
        }
        for entry in self.lists(self.change.add) {
            let fresh = items(&entry.value).iter().map(|item| moved(item, self.offset));
            match rule.iter_mut().find(|old| old.key == entry.key) {
                Some(old) => items_mut(&mut old.value).extend(fresh),
                None => rule.push(self.moved_entry(entry)),
            }
        }
    }

    /// The entries that name lists; others are refused.
    fn lists<'e>(&self, written: &'e [Entry]) -> impl Iterator<Item = &'e Entry> {
        let refuse = |entry: &&Entry| {
            let known = LISTS.contains(&entry.key.as_str());
            if !known {
                let help = match nearest(&entry.key, LISTS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("lists are: {}; all else is `set`", LISTS.join(", ")),
                };
                let message = format!("`{}` is no list of a rule", entry.key);
                self.reader.error_help(&entry.key_range, "R072", message, help);
            }
            known
        };
        written.iter().filter(refuse)
    }

    fn remove(&self, entry: &Entry, old: &mut Vec<Node>) {
        for item in items(&entry.value) {
            if let Some(place) = old.iter().position(|other| same(other, item)) {
                old.remove(place);
                continue;
            }
            let near = scalar(item).and_then(|text| nearest(text, old.iter().filter_map(scalar)));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`tidegate rules show {}` prints what is there", self.change.rule),
            };
            let message = format!("this is not in `{}` of `{}`", entry.key, self.change.rule);
            self.reader.error_help(&item.range, "R071", message, help);
        }
    }

    fn moved_entry(&self, entry: &Entry) -> Entry {
        let range = &entry.key_range;
        Entry {
            key: entry.key.clone(),
            key_range: range.start + self.offset..range.end + self.offset,
            value: moved(&entry.value, self.offset),
        }
    }
}

/// A list's items, for changes; a single value becomes a list of one.
pub(super) fn items_mut(node: &mut Node) -> &mut Vec<Node> {
    if !matches!(node.kind, NodeKind::Sequence(_)) {
        let single = node.clone();
        node.kind = NodeKind::Sequence(vec![single]);
    }
    let NodeKind::Sequence(items) = &mut node.kind else { unreachable!("it was made one above") };
    items
}

/// The same value further behind.
fn moved(node: &Node, by: usize) -> Node {
    let kind = match &node.kind {
        NodeKind::Scalar { .. } => node.kind.clone(),
        NodeKind::Sequence(items) => {
            NodeKind::Sequence(items.iter().map(|item| moved(item, by)).collect())
        }
        NodeKind::Mapping(entries) => {
            let entry = |entry: &Entry| Entry {
                key: entry.key.clone(),
                key_range: entry.key_range.start + by..entry.key_range.end + by,
                value: moved(&entry.value, by),
            };
            NodeKind::Mapping(entries.iter().map(entry).collect())
        }
    };
    Node { range: node.range.start + by..node.range.end + by, kind }
}

/// Whether two values say the same, however they are written.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (NodeKind::Sequence(a), NodeKind::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (NodeKind::Mapping(_), NodeKind::Mapping(_)) => {
            let (a, b) = (entries(a), entries(b));
            let has = |x: &Entry| b.iter().any(|y| x.key == y.key && same(&x.value, &y.value));
            a.len() == b.len() && a.iter().all(has)
        }
        _ => scalar(a).is_some() && scalar(a) == scalar(b),
    }
}
