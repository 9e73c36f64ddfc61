//! What a rule asks for beside one find: `all`, `none`, `count`, `near`, as they are typed.

use super::file::{EntryFile, entries, entry};
use crate::{
    condition::Comparison,
    yaml::{Keys, Node, NodeKind, Reader},
};

/// Farthest distance that `within` may ask for, in graphemes.
const WITHIN_MAX: u32 = 1000;
/// Most groups of `all`, and most entries of `near`.
const GROUPS_MAX: usize = 64;

/// What a rule asks for beside one find.
#[derive(Debug, Default)]
pub struct CombinationFile {
    /// How many different entries of `any` must be there.
    pub min: Option<usize>,
    /// How often the entries of `any` must be there.
    pub count: Option<Comparison>,
    /// Of each group one entry must be there.
    pub all: Vec<Vec<EntryFile>>,
    /// What vetoes the whole post.
    pub none: Vec<EntryFile>,
    /// What must stand near a find.
    pub near: Option<NearFile>,
}

/// What must stand near a find, in the same text.
#[derive(Debug)]
pub struct NearFile {
    /// Each of the entries must; otherwise one of them is enough.
    pub every: bool,
    /// The entries.
    pub entries: Vec<EntryFile>,
    /// Most graphemes of the standard view between the two.
    pub within: u32,
}

impl CombinationFile {
    /// Reads the keys of a rule.
    pub(super) fn read(reader: &Reader<'_>, keys: &mut Keys<'_>) -> Self {
        let min = keys.take("min").and_then(|n| reader.parsed::<usize>(n, "a number of entries"));
        let count = keys.take("count").and_then(|node| count(reader, node));
        let groups = keys.take("all").map_or(&[][..], |node| bounded(reader, node));
        let all = groups.iter().map(|node| group(reader, node)).collect();
        let none = keys.take("none").map(|node| entries(reader, node)).unwrap_or_default();
        let near = keys.take("near").and_then(|node| near(reader, node));
        Self { min, count, all, none, near }
    }
}

/// A group of `all`: one entry, or `{any: […]}`.
fn group(reader: &Reader<'_>, node: &Node) -> Vec<EntryFile> {
    let choice = match &node.kind {
        NodeKind::Mapping(keys) => keys.iter().any(|key| key.key == "any"),
        _ => false,
    };
    if !choice {
        return entry(reader, node).into_iter().collect();
    }
    let Some(mut keys) = reader.keys(node) else { return Vec::new() };
    let found = keys.take("any").map(|node| entries(reader, node)).unwrap_or_default();
    reader.finish(&keys);
    if found.is_empty() {
        reader.error(&node.range, "R036", "a group of `all` needs an entry");
    }
    found
}

fn count(reader: &Reader<'_>, node: &Node) -> Option<Comparison> {
    let text = reader.filled(node)?;
    let read: Option<Comparison> = text.parse().ok();
    // A rule is asked only where it has found something.
    let possible = |count: &Comparison| (1..=100_000).any(|n: u32| count.holds(n.into()));
    let read = read.filter(possible);
    if read.is_none() {
        let message = format!("`{text}` is no count that finds can reach");
        reader.error_help(&node.range, "R036", message, "write `\">= 6\"`");
    }
    read
}

fn near(reader: &Reader<'_>, node: &Node) -> Option<NearFile> {
    let mut keys = reader.keys(node)?;
    let any_of = keys.take("any_of");
    let all_of = keys.take("all_of");
    let within = keys.require("within", reader);
    let within = within.and_then(|n| Some((n, reader.parsed::<u32>(n, "a number of characters")?)));
    reader.finish(&keys);
    let (every, node) = match (any_of, all_of) {
        (Some(node), None) => (false, node),
        (None, Some(node)) => (true, node),
        _ => {
            let help = "write exactly one of `any_of` and `all_of`";
            reader.error_help(&node.range, "R036", "it is not clear what must stand near", help);
            return None;
        }
    };
    let entries: Vec<EntryFile> =
        bounded(reader, node).iter().filter_map(|node| entry(reader, node)).collect();
    let (place, within) = within?;
    if !(1..=WITHIN_MAX).contains(&within) {
        let message = format!("`within` is a number of characters from 1 to {WITHIN_MAX}");
        reader.error(&place.range, "R036", message);
    }
    Some(NearFile { every, entries, within })
}

/// The items of a list that has a limit.
fn bounded<'n>(reader: &Reader<'_>, node: &'n Node) -> &'n [Node] {
    let items = reader.items(node);
    let in_bounds = (1..=GROUPS_MAX).contains(&items.len());
    if !in_bounds {
        let message = format!("{} entries stand here; 1 to {GROUPS_MAX} may", items.len());
        reader.error(&node.range, "R036", message);
    }
    if in_bounds { items } else { &[] }
}

impl CombinationFile {
    /// Every entry of `all`, with the number of its group.
    pub(super) fn grouped(&self) -> impl Iterator<Item = (u16, &EntryFile)> {
        let groups = (0..).zip(&self.all);
        groups.flat_map(|(group, entries)| entries.iter().map(move |entry| (group, entry)))
    }

    /// Every entry of `near`, with its number.
    pub(super) fn contexts(&self) -> impl Iterator<Item = (u16, &EntryFile)> {
        (0..).zip(self.near.iter().flat_map(|near| &near.entries))
    }

    /// Where `min`, `count` or `near` ask for what cannot be; the place is the rule's.
    pub(super) fn impossible(&self, found: usize) -> Option<(&'static str, String)> {
        match self.min {
            Some(min) if min == 0 || min > found => {
                return Some((
                    "R035",
                    format!("`min` asks for {min} entries, the rule has {found}"),
                ));
            }
            _ => {}
        }
        if found == 0 && self.all.is_empty() {
            return Some(("R036", "the rule has nothing to find: it needs `any` or `all`".into()));
        }
        if found == 0 && self.count.is_some() {
            return Some(("R036", "`count` counts the finds of `any`, which is not there".into()));
        }
        None
    }
}
