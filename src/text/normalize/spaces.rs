//! White space: one space between words, and `\n\n` for a blank line.
//!
//! Two spaces, a tab or a line break inside a phrase would hide it from the rules. Only a blank line
//! says that what stands before and after it is no phrase, so it stays.

use super::units::{self, Unit};
use crate::text::NormalizedText;

/// Folds every run of white space in a text that is folded otherwise.
///
/// It runs last: characters that were removed, or became spaces, may stand inside a run.
pub(super) fn fold(text: NormalizedText) -> NormalizedText {
    match needed(text.text()) {
        Needed::Nothing => return text,
        Needed::Spaces => return text.with_ascii_spaces(),
        Needed::Runs => {}
    }
    let before = units::of(&text);
    let mut after: Vec<Unit> = Vec::with_capacity(before.len());
    let mut copied = 0;
    for run in units::runs(&before, char::is_whitespace) {
        after.extend_from_slice(&before[copied..run.start]);
        copied = run.end;
        let run = &before[run];
        let (first, last) = (run[0], run[run.len() - 1]);
        if line_breaks(run.iter().map(|unit| unit.ch)) < 2 {
            after.push(first.up_to(last).read_as(' '));
        } else {
            after.push(first.read_as('\n'));
            after.push(run[1].up_to(last).read_as('\n'));
        }
    }
    after.extend_from_slice(&before[copied..]);
    units::mapped(&after, &text, text.original_len() as usize)
}

/// What there is to fold in a text.
enum Needed {
    /// White space is single spaces.
    Nothing,
    /// White space is single characters of ASCII: each becomes a space where it stands.
    Spaces,
    /// Anything else.
    Runs,
}

fn needed(text: &str) -> Needed {
    let mut needed = Needed::Nothing;
    let mut after_space = false;
    for ch in text.chars() {
        let space =
            if ch.is_ascii() { ch <= ' ' && ch.is_whitespace() } else { ch.is_whitespace() };
        if space && (after_space || !ch.is_ascii()) {
            return Needed::Runs;
        }
        if space && ch != ' ' {
            needed = Needed::Spaces;
        }
        after_space = space;
    }
    needed
}

/// How many lines a run of white space ends; `\r\n` ends one.
fn line_breaks(run: impl Iterator<Item = char>) -> usize {
    let mut last = ' ';
    run.filter(|&ch| {
        let breaks = is_line_break(ch) && !(last == '\r' && ch == '\n');
        last = ch;
        breaks
    })
    .count()
}

/// Whether a character ends a line.
pub(super) fn is_line_break(ch: char) -> bool {
    matches!(ch, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
