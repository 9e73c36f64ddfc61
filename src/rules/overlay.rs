//! Changes that a later folder makes to rules of an earlier one, by name and with explicit verbs.
//!
//! ```yaml
//! pack: my-changes
//! rules:
//!   - rule: scam_fraud/off-platform-contact
//!     set: {severity: 2}
//!     add: {unless: [ask in store]}
//!     remove: {any: [message me]}
//! ```
//!
//! Works on what was typed, before it has a meaning: a changed pack is read like any other, so that
//! every key a rule may have can be changed, and every gate sees the result. Knows no categories but by
//! the question whether one is mandatory. A change that cannot be made is a diagnostic.
//!
//! A changed pack's values stand in several files. Its text is those files' texts, one behind the
//! other; [`Layered::origin`] leads a place in it back to the file that a person wrote.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    change::{Change, Verbs},
    file::{ListReference, PackFile, list_references, read_pack},
};
use crate::{
    diagnostic::{Diagnostics, Location, SourceFile, nearest},
    yaml::{Entry, Node, NodeKind, Reader, parse},
};

/// Every pack, the changes of later folders made.
#[derive(Debug, Default)]
pub struct Layered {
    packs: Vec<PackTree>,
    /// Weakened rules of mandatory categories.
    weakened: Vec<Weakened>,
}

/// A rule that nothing may weaken, and whose weakening somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakened {
    /// The rule's id.
    pub rule: String,
    /// Who answers for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The day or moment it was meant to end, as written.
    pub until: String,
}

/// A pack as it was typed, with the changes in it.
#[derive(Debug)]
pub(super) struct PackTree {
    /// The joined texts of the pack's file and of those that change it.
    file: Arc<SourceFile>,
    root: Node,
    /// Where each file's text begins; the first is the pack's own.
    parts: Vec<(usize, Arc<SourceFile>)>,
    /// Lists of the files that change it.
    lists: Vec<ListReference>,
    /// The rules that were changed, and where.
    changes: Vec<(String, Location)>,
}

/// A rule as it was typed, with the changes in it.
#[derive(Debug, Clone, Copy)]
pub struct RuleTree<'a> {
    pack: &'a PackTree,
    node: &'a Node,
}

impl Layered {
    /// Reads the packs of folders, later ones over earlier ones. `mandatory` says of which categories
    /// nothing may be weakened.
    pub fn read(
        folders: &[Vec<Arc<SourceFile>>],
        mandatory: &dyn Fn(&str) -> bool,
        out: &mut Diagnostics,
    ) -> Self {
        let mut layered = Self::default();
        for files in folders {
            let mut fresh: Vec<PackTree> =
                files.iter().filter_map(|file| PackTree::parse(file, out)).collect();
            let mut seen: BTreeMap<String, Location> = BTreeMap::new();
            for at in 0..fresh.len() {
                for item in fresh[at].take_changes() {
                    let file = Arc::clone(&fresh[at].file);
                    let reader = Reader::new(&file, out);
                    let Some(change) = Change::read(&reader, &item) else { continue };
                    if let Some(first) = seen.get(change.rule) {
                        let (line, _) = first.line_column();
                        let help = format!("the first stands in {}:{line}", first.file.path);
                        let message = format!("`{}` is changed twice in this folder", change.rule);
                        reader.error_help(change.range, "R072", message, help);
                        continue;
                    }
                    seen.insert(change.rule.to_owned(), reader.location(change.range));
                    let lists = fresh[at].own_lists();
                    layered.change(&reader, &fresh, &change, lists, mandatory);
                }
            }
            layered.packs.append(&mut fresh);
        }
        layered
    }

    /// What the packs mean; the checks of form are made here.
    pub fn packs(&self, out: &mut Diagnostics) -> Vec<PackFile> {
        let read = |tree: &PackTree, out: &mut Diagnostics| {
            let mut pack = read_pack(&tree.file, &tree.root, out)?;
            pack.lists.extend(tree.lists.iter().cloned());
            Some(pack)
        };
        self.packs.iter().filter_map(|tree| read(tree, out)).collect()
    }

