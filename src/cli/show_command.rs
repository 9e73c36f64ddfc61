//! `tidegate rules show`: rules as they were written, or as they are once every folder has had its say.

use std::{collections::BTreeMap, fmt::Write as _};

use clap::Args;
use serde_json::{Value, json};

use super::{
    Format, PartArgs,
    exit::{Exit, Failure},
    sources,
};
use crate::{
    bundle::Loaded,
    decision::Action,
    diagnostic::{Location, nearest},
    rules::RuleTree,
    signal::{RuleFacts, Status},
    yaml::{Entry, Node, NodeKind},
};

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A rule's whole id or a pack's name; nothing: all rules
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The result of all folders: each value with its place, and what follows in which regions
    #[arg(long)]
    effective: bool,
    /// How it is written; json implies --effective
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    #[command(flatten)]
    parts: PartArgs,
}

pub(super) fn run(args: &ShowArgs) -> Result<Exit, Failure> {
    let (loaded, _) = sources::load_bundle(&args.parts)?;
    let shown = chosen(&loaded, args.name.as_deref())?;
    if args.format == Format::Json {
        let rules: Value = shown.iter().map(Shown::json).collect();
        println!("{:#}", json!({"rules": rules}));
        return Ok(Exit::Done);
    }
    let of_one = |rule: &Shown<'_>| match (args.effective, args.name.is_some()) {
        (true, _) => rule.effective(),
        (false, true) => rule.source(),
        (false, false) => rule.line(),
    };
    let blocks: Vec<String> = shown.iter().map(of_one).collect();
    let between = if args.effective || args.name.is_some() { "\n" } else { "" };
    anstream::print!("{}", blocks.join(between));
    Ok(Exit::Done)
}

/// A rule with what the bundle makes of it.
struct Shown<'a> {
    id: String,
    tree: RuleTree<'a>,
    facts: &'a RuleFacts,
    /// What follows from a hit, by region.
    regions: BTreeMap<String, Option<Action>>,
}

/// The rules of this name, or all.
fn chosen<'a>(loaded: &'a Loaded, name: Option<&str>) -> Result<Vec<Shown<'a>>, Failure> {
    let facts: BTreeMap<&str, &RuleFacts> =
        loaded.bundle.rules().known().iter().map(|rule| (rule.id.as_str(), &**rule)).collect();
    let of_tree = |tree: RuleTree<'a>| {
        let id = tree.id()?;
        let facts = *facts.get(id.as_str())?;
        let reach = loaded.bundle.policies().reach_by_region(facts);
        let acts = facts.status == Status::Enforced;
        let action = |action: Option<Action>| action.filter(|_| acts);
        let regions =
            reach.into_iter().map(|(region, a)| (region.to_string(), action(a))).collect();
        Some(Shown { id, tree, facts, regions })
    };
    let all: Vec<Shown<'a>> = loaded.packs.rules().filter_map(of_tree).collect();
    let Some(name) = name else { return Ok(all) };
    let pack = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    let names: Vec<String> =
        all.iter().flat_map(|rule| [rule.id.clone(), pack(&rule.id)]).collect();
    let fits = |rule: &Shown<'_>| rule.id == name || pack(&rule.id) == name;
    let found: Vec<Shown<'a>> = all.into_iter().filter(fits).collect();
    if found.is_empty() {
        let near = nearest(name, names.iter().map(String::as_str));
        let help = near.map_or_else(
            || "`tidegate rules show` lists all rules".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::new(
            Exit::NoInput,
            format!("there is no rule or pack `{name}`; {help}"),
        ));
    }
    Ok(found)
}

