//! Word lists and rules of other tools, read as far as they mean something here.
//!
//! Owns what the formats mean; knows no policies and touches no disk. What cannot be translated is a
//! note with its line, never left out in silence: imported rules act on nobody, so that somebody can
//! read the notes and write tests first.

mod automod;
mod discourse;
mod write;

use std::{collections::BTreeSet, fmt::Write as _};

pub use write::{PackHead, pack};

use crate::{diagnostic::SourceFile, rules, text::standard_literal};

/// Longest entry, in bytes.
const ENTRY_BYTES_MAX: usize = 4096;
/// Most notes that are kept.
const NOTES_MAX: usize = 1000;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A word or phrase a line.
    Lines,
    /// Watched words of Discourse: CSV with a word, then what takes its place or what is done.
    Discourse,
    /// Keyword rules of Reddit's `AutoModerator`: YAML documents.
    Automod,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Imported {
    /// Rules that look for something.
    pub rules: Vec<ImportedRule>,
    /// What was not translated, each with its place.
    pub notes: Vec<String>,
}

/// A rule without category and severity.
#[derive(Debug, Default)]
pub struct ImportedRule {
    pub(self) id: String,
    pub(self) title: Option<String>,
    pub(self) note: Option<String>,
    pub(self) entries: Vec<ImportedEntry>,
}

/// One thing to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ImportedEntry {
    /// The key that says how it matches, such as `word`.
    kind: &'static str,
    text: String,
    fields: Vec<&'static str>,
    case: bool,
    raw: bool,
}

impl ImportedEntry {
    fn new(kind: &'static str, text: &str) -> Self {
        Self { kind, text: text.to_owned(), ..Self::default() }
    }

    /// What entries are told apart by: capitals and disguises aside.
    fn key(&self) -> String {
        match self.kind {
            "word" => standard_literal(&self.text),
            kind => format!("{kind}: {}", self.text),
        }
    }
}

/// Reads a file and adds what it says.
pub fn import(format: Format, file: &SourceFile, imported: &mut Imported) {
    match format {
        Format::Lines => lines(file, imported),
        Format::Discourse => discourse::read(file, imported),
        Format::Automod => automod::read(file, imported),
    }
}

fn lines(file: &SourceFile, imported: &mut Imported) {
    for (number, line) in (1..).zip(file.text.lines()) {
        let word = line.trim();
        if !(word.is_empty() || word == "#" || word.starts_with("# ")) {
            imported.add("words", (file, number), ImportedEntry::new("word", word));
        }
    }
}

impl Imported {
    /// Leaves out what `known` has, and what repeats; gives how many entries that were. Rules that have
    /// no entry left go too.
    pub fn leave_out(&mut self, known: &BTreeSet<String>) -> usize {
        let mut seen: BTreeSet<String> = known.iter().map(|word| standard_literal(word)).collect();
        let mut repeated = 0;
        for rule in &mut self.rules {
            let before = rule.entries.len();
            rule.entries.retain(|entry| seen.insert(entry.key()));
            repeated += before - rule.entries.len();
        }
        self.rules.retain(|rule| !rule.entries.is_empty());
        repeated
    }

    /// Adds an entry to the rule of this id, unless no rule could hold it.
    fn add(&mut self, rule: &str, place: (&SourceFile, usize), mut entry: ImportedEntry) {
        let problem = if entry.text.len() > ENTRY_BYTES_MAX {
            Some(format!("an entry may have {ENTRY_BYTES_MAX} bytes"))
        } else if entry.text.chars().any(char::is_control) {
            Some("control characters are not looked for".to_owned())
        } else if entry.kind == "regex" {
            usable_regex(&mut entry).err()
        } else {
            let empty = standard_literal(&entry.text).trim().is_empty();
            empty.then(|| "nothing is left of it once it is folded".to_owned())
        };
        if let Some(problem) = problem {
            self.note(place, &format!("left out: {problem}"));
            return;
        }
        if let Some(known) = self.rules.iter_mut().find(|known| known.id == rule) {
            known.entries.push(entry);
        } else {
            let (id, entries) = (rule.to_owned(), vec![entry]);
            self.rules.push(ImportedRule { id, entries, ..ImportedRule::default() });
        }
    }

    /// Notes what was not translated.
    fn note(&mut self, (file, line): (&SourceFile, usize), what: &str) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(format!("{}:{line}: {what}", file.path));
        }
    }
}

/// A regex for the standard view, else one that runs on what was written and takes any capitals.
fn usable_regex(entry: &mut ImportedEntry) -> Result<(), String> {
    if !entry.case && rules::check_regex(&entry.text, false).is_ok() {
        return Ok(());
    }
    let mut raw = String::new();
    let _ = write!(raw, "{}{}", if entry.case { "" } else { "(?i)" }, entry.text);
    rules::check_regex(&raw, true)?;
    (entry.text, entry.raw, entry.case) = (raw, true, false);
    Ok(())
}

/// The text as a regex finds it in the standard view.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in standard_literal(text).chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
