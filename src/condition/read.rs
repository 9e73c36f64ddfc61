//! Reads conditions, and the declarations of a platform's own values.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    Clause, Comparison, Condition, Needs, Test, Words,
    key::{Key, Kind},
    regions,
};
use crate::{
    diagnostic::{Diagnostic, Location, SourceFile, nearest},
    post::{Field, Region, Surface},
    signal::Language,
    yaml::{Entry, Node, NodeKind, Reader},
};

/// Most values one list may have.
const WORDS_MAX: usize = 10_000;
/// What stands before a key of the platform's own.
const EXTRA: &str = "extra.";

/// The platform's own keys with the kind of their values.
pub type Declared = BTreeMap<String, ExtraKind>;

/// The kind of a platform's own value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtraKind {
    /// Yes or no.
    Boolean,
    /// A number.
    Number,
    /// A short text.
    Text,
}

impl ExtraKind {
    const ALL: [Self; 3] = [Self::Boolean, Self::Number, Self::Text];

    fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Text => "text",
        }
    }
}

/// A condition as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionFile {
    /// What it says.
    pub condition: Condition,
    /// The platform's own keys that it asks about.
    extras: Vec<ExtraUse>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ExtraUse {
    name: Arc<str>,
    kind: ExtraKind,
    range: Range<usize>,
}

impl ConditionFile {
    /// What is wrong with keys that nobody declared, or whose values are of another kind.
    pub fn undeclared(
        &self,
        declared: &Declared,
        file: &Arc<SourceFile>,
    ) -> impl Iterator<Item = Diagnostic> {
        self.extras.iter().filter_map(|used| {
            let (message, help) = match declared.get(&*used.name) {
                Some(kind) if *kind == used.kind => return None,
                Some(kind) => (
                    format!("`extra.{}` is declared as {}", used.name, kind.as_str()),
                    format!("this asks for {}", used.kind.as_str()),
                ),
                None => (
                    format!("`extra.{}` is not declared", used.name),
                    nearest(&used.name, declared.keys().map(String::as_str)).map_or_else(
                        || "declare it in bundle.yaml under `extra`".to_owned(),
                        |near| format!("did you mean `extra.{near}`?"),
                    ),
                ),
            };
            let location = Location { file: Arc::clone(file), range: used.range.clone() };
            Some(Diagnostic::error("R091", location, message).help(help))
        })
    }
}

/// Reads `when`; nothing, and diagnostics, where anything in it is wrong.
pub fn read(reader: &Reader<'_>, node: &Node) -> Option<ConditionFile> {
    let mut extras = Vec::new();
    let condition = condition(reader, node, &mut extras)?;
    Some(ConditionFile { condition, extras })
}

/// Reads the declarations: `extra: {account_tier: text}`.
pub fn read_declared(reader: &Reader<'_>, node: &Node) -> Declared {
    let entries = reader.keys(node).map_or(&[][..], |keys| keys.entries());
    let declared = entries.iter().filter_map(|entry| {
        let kind = reader.choice(&entry.value, &ExtraKind::ALL, ExtraKind::as_str)?;
        Some((entry.key.clone(), kind))
    });
    declared.collect()
}

fn condition(reader: &Reader<'_>, node: &Node, extras: &mut Vec<ExtraUse>) -> Option<Condition> {
    let entries = reader.keys(node)?.entries();
    if entries.is_empty() {
        let help = "write a key such as `author.age_days: \"< 30\"`";
        reader.error_help(&node.range, "R092", "this condition asks for nothing", help);
        return None;
    }
    let clauses: Vec<Option<Clause>> =
        entries.iter().map(|entry| clause(reader, entry, extras)).collect();
    Some(Condition { clauses: clauses.into_iter().collect::<Option<_>>()? })
}

fn clause(reader: &Reader<'_>, entry: &Entry, extras: &mut Vec<ExtraUse>) -> Option<Clause> {
    if entry.key == "any" {
        let ways: Vec<Option<Condition>> =
            reader.items(&entry.value).iter().map(|way| condition(reader, way, extras)).collect();
        if ways.is_empty() {
            reader.error(&entry.key_range, "R092", "`any` has no condition to choose from");
            return None;
        }
        return ways.into_iter().collect::<Option<_>>().map(Clause::Any);
    }
    let key = key(reader, entry)?;
    let (needs, missing_holds) = needs(reader, &key, &entry.value)?;
    if let Key::Extra(name) = &key {
        let kind = match needs {
            Needs::Number(_) => ExtraKind::Number,
            Needs::Is(_) => ExtraKind::Boolean,
            Needs::In(_) | Needs::NotIn(_) => ExtraKind::Text,
        };
        extras.push(ExtraUse { name: Arc::clone(name), kind, range: entry.key_range.clone() });
    }
    Some(Clause::One(Test { key, needs, missing_holds }))
}

