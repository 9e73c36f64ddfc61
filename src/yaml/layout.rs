//! One layout for files that people write: lines move, words stay.
//!
//! Two spaces a level, one blank line at most, no space at line ends, the keys of a rule in one order.
//! Comments, quotes and line breaks are their writer's. The tree says where each line belongs; a line
//! that starts no key and no item moves with the one above it. What comes out is parsed again: where it
//! does not say the same, the file stays as it is.

use std::{collections::BTreeMap, sync::Arc};

use super::node::{Entry, Node, NodeKind, parse};
use crate::diagnostic::{Diagnostics, SourceFile};

/// The keys of a rule from first to last; others stand before the tests, in their own order.
const RULE_KEYS: [&str; 9] =
    ["id", "rule", "title", "category", "severity", "status", "languages", "mismatch", "surfaces"];
/// The last keys of a rule.
const LAST_KEYS: [&str; 4] = ["note", "hit", "miss", "todo"];

/// The text in its layout; nothing, and diagnostics, where it is no YAML.
pub fn format(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<String> {
    let text = file.text.replace("\r\n", "\n");
    let written = Arc::new(SourceFile { path: file.path.clone(), text });
    let root = parse(&written, out)?;
    let mut places = Places { text: &written.text, columns: BTreeMap::new(), held: Vec::new() };
    let indented = places.of(&root, 0).map(|()| indent(&places));
    let laid = indented.unwrap_or_else(|| written.text.clone());
    let laid = tidy(&laid, &held_lines(&laid, file)?);
    let ordered = in_order(&laid, file);
    let same = |text: &str| {
        let fresh = source(file, text);
        let mut silent = Diagnostics::default();
        parse(&fresh, &mut silent).is_some_and(|fresh| says_the_same(&root, &fresh))
    };
    [ordered, Some(laid)]
        .into_iter()
        .flatten()
        .find(|text| same(text))
        .or(Some(written.text.clone()))
}

/// A list of words in its layout: no space at line ends, one blank line at most.
pub fn format_list(text: &str) -> String {
    tidy(&text.replace("\r\n", "\n"), &[])
}

fn source(file: &SourceFile, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: file.path.clone(), text: text.to_owned() })
}

/// Where the first words of lines belong.
struct Places<'t> {
    text: &'t str,
    /// The column of each line, by the place where it begins.
    columns: BTreeMap<usize, usize>,
    /// The inner lines of values that run over several.
    held: Vec<std::ops::Range<usize>>,
}

impl Places<'_> {
    /// Walks a value whose first word belongs at `column`; nothing where a layout is not understood.
    fn of(&mut self, node: &Node, column: usize) -> Option<()> {
        let flow = self.text[node.range.start..].starts_with(['[', '{']);
        match &node.kind {
            NodeKind::Mapping(entries) if !flow => {
                for Entry { key_range, value, .. } in entries {
                    let line = self.line(key_range.start);
                    if self.text[line..key_range.start].trim().is_empty() {
                        self.columns.insert(line, column);
                    }
                    self.of(value, column + 2)?;
                }
                Some(())
            }
            NodeKind::Sequence(items) if !flow => {
                for item in items {
                    let line = self.line(item.range.start);
                    let before = self.text[line..item.range.start].trim();
                    // An item may be empty, or stand below its dash: nobody writes that here.
                    if before != "-" {
                        return None;
                    }
                    self.columns.insert(line, column);
                    self.of(item, column + 2)?;
                }
                Some(())
            }
            _ => {
                self.held.push(node.range.clone());
                Some(())
            }
        }
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }
}

/// Every line where it belongs.
fn indent(places: &Places<'_>) -> String {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in places.text.split_inclusive('\n') {
        starts.push((at, line));
        at += line.len();
    }
    let old = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut laid = String::with_capacity(places.text.len());
    let mut above = (0, 0);
    for (index, (start, line)) in starts.iter().enumerate() {
        let column = if let Some(&column) = places.columns.get(start) {
            above = (old(line), column);
            column
        } else if line.trim_start().starts_with('#') && !places.is_held(*start) {
            comment_column(places, &starts[index + 1..], old(line), above)
        } else {
            (old(line) + above.1).saturating_sub(above.0)
        };
        let words = line.trim_start_matches(' ');
        if words.trim().is_empty() {
            laid.push('\n');
            continue;
        }
        laid.push_str(&" ".repeat(column));
        let anchored = places.columns.contains_key(start);
        match words.strip_prefix("- ").filter(|_| anchored) {
            Some(item) => laid.extend(["- ", item.trim_start_matches(' ')]),
            None => laid.push_str(words),
        }
    }
    laid
}

impl Places<'_> {
    /// Whether a line begins inside a value.
    fn is_held(&self, line: usize) -> bool {
        self.held.iter().any(|range| range.start < line && line < range.end)
    }
}

/// A comment stands above what it speaks of, or below what came before.
fn comment_column(
    places: &Places<'_>,
    below: &[(usize, &str)],
    old: usize,
    above: (usize, usize),
) -> usize {
    let next = below.iter().find_map(|(start, line)| {
        let column = places.columns.get(start)?;
        Some((line.len() - line.trim_start_matches(' ').len(), *column))
    });
    match next {
        Some((was, column)) if was == old || above.0 != old => (old + column).saturating_sub(was),
        _ if above.0 == old => above.1,
        _ => (old + above.1).saturating_sub(above.0),
    }
}

