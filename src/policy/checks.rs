//! What can be wrong only between files: what is weakened, what is dropped, what never acts.

use std::sync::Arc;

use super::{
    Known,
    cell::Cell,
    codes,
    context::unknown_region,
    evaluate::Limits,
    file::PolicyFile,
    inherit::Family,
    reach::Reach,
    read_row::RowEntry,
    region,
    row::Row,
    table::{Shadow, Table},
};
use crate::{
    decision::{Action, Scope},
    diagnostic::{Diagnostic, Diagnostics, Level},
    post::Region,
    signal::{Category, RuleFacts, Severity, Status},
};

/// Checks every file against what it inherits.
pub(super) fn inheritance(family: &Family<'_>, known: &Known<'_>, out: &mut Diagnostics) {
    let mandatory: Vec<&Category> =
        known.taxonomy.iter().filter(|(_, item)| item.mandatory).map(|(path, _)| path).collect();
    for (region, own) in family.places() {
        let chain = family.chain(region);
        let inherited = chain.len() - own.len();
        for at in inherited..chain.len() {
            let (before, file) = (&chain[..at], chain[at]);
            drops(before, file, known, out);
            replaced_rows(before, file, known, out);
            global_rows(&chain, file, known, out);
            if at > 0 {
                mandatory_cells(before, &chain[..=at], &mandatory, out);
            }
        }
    }
}

/// `drop` names rows and caps that are inherited and may be given up.
fn drops(before: &[&PolicyFile], file: &PolicyFile, known: &Known<'_>, out: &mut Diagnostics) {
    let inherited = Table::inherit(before, Shadow::Tried);
    for (id, range) in &file.drop {
        let row = inherited.rows.iter().find(|row| row.ground.id.as_str() == id);
        let cap = inherited.caps.iter().any(|cap| cap.id.as_str() == id);
        let problem = match row {
            None if cap => None,
            None => {
                let message = format!("no row or cap `{id}` is inherited");
                let ids = inherited.rows.iter().map(|row| row.ground.id.as_str());
                let near = crate::diagnostic::nearest(id, ids);
                let help = near.map_or("only inherited ones can be dropped".to_owned(), |near| {
                    format!("did you mean `{near}`?")
                });
                Some((codes::DROP_UNKNOWN, message, help))
            }
            Some(row) => protected(row, known).map(|why| {
                let message = format!("`{id}` cannot be dropped: {why}");
                (codes::MANDATORY_WEAKENED, message, "leave it".to_owned())
            }),
        };
        if let Some((code, message, help)) = problem {
            out.push(Diagnostic::error(code, file.location(range), message).help(help));
        }
    }
}

/// A row replaces the one of the same id, unless nothing may weaken that.
fn replaced_rows(
    before: &[&PolicyFile],
    file: &PolicyFile,
    known: &Known<'_>,
    out: &mut Diagnostics,
) {
    let inherited = || before.iter().flat_map(|file| &file.rows);
    for entry in &file.rows {
        let same = |other: &&RowEntry| other.row.ground.id == entry.row.ground.id;
        let Some(why) = inherited().find(same).and_then(|other| protected(&other.row, known))
        else {
            continue;
        };
        let message = format!("`{}` cannot be replaced: {why}", entry.row.ground.id.as_str());
        let found =
            Diagnostic::error(codes::MANDATORY_WEAKENED, file.location(&entry.range), message);
        out.push(found.help("give the stricter row an id of its own"));
    }
}

