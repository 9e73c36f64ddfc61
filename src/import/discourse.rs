//! Watched words of Discourse: a word, then what takes its place or what is done with the post.
//!
//! Source: Discourse's `app/services/word_watcher.rb`: `*` stands for any characters that are no
//! space, and a word has a boundary at each edge.

use super::{Imported, ImportedEntry, escaped};
use crate::diagnostic::SourceFile;

/// What Discourse does with a watched word.
const ACTIONS: [&str; 8] =
    ["block", "censor", "flag", "link", "replace", "require_approval", "silence", "tag"];

pub(super) fn read(file: &SourceFile, imported: &mut Imported) {
    let mut columns = Columns { word: 0, action: None, case: None };
    for (number, line) in (1..).zip(file.text.lines()) {
        let Some(cells) = cells(line) else {
            imported.note((file, number), "left out: a quote is not closed");
            continue;
        };
        if number == 1 && cells.iter().any(|cell| cell == "word") {
            columns = Columns::named(&cells);
            continue;
        }
        let word = cells.get(columns.word).map_or("", |word| word.trim());
        if word.is_empty() {
            continue;
        }
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).map(|cell| cell.trim());
        let second = columns.action.or(Some(columns.word + 1));
        let action = cell(second).filter(|action| ACTIONS.contains(action));
        if columns.action.is_none()
            && action.is_none()
            && cell(second).is_some_and(|c| !c.is_empty())
        {
            imported
                .note((file, number), "the replacement is not translated: texts are never changed");
        }
        let mut entry = entry(word);
        entry.case = cell(columns.case) == Some("true") && entry.kind != "regex";
        let rule = action.unwrap_or("words").replace('_', "-");
        imported.add(&rule, (file, number), entry);
    }
}

struct Columns {
    word: usize,
    action: Option<usize>,
    case: Option<usize>,
}

impl Columns {
    fn named(head: &[String]) -> Self {
        let at = |name: &str| head.iter().position(|cell| cell.trim() == name);
        Self {
            word: at("word").unwrap_or_default(),
            action: at("action"),
            case: at("case_sensitive"),
        }
    }
}

fn entry(word: &str) -> ImportedEntry {
    let inner = word.trim_matches('*');
    if inner.contains('*') {
        let parts: Vec<String> = word.split('*').map(escaped).collect();
        return ImportedEntry::new("regex", &parts.join(r"\S*"));
    }
    let kind = match (word.starts_with('*'), word.ends_with('*')) {
        (false, false) => "word",
        (false, true) => "prefix",
        (true, false) => "suffix",
        (true, true) => "text",
    };
    ImportedEntry::new(kind, inner)
}

/// The cells of a line of CSV; nothing where a quote is not closed.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let cell = cells.last_mut().expect("there is always one");
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            letter => cell.push(letter),
        }
    }
    (!quoted).then_some(cells)
}
