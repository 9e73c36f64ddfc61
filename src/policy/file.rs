//! One policy file as its author typed it, every name checked, nothing inherited yet.

use std::{ops::Range, sync::Arc};

use super::{
    Known,
    cap::{self, CapEntry},
    case::{self, PolicyTest},
    cell::{self, CellEntry},
    codes,
    context::Context,
    fallback::{Fallback, UnavailableEntry},
    read_row::{self, RowEntry},
};
use crate::{
    decision::Action,
    diagnostic::{Diagnostics, Location, SourceFile},
    post::Region,
    yaml::{Keys, Node, Reader, parse},
};

/// Most cells, rows, caps or tests of one file.
const ITEMS_MAX: usize = 1000;

/// A policy file.
#[derive(Debug, Clone)]
pub(super) struct PolicyFile {
    pub(super) source: Arc<SourceFile>,
    /// The region or group it is for, and where that stands.
    pub(super) place: (Region, Range<usize>),
    /// Whether it is for a group.
    pub(super) is_group: bool,
    /// A group's members, where this file names them.
    pub(super) members: Vec<(Region, Range<usize>)>,
    pub(super) cells: Vec<CellEntry>,
    pub(super) rows: Vec<RowEntry>,
    pub(super) caps: Vec<CapEntry>,
    pub(super) drop: Vec<(String, Range<usize>)>,
    pub(super) unavailable: Vec<UnavailableEntry>,
    pub(super) truncated: Option<Action>,
    /// Categories whose rows may be global; only the root has them.
    pub(super) global_for: Vec<crate::signal::Category>,
    pub(super) tests: Vec<PolicyTest>,
}

impl PolicyFile {
    /// Reads a file; nothing when it does not say what it is for.
    pub(super) fn read(
        source: &Arc<SourceFile>,
        known: &Known<'_>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let root = parse(source, out)?;
        let reader = Reader::new(source, out);
        let context = Context { reader: &reader, known };
        let mut keys = reader.keys(&root)?;
        let place = read_place(context, &mut keys);
        let members = read_members(context, &mut keys);
        let region = place.as_ref().map_or(Region::DEFAULT, |(region, ..)| *region);
        keys.take("owner").and_then(|node| reader.filled(node));
        let categories = keys.take("categories").and_then(|node| reader.keys(node));
        let categories = categories.map_or(&[][..], |keys| keys.entries());
        let cells = categories.iter().filter_map(|entry| cell::read(context, region, entry));
        let cells = cells.collect();
        let rows = items(&reader, &mut keys, "rows");
        let rows: Vec<RowEntry> =
            rows.iter().filter_map(|node| read_row::read(context, region, node)).collect();
        let caps = items(&reader, &mut keys, "caps");
        let caps: Vec<CapEntry> = caps.iter().filter_map(|node| cap::read(context, node)).collect();
        let drop = items(&reader, &mut keys, "drop");
        let drop =
            drop.iter().filter_map(|n| Some((reader.filled(n)?.to_owned(), n.range.clone())));
        let drop = drop.collect();
        let unavailable = Fallback::read(context, &mut keys);
        let truncated = keys.take("when_truncated");
        let truncated = truncated
            .and_then(|n| reader.choice(n, &[Action::Allow, Action::Review], Action::as_str));
        let global_for = read_global_for(context, region, &mut keys);
        let tests = items(&reader, &mut keys, "tests");
        let tests = tests.iter().filter_map(|node| case::read(context, node)).collect();
        reader.finish(&keys);
        report_repeats(&reader, &rows, &caps);
        let (region, range, is_group) = place?;
        let place = (region, range);
        let source = Arc::clone(source);
        let (is_group, members) = (is_group, members);
        Some(Self {
            source,
            place,
            is_group,
            members,
            cells,
            rows,
            caps,
            drop,
            unavailable,
            truncated,
            global_for,
            tests,
        })
    }

    /// The region or group it is for.
    pub(super) fn region(&self) -> Region {
        self.place.0
    }

    /// A place in this file.
    pub(super) fn location(&self, range: &Range<usize>) -> Location {
        Location { file: Arc::clone(&self.source), range: range.clone() }
    }
}

/// The items of a list under `key`.
fn items<'n>(reader: &Reader<'_>, keys: &mut Keys<'n>, key: &'static str) -> &'n [Node] {
    let Some(node) = keys.take(key) else { return &[] };
    let items = reader.items(node);
    if items.len() > ITEMS_MAX {
        let message = format!("`{key}` has {} items, {ITEMS_MAX} at most", items.len());
        reader.error_help(&node.range, codes::TOO_MANY, message, "cover more with each");
        return &[];
    }
    items
}

fn read_place(
    context: Context<'_, '_>,
    keys: &mut Keys<'_>,
) -> Option<(Region, Range<usize>, bool)> {
    match (keys.take("region"), keys.take("group")) {
        (Some(node), None) => Some((context.country(node)?, node.range.clone(), false)),
        (None, Some(node)) => {
            let group = context.region(node)?;
            if group == Region::DEFAULT || super::region::is_assigned(group.as_str()) {
                let message = format!("`{group}` is a region, not a group");
                let help = format!("write `region: {group}`, or another code for the group");
                context.reader.error_help(&node.range, codes::REGION_UNKNOWN, message, help);
                return None;
            }
            Some((group, node.range.clone(), true))
        }
        (region, _) => {
            let range = region.map_or(0..0, |node| node.range.clone());
            let help = "add `region: DE` (or `region: default`), or `group: EU` with its `members`";
            let message = "a policy is for one region or for one group";
            context.reader.error_help(&range, codes::PLACE_MISSING, message, help);
            None
        }
    }
}

fn read_members(context: Context<'_, '_>, keys: &mut Keys<'_>) -> Vec<(Region, Range<usize>)> {
    let nodes = items(context.reader, keys, "members");
    nodes.iter().filter_map(|node| Some((context.region(node)?, node.range.clone()))).collect()
}

fn read_global_for(
    context: Context<'_, '_>,
    region: Region,
    keys: &mut Keys<'_>,
) -> Vec<crate::signal::Category> {
    let Some(node) = keys.take("global_for") else { return Vec::new() };
    if region != Region::DEFAULT {
        let message = "only the root says what may be decided for every region";
        let help = "move it to the file with `region: default`";
        context.reader.error_help(&node.range, codes::ROOT_ONLY, message, help);
    }
    let nodes = context.reader.items(node);
    nodes.iter().filter_map(|node| context.category(node)).collect()
}

/// An id names one row or cap of a file.
fn report_repeats(reader: &Reader<'_>, rows: &[RowEntry], caps: &[CapEntry]) {
    let rows = rows.iter().map(|entry| (&entry.row.ground.id, &entry.range));
    let ids = rows.chain(caps.iter().map(|entry| (&entry.cap.id, &entry.range)));
    let mut seen = std::collections::BTreeSet::new();
    for (id, range) in ids {
        if !seen.insert(id) {
            let message = format!("the id `{}` is there twice", id.as_str());
            reader.error_help(range, codes::ID_INVALID, message, "reasons name a row by its id");
        }
    }
}
