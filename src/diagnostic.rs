//! What is wrong in a file that a person wrote: where, what and how to mend it.
//!
//! The core collects diagnostics and goes on, so that a person sees all of them at once; how they are
//! printed is the command line's business.

use std::{ops::Range, sync::Arc};

/// Most diagnostics one report keeps; a file full of the same mistake needs no more.
pub const DIAGNOSTICS_MAX: usize = 500;

/// A file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as a person knows it.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// A range of bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The bytes.
    pub range: Range<usize>,
}

impl Location {
    /// The 1-based line and column (in characters) where the range starts.
    pub fn line_column(&self) -> (usize, usize) {
        self.at(self.range.start)
    }

    /// The same for the place behind the last character.
    pub fn end_line_column(&self) -> (usize, usize) {
        self.at(self.range.end.max(self.range.start))
    }

    fn at(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.file.text.len());
        let before = &self.file.text[..self.file.text.floor_char_boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The bundle is refused.
    Error,
    /// The bundle loads; somebody should look.
    Warning,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave.
    pub level: Level,
    /// A code that the documentation lists, such as `R012`.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where, when it is in a file.
    pub location: Option<Location>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, location: Location, message: impl Into<String>) -> Self {
        let (level, message) = (Level::Error, message.into());
        Self { level, code, message, location: Some(location), help: None }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, location: Location, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(code, location, message) }
    }

    /// An error about the bundle as a whole.
    pub fn global(code: &'static str, message: impl Into<String>) -> Self {
        let (level, message) = (Level::Error, message.into());
        Self { level, code, message, location: None, help: None }
    }

    /// The same with a way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All problems found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    dropped: usize,
}

impl Diagnostics {
    /// Adds one; beyond [`DIAGNOSTICS_MAX`] it is only counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.list.len() < DIAGNOSTICS_MAX {
            self.list.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Moves problems to where `origin` says that their places come from.
    pub fn relocate(&mut self, origin: impl Fn(&Location) -> Option<Location>) {
        for location in self.list.iter_mut().filter_map(|found| found.location.as_mut()) {
            if let Some(found) = origin(location) {
                *location = found;
            }
        }
    }

    /// Whether any of them refuses the bundle.
    pub fn has_errors(&self) -> bool {
        self.dropped > 0 || self.list.iter().any(|d| d.level == Level::Error)
    }

    /// The problems, sorted by file and place, global ones first.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<&Diagnostic> = self.list.iter().collect();
        sorted.sort_by_key(|d| d.location.as_ref().map(|l| (&l.file.path, l.range.start)));
        sorted
    }

    /// How many were counted but not kept.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// The known word nearest to `word`, when it is near enough to be a slip of the hand.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match word.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let distances = known.into_iter().map(|candidate| (edit_distance(word, candidate), candidate));
    distances.filter(|&(distance, _)| distance <= limit).min_by_key(|&(d, _)| d).map(|(_, c)| c)
}

/// Levenshtein's distance with neighbouring letters swapped counted as one step.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: [Vec<usize>; 3] = [Vec::new(), Vec::new(), (0..=b.len()).collect()];
    for i in 1..=a.len() {
        rows.rotate_left(1);
        rows[2] = vec![i];
        for j in 1..=b.len() {
            let changed = rows[1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            rows[2].push(best);
        }
    }
    rows[2][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_counts_lines_and_characters_from_one() {
        let file = Arc::new(SourceFile { path: "a.yaml".into(), text: "x\n微信: 1\n".into() });
        let at = |start| Location { file: Arc::clone(&file), range: start..start }.line_column();
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (2, 1));
        assert_eq!(at(8), (2, 3));
        assert_eq!(at(100), (3, 1));
        let file = Arc::new(SourceFile { path: "a.yaml".into(), text: "x\n微信: 1\n".into() });
        let key = Location { file, range: 2..8 };
        assert_eq!((key.line_column(), key.end_line_column()), ((2, 1), (2, 3)));
    }

    #[test]
    fn a_slip_of_the_hand_finds_its_word_and_another_word_does_not() {
        let known = ["severity", "status", "category"];
        assert_eq!(nearest("sevrity", known), Some("severity"));
        assert_eq!(nearest("statsu", known), Some("status"));
        assert_eq!(nearest("language", known), None);
        assert_eq!(nearest("id", ["ix"]), None);
    }
}