/// The lines, by number, whose ends belong to a value.
fn held_lines(text: &str, file: &SourceFile) -> Option<Vec<std::ops::Range<usize>>> {
    fn scalars(node: &Node, found: &mut Vec<std::ops::Range<usize>>) {
        match &node.kind {
            NodeKind::Scalar { plain, .. } if !plain => found.push(node.range.clone()),
            NodeKind::Scalar { .. } => {}
            NodeKind::Sequence(items) => items.iter().for_each(|item| scalars(item, found)),
            NodeKind::Mapping(entries) => entries.iter().for_each(|e| scalars(&e.value, found)),
        }
    }
    let root = parse(&source(file, text), &mut Diagnostics::default())?;
    let mut found = Vec::new();
    scalars(&root, &mut found);
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count();
    Some(found.into_iter().map(|r| line(r.start)..line(r.end)).filter(|r| !r.is_empty()).collect())
}

/// No space at line ends, one blank line at most, none at the beginning, one newline at the end. Lines
/// inside `held` stay as they are.
fn tidy(text: &str, held: &[std::ops::Range<usize>]) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = true;
    for (number, line) in text.lines().enumerate() {
        if held.iter().any(|lines| lines.contains(&number)) {
            tidied.extend([line, "\n"]);
            blank = false;
            continue;
        }
        let line = line.trim_end();
        if !(line.is_empty() && blank) {
            tidied.extend([line, "\n"]);
        }
        blank = line.is_empty();
    }
    while tidied.ends_with("\n\n") {
        tidied.pop();
    }
    tidied
}

/// The same with the keys of each rule in their order; nothing where no rule needs it.
fn in_order(text: &str, file: &SourceFile) -> Option<String> {
    let root = parse(&source(file, text), &mut Diagnostics::default())?;
    let NodeKind::Mapping(entries) = &root.kind else { return None };
    let rules = entries.iter().find(|entry| entry.key == "rules")?;
    let NodeKind::Sequence(rules) = &rules.value.kind else { return None };
    let mut ordered = text.to_owned();
    let mut changed = false;
    for rule in rules.iter().rev() {
        let NodeKind::Mapping(entries) = &rule.kind else { continue };
        if let Some((range, fresh)) = rule_in_order(text, rule, entries) {
            ordered.replace_range(range, &fresh);
            changed = true;
        }
    }
    changed.then_some(ordered)
}

/// The lines of a rule with its keys in their order; nothing where they are, or where a comment between
/// them may speak of its neighbours.
fn rule_in_order(
    text: &str,
    rule: &Node,
    entries: &[Entry],
) -> Option<(std::ops::Range<usize>, String)> {
    let place = |entry: &Entry| {
        let key = entry.key.as_str();
        let first = RULE_KEYS.iter().position(|known| *known == key);
        let last = || LAST_KEYS.iter().position(|known| *known == key).map(|at| at + 100);
        first.or_else(last).unwrap_or(50)
    };
    if text[rule.range.start..].starts_with('{') || entries.is_sorted_by_key(place) {
        return None;
    }
    let line = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let start = line(rule.range.start);
    let end = start + text[start..rule.range.end].trim_end().len();
    let end = text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1);
    let own_line = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text[start..end].lines().any(own_line) {
        return None;
    }
    let starts: Vec<usize> = entries.iter().map(|entry| line(entry.key_range.start)).collect();
    if !starts.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let ends = starts[1..].iter().copied().chain([end]);
    let dash = rule.range.start - start;
    let mut blocks: Vec<(usize, String)> = Vec::new();
    for ((entry, from), to) in entries.iter().zip(&starts).zip(ends) {
        blocks.push((place(entry), text[from + dash..to].to_owned()));
    }
    blocks.sort_by_key(|(place, _)| *place);
    let head = &text[start..rule.range.start];
    let spaces = " ".repeat(dash);
    let lines = blocks.iter().enumerate().map(|(at, (_, block))| {
        let before = if at == 0 { head } else { spaces.as_str() };
        format!("{before}{block}")
    });
    Some((start..end, lines.collect()))
}

/// Whether two trees hold the same, the order of keys aside.
fn says_the_same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (
            NodeKind::Scalar { text: a, plain: p, .. },
            NodeKind::Scalar { text: b, plain: q, .. },
        ) => a == b && p == q,
        (NodeKind::Sequence(a), NodeKind::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| says_the_same(a, b))
        }
        (NodeKind::Mapping(a), NodeKind::Mapping(b)) => {
            let has =
                |x: &Entry| b.iter().any(|y| x.key == y.key && says_the_same(&x.value, &y.value));
            a.len() == b.len() && a.iter().all(has)
        }
        _ => false,
    }
}

/// Whether both texts say the same and hold the same comments.
#[cfg(test)]
pub(super) fn keeps(a: &str, b: &str) -> bool {
    let tree = |text: &str| {
        let file = SourceFile { path: String::new(), text: text.to_owned() };
        parse(&Arc::new(file), &mut Diagnostics::default())
    };
    let comments = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split_once('#'));
        let mut found: Vec<String> = lines.map(|(_, words)| words.trim().to_owned()).collect();
        found.sort();
        found
    };
    let (Some(tree_a), Some(tree_b)) = (tree(a), tree(b)) else { return false };
    says_the_same(&tree_a, &tree_b) && comments(a) == comments(b)
}
