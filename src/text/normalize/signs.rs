//! Signs that stand for letters by their look or by their Unicode names: regional indicators, squared
//! words, emoji of letters, and marks of other scripts that are piled on a letter.
//!
//! Triggers: U+1F1E6..=U+1F1FF in runs other than flags, the characters of [`NAMED`] beside a letter,
//! and the combining marks of Latin, Greek and mathematics on letters of other scripts.

use std::ops::Range;

use super::units::{self, Unit};
use crate::text::scripts::{is_letter, is_mark};

/// Signs and the letters that they show.
const NAMED: [(char, &str); 36] = [
    ('🆎', "ab"),
    ('🆑', "cl"),
    ('🆒', "cool"),
    ('🆓', "free"),
    ('🆔', "id"),
    ('🆕', "new"),
    ('🆖', "ng"),
    ('🆗', "ok"),
    ('🆘', "sos"),
    ('🆙', "up"),
    ('🆚', "vs"),
    ('⭕', "o"),
    ('🔴', "o"),
    ('❌', "x"),
    ('❎', "x"),
    ('✖', "x"),
    ('×', "x"),
    ('✝', "t"),
    ('†', "t"),
    ('➕', "t"),
    ('💲', "s"),
    ('§', "s"),
    ('❗', "i"),
    ('❕', "i"),
    ('©', "c"),
    ('®', "r"),
    ('∀', "a"),
    ('∆', "a"),
    ('∃', "e"),
    ('∂', "d"),
    ('∩', "n"),
    ('∪', "u"),
    ('√', "v"),
    ('∨', "v"),
    ('∅', "o"),
    ('¥', "y"),
];
/// Two of them are a flag.
const FLAG: usize = 2;

/// Puts letters in the place of signs that show them; whether there were any.
pub(super) fn undo(units: &mut Vec<Unit>) -> bool {
    if units.iter().all(|unit| unit.ch.is_ascii()) {
        return false;
    }
    let mut changed = regional_indicators(units);
    let before = units.len();
    units.retain(|unit| !is_piled(unit.ch));
    changed |= units.len() < before;
    changed | named(units)
}

fn regional_indicators(units: &mut [Unit]) -> bool {
    let runs = units::runs(units, |ch| letter_of_flag(ch).is_some());
    // Flags are pairs; among other runs a pair is two letters as well.
    if runs.iter().all(|run| run.len() == FLAG) {
        return false;
    }
    for at in runs.into_iter().flatten() {
        units[at].ch = letter_of_flag(units[at].ch).unwrap_or(units[at].ch);
    }
    true
}

/// Whether this step may change `ch`.
pub(super) fn may_change(ch: char) -> bool {
    letter_of_flag(ch).is_some() || is_piled(ch) || shown(ch).is_some()
}

fn letter_of_flag(ch: char) -> Option<char> {
    let place = u32::from(ch).checked_sub(0x1_F1E6).filter(|&place| place < 26)?;
    char::from_u32(u32::from('a') + place)
}

/// Marks that belong to Latin, Greek, phonetics and mathematics. Those three scripts composed theirs
/// with their letters; on any other letter they are noise.
fn is_piled(ch: char) -> bool {
    let piled = matches!(ch, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}')
        || matches!(ch, '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}');
    piled && is_mark(ch)
}

/// Signs of the table that stand beside a letter or beside one another.
fn named(units: &mut Vec<Unit>) -> bool {
    let runs = units::runs(units, |ch| shown(ch).is_some());
    let letter =
        |at: Option<usize>| at.and_then(|at| units.get(at)).is_some_and(|unit| is_letter(unit.ch));
    let in_word = |run: &Range<usize>| letter(run.start.checked_sub(1)) || letter(Some(run.end));
    let words: Vec<_> = runs.into_iter().filter(in_word).collect();
    if words.is_empty() {
        return false;
    }
    let mut read = Vec::with_capacity(units.len() + words.len());
    let mut at = 0;
    for run in words {
        read.extend_from_slice(&units[at..run.start]);
        for &unit in &units[run.clone()] {
            let letters = shown(unit.ch).unwrap_or_default();
            read.extend(letters.chars().map(|ch| unit.read_as(ch)));
        }
        at = run.end;
    }
    read.extend_from_slice(&units[at..]);
    *units = read;
    true
}

fn shown(ch: char) -> Option<&'static str> {
    if ch.is_ascii() || is_letter(ch) {
        return None;
    }
    NAMED.iter().find(|(sign, _)| *sign == ch).map(|&(_, letters)| letters)
}
