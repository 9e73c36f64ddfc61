//! List files: one entry a line.
//!
//! `# ` (hash, space) starts a comment, so that hashtags survive; blank lines are skipped.

use std::{collections::BTreeMap, ops::Range, path::Path, sync::Arc};

use crate::diagnostic::SourceFile;

/// Most entries of one list.
pub(super) const LIST_ENTRIES_MAX: usize = 200_000;

/// The list files that were read, by path.
#[derive(Debug, Default)]
pub struct ListFiles(BTreeMap<String, Arc<SourceFile>>);

impl ListFiles {
    /// The files by their paths.
    pub fn new(files: impl IntoIterator<Item = Arc<SourceFile>>) -> Self {
        Self(files.into_iter().map(|file| (tidy(&file.path), file)).collect())
    }

    /// The list that `reference`, written in `from`, means.
    pub fn resolve(&self, from: &SourceFile, reference: &str) -> Option<&Arc<SourceFile>> {
        let folder = Path::new(&from.path).parent().unwrap_or_else(|| Path::new(""));
        self.0.get(&tidy(&folder.join(reference).to_string_lossy()))
    }
}

/// The entries of a list with their places.
pub(super) fn lines(file: &SourceFile) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut at = 0;
    let lines = file.text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (line, start)
    });
    lines.filter_map(|(line, start)| {
        let text = line.trim();
        if text.is_empty() || text == "#" || text.starts_with("# ") {
            return None;
        }
        let indent = line.len() - line.trim_start().len();
        Some((text, start + indent..start + indent + text.len()))
    })
}

/// Resolves `.` and `..` in a path without touching the disk.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" if !parts.is_empty() => {}
            "." => {}
            ".." if parts.last().is_some_and(|last| *last != ".." && !last.is_empty()) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_need_a_space_so_that_hashtags_survive() {
        let text = "# terms\n\nfirst term\n  #hashtag\n#\nlast".to_owned();
        let file = SourceFile { path: "lists/a.txt".into(), text };
        let found: Vec<_> = lines(&file).collect();
        assert_eq!(found, [("first term", 9..19), ("#hashtag", 22..30), ("last", 33..37)]);
    }

    #[test]
    fn a_reference_is_relative_to_its_pack() {
        let list = Arc::new(SourceFile { path: "rules/lists/a.txt".into(), text: String::new() });
        let pack = SourceFile { path: "rules/packs/p.yaml".into(), text: String::new() };
        let files = ListFiles::new([Arc::clone(&list)]);
        assert_eq!(files.resolve(&pack, "../lists/a.txt"), Some(&list));
        assert_eq!(files.resolve(&pack, "a.txt"), None);
    }
}
