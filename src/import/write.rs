//! Imported rules as a pack.

use std::fmt::Write as _;

use super::{Imported, ImportedEntry, ImportedRule};

/// What every rule of the pack gets.
#[derive(Debug)]
pub struct PackHead {
    /// The pack's name.
    pub name: String,
    /// A path of the taxonomy.
    pub category: String,
    /// 0 to 4.
    pub severity: u8,
    /// `draft` or `shadow`.
    pub status: &'static str,
    /// Where the words are expected; empty: anywhere.
    pub languages: Vec<String>,
}

/// The pack's file.
pub fn pack(head: &PackHead, imported: &Imported) -> String {
    let mut text = format!("pack: {}\nrules:\n", head.name);
    for (at, imported) in imported.rules.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        rule(&mut text, head, imported);
    }
    text
}

fn rule(text: &mut String, head: &PackHead, rule: &ImportedRule) {
    let PackHead { category, severity, status, languages, .. } = head;
    let _ = writeln!(text, "  - id: {}", rule.id);
    if let Some(title) = &rule.title {
        let _ = writeln!(text, "    title: {}", quoted(title));
    }
    let _ = writeln!(text, "    category: {category}");
    let _ = writeln!(text, "    severity: {severity}");
    let _ = writeln!(text, "    status: {status}");
    if !languages.is_empty() {
        let _ = writeln!(text, "    languages: [{}]", languages.join(", "));
    }
    text.push_str("    any:\n");
    for one in &rule.entries {
        let _ = writeln!(text, "      - {}", entry(one));
    }
    if let Some(note) = &rule.note {
        let _ = writeln!(text, "    note: {}", quoted(note));
    }
}

fn entry(entry: &ImportedEntry) -> String {
    let mut options = String::new();
    if !entry.fields.is_empty() {
        let _ = write!(options, ", fields: [{}]", entry.fields.join(", "));
    }
    if entry.case {
        options.push_str(", case: true");
    }
    if entry.raw {
        options.push_str(", view: raw");
    }
    if entry.kind == "word" && options.is_empty() {
        return quoted(&entry.text);
    }
    format!("{{{}: {}{options}}}", entry.kind, quoted(&entry.text))
}

/// A text that YAML takes as it is.
fn quoted(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("'{}'", line.replace('\'', "''"))
}