    /// Weakened rules of mandatory categories, in the order of the files.
    pub fn weakened(&self) -> &[Weakened] {
        &self.weakened
    }

    /// Every rule, in the order of the files.
    pub fn rules(&self) -> impl Iterator<Item = RuleTree<'_>> {
        self.packs.iter().flat_map(|pack| pack.rules().map(move |node| RuleTree { pack, node }))
    }

    /// The place in the file that a person wrote; nothing where it is that already.
    pub fn origin(&self, location: &Location) -> Option<Location> {
        let joined =
            |pack: &&PackTree| pack.parts.len() > 1 && Arc::ptr_eq(&pack.file, &location.file);
        let pack = self.packs.iter().find(joined)?;
        Some(pack.origin(&location.range))
    }

    /// Makes one change, or says why it cannot be made.
    fn change(
        &mut self,
        reader: &Reader<'_>,
        fresh: &[PackTree],
        change: &Change<'_>,
        lists: Vec<ListReference>,
        mandatory: &dyn Fn(&str) -> bool,
    ) {
        let Some((pack, place)) = self.find(change.rule) else {
            self.unknown(reader, fresh, change);
            return;
        };
        let pack = &mut self.packs[pack];
        let offset = pack.join(reader.file());
        for list in lists {
            let same = |other: &ListReference| {
                other.name == list.name && !Arc::ptr_eq(&other.from, &list.from)
            };
            if pack.own_lists().iter().chain(&pack.lists).any(same) {
                let message = format!("the changed pack has another list `{}`", list.name);
                reader.error_help(&list.range, "R072", message, "give the list another name");
            } else if !pack.lists.iter().any(|other| other.name == list.name) {
                pack.lists.push(list);
            }
        }
        pack.changes.push((change.rule.to_owned(), reader.location(change.range)));
        let Some(rule) = pack.rule_mut(place) else { return };
        let verbs = Verbs { reader, change, offset };
        let weakens = verbs.weakens(rule, mandatory);
        verbs.apply(rule);
        match (&change.weaken, weakens) {
            (Some(weaken), true) => self.weakened.push(weaken.clone()),
            (None, true) => {
                let message = format!("`{}` is mandatory: this would weaken it", change.rule);
                let help =
                    "somebody answers for it: `weaken: {by: …, reason: …, until: 2027-01-31}`";
                reader.error_help(change.range, "R073", message, help);
            }
            (_, false) => {}
        }
    }

    fn find(&self, id: &str) -> Option<(usize, usize)> {
        let named = |(at, pack): (usize, &PackTree)| {
            let place = pack.rules().position(|rule| pack.id_of(rule).as_deref() == Some(id))?;
            Some((at, place))
        };
        self.packs.iter().enumerate().find_map(named)
    }

    fn unknown(&self, reader: &Reader<'_>, fresh: &[PackTree], change: &Change<'_>) {
        let ids = |packs: &[PackTree]| -> Vec<String> {
            packs.iter().flat_map(|pack| pack.rules().filter_map(|rule| pack.id_of(rule))).collect()
        };
        if ids(fresh).iter().any(|id| id == change.rule) {
            let message = format!("`{}` stands in the same folder", change.rule);
            reader.error_help(change.range, "R072", message, "change it where it stands");
            return;
        }
        let known = ids(&self.packs);
        let help = match nearest(change.rule, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`tidegate rules show` lists the rules of all folders".to_owned(),
        };
        let message = format!("no earlier folder has a rule `{}`", change.rule);
        reader.error_help(change.range, "R070", message, help);
    }
}

