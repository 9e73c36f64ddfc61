//! Keyword rules of Reddit's `AutoModerator`: YAML documents behind each other, keys such as
//! `title+body (includes-word, regex)`.
//!
//! Source: Reddit's "`AutoModerator` full documentation", sections on search checks and modifiers.

use std::sync::Arc;

use super::{Imported, ImportedEntry, escaped};
use crate::{
    diagnostic::{Diagnostics, SourceFile},
    yaml::{Entry, Node, NodeKind, parse},
};

/// Ways to match, of which a key names one.
const WAYS: [&str; 6] =
    ["includes-word", "includes", "starts-with", "ends-with", "full-exact", "full-text"];
/// Keys whose meaning is kept, or that speak only to moderators.
const SILENT: [&str; 4] = ["action", "action_reason", "priority", "type"];

pub(super) fn read(file: &SourceFile, imported: &mut Imported) {
    let mut start = 0;
    let lines: Vec<&str> = file.text.lines().collect();
    let breaks = lines.iter().enumerate().filter(|(_, line)| line.trim_end() == "---");
    let ends: Vec<usize> = breaks.map(|(at, _)| at).chain([lines.len()]).collect();
    for end in ends {
        let words = lines.get(start..end).unwrap_or_default();
        let written = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        if words.iter().any(written) {
            // Empty lines before it keep the numbers of its lines.
            let text = "\n".repeat(start) + &words.join("\n") + "\n";
            document(file, &Arc::new(SourceFile { path: file.path.clone(), text }), imported);
        }
        start = end + 1;
    }
}

fn document(file: &SourceFile, part: &Arc<SourceFile>, imported: &mut Imported) {
    let mut problems = Diagnostics::default();
    let root = parse(part, &mut problems);
    for problem in problems.sorted() {
        let line = problem.location.as_ref().map_or(1, |location| location.line_column().0);
        imported.note((file, line), &format!("left out: {}", problem.message));
    }
    let line = |at: usize| part.text[..at].matches('\n').count() + 1;
    let Some(Node { range, kind: NodeKind::Mapping(entries) }) = root else { return };
    let id = format!("line-{}", line(range.start));
    let value = |key: &str| {
        entries.iter().find(|entry| entry.key == key).and_then(|entry| scalar(&entry.value))
    };
    let mut checks = 0;
    for entry in &entries {
        let place = (file, line(entry.key_range.start));
        match Check::read(&entry.key) {
            Ok(check) => {
                checks += 1;
                if checks == 2 {
                    imported.note(place, "all checks had to hold; here one entry is enough");
                }
                check.add(&id, place, entry, imported);
            }
            Err(_) if SILENT.contains(&entry.key.as_str()) => {}
            Err(why) => imported.note(place, &format!("`{}` is not translated: {why}", entry.key)),
        }
    }
    if let Some(rule) = imported.rules.iter_mut().find(|rule| rule.id == id) {
        rule.title = value("action_reason").map(str::to_owned);
        rule.note = value("action").map(|action| format!("its action was {action}"));
    }
}

/// A key that looks for words.
struct Check {
    fields: Vec<&'static str>,
    way: &'static str,
    regex: bool,
    case: bool,
}

impl Check {
    fn read(key: &str) -> Result<Self, &'static str> {
        let (fields, modifiers) = key.split_once('(').unwrap_or((key, ""));
        let fields = fields.trim();
        if fields.starts_with('~') {
            return Err("what must not be there cannot be asked for, so the rule finds more");
        }
        let mut check =
            Self { fields: Vec::new(), way: "includes-word", regex: false, case: false };
        for field in fields.split('+').map(|field| field.split('#').next().unwrap_or_default()) {
            match field.trim() {
                "title" => check.fields.push("title"),
                "body" => check.fields.push("body"),
                "url" | "domain" => check.fields.push("links"),
                _ => return Err("it asks for no text of the post"),
            }
        }
        if fields.contains("url") {
            check.way = "includes";
        }
        for modifier in modifiers.trim_end_matches([')', ' ']).split(',').map(str::trim) {
            match modifier {
                "" => {}
                "regex" => check.regex = true,
                "case-sensitive" => check.case = true,
                other => {
                    let way = WAYS.into_iter().find(|way| *way == other);
                    check.way = way.ok_or("a modifier is not known")?;
                }
            }
        }
        if fields == "domain" {
            check.way = "domain";
        }
        Ok(check)
    }

    fn add(&self, id: &str, place: (&SourceFile, usize), entry: &Entry, imported: &mut Imported) {
        let values = match &entry.value.kind {
            NodeKind::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        for value in values {
            match scalar(value) {
                Some(text) => imported.add(id, place, self.entry(text)),
                None => imported.note(place, "left out: a text is expected here"),
            }
        }
    }

    fn entry(&self, text: &str) -> ImportedEntry {
        let inner = if self.regex { text.to_owned() } else { escaped(text) };
        let (kind, text) = match (self.way, self.regex) {
            ("includes-word", false) => ("word", text.to_owned()),
            ("includes", false) => ("text", text.to_owned()),
            ("full-exact" | "full-text", false) => ("exact", text.to_owned()),
            ("domain", _) => ("regex", format!(r"(?:^|[/.@]){inner}(?:[/:?]|$)")),
            ("starts-with", _) => ("regex", format!("^(?:{inner})")),
            ("ends-with", _) => ("regex", format!("(?:{inner})$")),
            ("full-exact" | "full-text", true) => ("regex", format!("^(?:{inner})$")),
            ("includes", true) => ("regex", inner),
            (_, _) => ("regex", format!(r"(?-u:\b)(?:{inner})(?-u:\b)")),
        };
        let both = ["title", "body"];
        let fields = if self.fields == both { Vec::new() } else { self.fields.clone() };
        ImportedEntry { fields, case: self.case, ..ImportedEntry::new(kind, &text) }
    }
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