impl Shown<'_> {
    fn place(&self) -> Location {
        Location { file: self.tree.file().clone(), range: self.tree.range().clone() }
    }

    /// One line in a list of rules.
    fn line(&self) -> String {
        let facts = self.facts;
        format!(
            "{:<44} {:<10} {} {:<36} {}\n",
            self.id,
            facts.status.as_str(),
            facts.severity.level(),
            facts.category.as_str(),
            words(&self.place()),
        )
    }

    /// The rule as it stands in its file, and where it is changed.
    fn source(&self) -> String {
        let place = self.place();
        let text = &place.file.text;
        let start = text[..place.range.start].rfind('\n').map_or(0, |newline| newline + 1);
        let mut shown = format!("# {}\n", words(&place));
        for change in self.tree.changes() {
            let _ = writeln!(shown, "# changed in {}: see --effective", words(change));
        }
        shown + text[start..place.range.end].trim_end() + "\n"
    }

    /// Each value with its place, then what follows from a hit.
    fn effective(&self) -> String {
        let mut lines: Vec<(String, String)> = Vec::new();
        for (key, node) in self.values() {
            lines.push((
                words(&self.tree.origin(node)),
                format!("{key}: {}", written(&self.tree, node)),
            ));
        }
        if !self.tree.entries().iter().any(|entry| entry.key == "status") {
            lines.push(("-".to_owned(), format!("status: {}", self.facts.status.as_str())));
        }
        let width = lines.iter().map(|(place, _)| place.chars().count()).max().unwrap_or_default();
        let mut shown = format!("{}\n", self.id);
        for (place, value) in lines {
            let _ = writeln!(shown, "  {place:<width$}  {value}");
        }
        for change in self.tree.changes() {
            let _ = writeln!(shown, "  changed in {}", words(change));
        }
        shown + &self.consequences()
    }

    /// `blocks in DE, FR; nothing in US`.
    fn consequences(&self) -> String {
        if self.facts.status != Status::Enforced {
            let status = self.facts.status.as_str();
            return format!("  no policy acts on it: its status is {status}\n");
        }
        let verbs = [
            (Some(Action::Block), "blocks"),
            (Some(Action::Review), "reviews"),
            (Some(Action::Allow), "restrains"),
            (None, "nothing"),
        ];
        let part = |(action, verb): (Option<Action>, &str)| {
            let regions = self.regions.iter().filter(|(_, found)| **found == action);
            let regions: Vec<&str> = regions.map(|(region, _)| region.as_str()).collect();
            (!regions.is_empty()).then(|| format!("{verb} in {}", regions.join(", ")))
        };
        let parts: Vec<String> = verbs.into_iter().filter_map(part).collect();
        format!("  {}\n", parts.join("; "))
    }

    /// The values in the order of the file, lists item by item.
    fn values(&self) -> Vec<(&str, &Node)> {
        let mut values = Vec::new();
        for entry in self.tree.entries() {
            match &entry.value.kind {
                NodeKind::Sequence(items) => {
                    values.extend(items.iter().map(|item| (entry.key.as_str(), item)));
                }
                _ => values.push((entry.key.as_str(), &entry.value)),
            }
        }
        values
    }

    fn json(&self) -> Value {
        let values = self.values().into_iter().map(|(key, node)| {
            json!({"key": key, "value": value(node), "place": place(&self.tree.origin(node))})
        });
        let regions: serde_json::Map<String, Value> = self
            .regions
            .iter()
            .map(|(region, action)| {
                (region.clone(), json!(action.map_or("nothing", Action::as_str)))
            })
            .collect();
        json!({
            "id": self.id,
            "status": self.facts.status.as_str(),
            "place": place(&self.place()),
            "changes": self.tree.changes().map(place).collect::<Value>(),
            "values": values.collect::<Value>(),
            "regions": regions,
        })
    }
}

/// A value on one line, scalars as they were written.
fn written(tree: &RuleTree<'_>, node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar { .. } => {
            let place = tree.origin(node);
            let text = place.file.text.get(place.range.clone()).unwrap_or_default();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        NodeKind::Sequence(items) => {
            let items: Vec<String> = items.iter().map(|item| written(tree, item)).collect();
            format!("[{}]", items.join(", "))
        }
        NodeKind::Mapping(entries) => {
            let pair = |entry: &Entry| format!("{}: {}", entry.key, written(tree, &entry.value));
            format!("{{{}}}", entries.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

fn value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar { text, .. } => json!(text),
        NodeKind::Sequence(items) => items.iter().map(value).collect(),
        NodeKind::Mapping(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect()
        }
    }
}

fn words(location: &Location) -> String {
    format!("{}:{}", location.file.path, location.line_column().0)
}

fn place(location: &Location) -> Value {
    json!({"file": location.file.path, "line": location.line_column().0})
}