/// Why a row must stay as it is.
fn protected(row: &Row, known: &Known<'_>) -> Option<&'static str> {
    if row.ground.scope == Scope::Global {
        return Some("it is global");
    }
    let mandatory = |category: &Category| known.taxonomy.is_mandatory(category);
    categories(row, known).into_iter().any(mandatory).then_some("its category is mandatory")
}

/// The root lists the categories whose rows may be global.
fn global_rows(chain: &[&PolicyFile], file: &PolicyFile, known: &Known<'_>, out: &mut Diagnostics) {
    let listed: Vec<&Category> = chain.iter().flat_map(|file| &file.global_for).collect();
    for entry in file.rows.iter().filter(|entry| entry.row.ground.scope == Scope::Global) {
        let inside = |category: &Category| listed.iter().any(|of| category.is_within(of));
        let outside = categories(&entry.row, known).into_iter().find(|category| !inside(category));
        if let Some(category) = outside {
            let message = format!("`{}` is not decided for every region", category.as_str());
            let location = file.location(&entry.range);
            let found = Diagnostic::error(codes::SCOPE_MISUSED, location, message);
            out.push(found.help("`global_for` in the root lists the categories that are"));
        }
    }
}

/// A nearer file makes cells of mandatory categories only stricter.
fn mandatory_cells(
    before: &[&PolicyFile],
    after: &[&PolicyFile],
    mandatory: &[&Category],
    out: &mut Diagnostics,
) {
    let Some(file) = after.last().filter(|file| !file.cells.is_empty()) else { return };
    let (old, new) =
        (Table::inherit(before, Shadow::Ignored), Table::inherit(after, Shadow::Ignored));
    for category in mandatory {
        let weaker = (1..=4).filter_map(Severity::new).any(|severity| {
            let (strong, weak) = strictness(&new, category, severity);
            let (strong_before, weak_before) = strictness(&old, category, severity);
            strong < strong_before || weak < weak_before
        });
        let covers = file.cells.iter().filter(|entry| category.is_within(&entry.category));
        let nearest = covers.max_by_key(|entry| entry.category.as_str().len());
        if let Some(entry) = nearest.filter(|_| weaker) {
            let message = format!("this would weaken `{}`, which is mandatory", category.as_str());
            let location = file.location(&entry.key_range);
            let found = Diagnostic::error(codes::MANDATORY_WEAKENED, location, message);
            out.push(found.help("leave the cell out, or make it stricter than what is inherited"));
        }
    }
}

/// What a cell does with strong and with weak evidence.
fn strictness(table: &Table, category: &Category, severity: Severity) -> (Action, Action) {
    let Some(Cell::Acts(bars)) = table.cell(category) else {
        return (Action::Allow, Action::Allow);
    };
    let reaches = |action| bars.severity(action, severity).is_some();
    let strong = if reaches(Action::Block) {
        Action::Block
    } else if reaches(Action::Review) {
        Action::Review
    } else {
        Action::Allow
    };
    let weak = if bars.weak_blocks { strong } else { strong.min(Action::Review) };
    (strong, weak)
}

/// Tests speak of regions that exist.
pub(super) fn expectations(files: &[PolicyFile], out: &mut Diagnostics) {
    let described = |region: Region| files.iter().any(|file| file.region() == region);
    let tests = files.iter().flat_map(|file| &file.tests);
    for (&region, expectation) in tests.flat_map(|test| &test.expect) {
        if !described(region) && !region::is_assigned(region.as_str()) {
            let (message, help) = unknown_region(region);
            let location = expectation.location.clone();
            out.push(Diagnostic::error(codes::REGION_UNKNOWN, location, message).help(help));
        }
    }
}

/// Warns of rows that never act, and of rules that only rows could act on. Who compiles rules warns of
/// those that cells do not reach either: there their place is known.
pub(super) fn idle(
    files: &[PolicyFile],
    tables: &[(Region, &Table)],
    limits: &Limits,
    known: &Known<'_>,
    out: &mut Diagnostics,
) {
    for file in files {
        for entry in &file.rows {
            for (rule, range) in entry.row.selectors.rules.iter().zip(&entry.rules) {
                let facts = known.rule(rule.as_str());
                let Some(facts) = facts.filter(|rule| rule.status != Status::Enforced) else {
                    continue;
                };
                let status = facts.status.as_str();
                let message = format!("`{}` is {status}: this row never acts on it", rule.as_str());
                let location = file.location(range);
                out.push(Diagnostic::warning(codes::ROW_WITHOUT_RULE, location, message));
            }
        }
    }
    let signal_only =
        |rule: &&Arc<RuleFacts>| rule.status == Status::Enforced && rule.severity.level() == 0;
    for rule in known.rules.iter().filter(signal_only) {
        if Reach::of(rule, tables, limits).is_nothing() {
            let message = format!("`{}` has severity 0 and no row names it", rule.id.as_str());
            let found = Diagnostic::global(codes::RULE_WITHOUT_ROW, message);
            let found = found.help("name it in a row of a policy, or make it `status: shadow`");
            out.push(Diagnostic { level: Level::Warning, ..found });
        }
    }
}

/// The categories that a row speaks of.
fn categories<'a>(row: &'a Row, known: &'a Known<'_>) -> Vec<&'a Category> {
    let rules = row.selectors.rules.iter().filter_map(|rule| known.rule(rule.as_str()));
    row.selectors.category.iter().chain(rules.map(|rule| &rule.category)).collect()
}