fn key(reader: &Reader<'_>, entry: &Entry) -> Option<Key> {
    if let Some(name) = entry.key.strip_prefix(EXTRA).filter(|name| !name.is_empty()) {
        return Some(Key::Extra(name.into()));
    }
    let found = Key::NAMED.into_iter().find(|key| key.as_str() == entry.key);
    if found.is_none() {
        let names: Vec<&str> = Key::NAMED.iter().map(Key::as_str).chain(["any"]).collect();
        // `strikes` and `author.age` are meant well.
        let meant = |name: &&&str| {
            name.split('.').nth(1) == Some(&entry.key)
                || name.strip_prefix(&*entry.key).is_some_and(|rest| rest.starts_with('_'))
        };
        let meant = names.iter().find(meant).copied();
        let help = match meant.or_else(|| nearest(&entry.key, names.iter().copied())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", names.join(", ")),
        };
        let message = format!("the key `{}` is not known here", entry.key);
        reader.error_help(&entry.key_range, "Y015", message, help);
    }
    found
}

/// What is asked of a key, and what is said where the post does not give it.
fn needs(reader: &Reader<'_>, key: &Key, node: &Node) -> Option<(Needs, bool)> {
    let NodeKind::Mapping(_) = node.kind else { return Some((bare(reader, key, node)?, false)) };
    let mut keys = reader.keys(node)?;
    let is = keys.take("is").map(|node| bare(reader, key, node));
    let is_in = keys.take("in").map(|node| words(reader, key, node).map(Needs::In));
    let not_in = keys.take("not_in").map(|node| words(reader, key, node).map(Needs::NotIn));
    let missing = keys.take("missing").and_then(|node| {
        reader.choice(node, &[false, true], |holds| if holds { "holds" } else { "fails" })
    });
    reader.finish(&keys);
    let mut asked = [is, is_in, not_in].into_iter().flatten();
    let (Some(needs), None) = (asked.next(), asked.next()) else {
        let help = "write exactly one of `is`, `in` and `not_in`, beside it `missing: holds`";
        reader.error_help(&node.range, "R090", "it is not clear what is asked", help);
        return None;
    };
    Some((needs?, missing.unwrap_or(false)))
}

/// A value without `in` and `not_in`.
fn bare(reader: &Reader<'_>, key: &Key, node: &Node) -> Option<Needs> {
    match key.kind() {
        Kind::Number => comparison(reader, node).map(Needs::Number),
        Kind::Bool => reader.boolean(node).map(Needs::Is),
        Kind::Word => words(reader, key, node).map(Needs::In),
        Kind::Declared => {
            let NodeKind::Scalar { text, plain, .. } = &node.kind else {
                return words(reader, key, node).map(Needs::In);
            };
            match text.as_str() {
                "true" | "false" if *plain => reader.boolean(node).map(Needs::Is),
                text if Comparison::begins(text) || (*plain && text.parse::<f64>().is_ok()) => {
                    comparison(reader, node).map(Needs::Number)
                }
                _ => words(reader, key, node).map(Needs::In),
            }
        }
    }
}

fn comparison(reader: &Reader<'_>, node: &Node) -> Option<Comparison> {
    let text = reader.filled(node)?;
    let read = text.parse().ok();
    if read.is_none() {
        let help = "write `\"< 30\"`, `\">= 6\"` or a number alone";
        let message = format!("`{text}` cannot be compared with");
        reader.error_help(&node.range, "R090", message, help);
    }
    read
}

/// The words of a list, in the form that posts have them, sorted.
fn words(reader: &Reader<'_>, key: &Key, node: &Node) -> Option<Words> {
    if matches!(key.kind(), Kind::Number | Kind::Bool) {
        let help = "`in` and `not_in` are for words; write `is: \"< 30\"`";
        reader.error_help(&node.range, "R090", "this key has no words", help);
        return None;
    }
    let items = reader.items(node);
    if items.is_empty() || items.len() > WORDS_MAX {
        let message = format!("{} values stand here; 1 to {WORDS_MAX} may", items.len());
        reader.error(&node.range, "R090", message);
        return None;
    }
    let words: Vec<Option<Arc<str>>> = items.iter().map(|item| word(reader, key, item)).collect();
    let mut words: Words = words.into_iter().collect::<Option<_>>()?;
    words.sort_unstable();
    words.dedup();
    Some(words)
}

fn word(reader: &Reader<'_>, key: &Key, node: &Node) -> Option<Arc<str>> {
    let text = reader.filled(node)?;
    let known: Option<Arc<str>> = match key {
        Key::Surface => {
            reader.choice(node, &Surface::ALL, Surface::as_str).map(|s| s.as_str().into())
        }
        Key::Field => reader.choice(node, &Field::ALL, Field::as_str).map(|f| f.as_str().into()),
        Key::Language => Language::of_tag(text).map(|language| language.as_str().into()),
        Key::Region | Key::AuthorRegion => {
            let region = text.parse::<Region>().ok().filter(|r| regions::is_assigned(r.as_str()));
            region.map(|region| region.as_str().into())
        }
        _ => Some(text.into()),
    };
    if known.is_none() && !matches!(key, Key::Surface | Key::Field) {
        let help = match key {
            Key::Language => "a language is a code such as en or zh".to_owned(),
            _ => regions::usual_slip(&text.to_ascii_uppercase()).map_or_else(
                || "a region is a country's code (ISO 3166-1 alpha-2) such as DE".to_owned(),
                |code| format!("the code is `{code}`"),
            ),
        };
        reader.error_help(&node.range, "R090", format!("`{text}` is not known here"), help);
    }
    known
}