impl PackTree {
    fn parse(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<Self> {
        let root = parse(file, out)?;
        let (file, parts) = (Arc::clone(file), vec![(0, Arc::clone(file))]);
        Some(Self { file, root, parts, lists: Vec::new(), changes: Vec::new() })
    }

    fn value(&self, key: &str) -> Option<&Node> {
        entries(&self.root).iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    fn rules(&self) -> impl Iterator<Item = &Node> {
        self.value("rules").map_or(&[][..], items).iter()
    }

    /// The whole id of a rule.
    fn id_of(&self, rule: &Node) -> Option<String> {
        let id = entries(rule).iter().find(|entry| entry.key == "id")?;
        Some(format!("{}/{}", scalar(self.value("pack")?)?, scalar(&id.value)?))
    }

    fn rule_mut(&mut self, place: usize) -> Option<&mut Vec<Entry>> {
        let rule = self.rules_mut()?.get_mut(place)?;
        match &mut rule.kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    fn rules_mut(&mut self) -> Option<&mut Vec<Node>> {
        let NodeKind::Mapping(entries) = &mut self.root.kind else { return None };
        let rules = entries.iter_mut().find(|entry| entry.key == "rules")?;
        Some(super::change::items_mut(&mut rules.value))
    }

    /// Takes the changes of other packs' rules out.
    fn take_changes(&mut self) -> Vec<Node> {
        let is_change = |node: &Node| {
            let has = |key: &str| entries(node).iter().any(|entry| entry.key == key);
            has("rule") && !has("id")
        };
        if !self.rules().any(is_change) {
            return Vec::new();
        }
        let Some(rules) = self.rules_mut() else { return Vec::new() };
        let (changes, own) = std::mem::take(rules).into_iter().partition(is_change);
        *rules = own;
        changes
    }

    /// The lists that the pack's own file declares; what is wrong with them is said elsewhere.
    fn own_lists(&self) -> Vec<ListReference> {
        let mut silent = Diagnostics::default();
        let reader = Reader::new(&self.file, &mut silent);
        self.value("lists").map(|node| list_references(&reader, node)).unwrap_or_default()
    }

    /// Adds a file's text, unless it is there; gives the place where it begins.
    fn join(&mut self, file: &Arc<SourceFile>) -> usize {
        let known = self.parts.iter().find(|(_, part)| Arc::ptr_eq(part, file));
        if let Some((start, _)) = known {
            return *start;
        }
        let start = self.file.text.len() + 1;
        let text = format!("{}\n{}", self.file.text, file.text);
        self.file = Arc::new(SourceFile { path: self.file.path.clone(), text });
        self.parts.push((start, Arc::clone(file)));
        start
    }

    fn origin(&self, range: &std::ops::Range<usize>) -> Location {
        let part = self.parts.iter().rfind(|(start, _)| *start <= range.start);
        let (start, file) = part.unwrap_or(&self.parts[0]);
        let end = range.end.saturating_sub(*start).min(file.text.len());
        Location { file: Arc::clone(file), range: range.start - start..end }
    }
}

impl<'a> RuleTree<'a> {
    /// The whole id; nothing where it cannot be read.
    pub fn id(&self) -> Option<String> {
        self.pack.id_of(self.node)
    }

    /// The keys with their values.
    pub fn entries(&self) -> &'a [Entry] {
        entries(self.node)
    }

    /// Where it was changed, in the order of the changes.
    pub fn changes(&self) -> impl Iterator<Item = &'a Location> {
        let id = self.id();
        let changes = self.pack.changes.iter();
        changes.filter(move |(rule, _)| Some(rule) == id.as_ref()).map(|(_, place)| place)
    }

    /// Where a value was written.
    pub fn origin(&self, node: &Node) -> Location {
        self.pack.origin(&node.range)
    }

    /// The file of the pack.
    pub fn file(&self) -> &'a Arc<SourceFile> {
        &self.pack.parts[0].1
    }

    /// The rule's bytes in the file of the pack.
    pub fn range(&self) -> &'a std::ops::Range<usize> {
        &self.node.range
    }
}

/// The items of a list; a single value stands for a list of one.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::Sequence(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// The keys of a mapping, none of anything else.
pub(super) fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        NodeKind::Mapping(entries) => entries,
        _ => &[],
    }
}

/// The text of a scalar.
pub(super) fn scalar(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
