//! Separators between single letters: `f.u.c.k`, `加 微 信`.
//!
//! Letters of writings with spaces are joined when three or more stand alone, whatever stands between
//! them. Han, kana and Hangul syllables stand alone in plain text too, so they are joined only when
//! every gap of the chain has the same separator and every unit between two gaps is a single character.

use std::ops::Range;

use unicode_script::Script;

use super::{
    clusters,
    units::{self, Unit},
};
use crate::text::scripts::{is_letter, is_letter_or_digit, is_mark, is_syllable, script};

/// Characters of a gap; more separate words.
pub(super) const GAP_MAX: usize = 3;
/// Single letters that make a chain.
pub(super) const LETTERS_MIN: usize = 3;

/// Removes separators between single letters; whether there were any.
pub(super) fn undo(units: &mut Vec<Unit>) -> bool {
    let mut gone = letters(units);
    gone.extend(syllables(units));
    gone.sort_unstable();
    gone.dedup();
    units::remove(units, &gone);
    !gone.is_empty()
}

/// A stretch of text without a gap, as places of units.
type Group = Range<usize>;

/// Places of the separators in chains of single letters.
fn letters(units: &[Unit]) -> Vec<usize> {
    let mut gone = Vec::new();
    let mut chain: Vec<Group> = Vec::new();
    for group in units::runs(units, |ch| !is_separator(ch)) {
        let joins = chain.last().is_none_or(|last| is_gap(&units[last.end..group.start]));
        if !(joins && is_single(&units[group.clone()])) {
            close(units, &mut chain, &mut gone);
        }
        if is_single(&units[group.clone()]) {
            chain.push(group);
        }
    }
    close(units, &mut chain, &mut gone);
    gone
}

/// Ends a chain of single letters, which digits may stand among but not begin or end.
fn close(units: &[Unit], chain: &mut Vec<Group>, gone: &mut Vec<usize>) {
    let is_letter = |group: &Group| is_letter(units[group.start].ch);
    let first = chain.iter().position(is_letter);
    let last = chain.iter().rposition(is_letter);
    if let (Some(first), Some(last)) = (first, last) {
        let chain = &chain[first..=last];
        let count = chain.iter().filter(|group| is_letter(group)).count();
        if chain.len() >= LETTERS_MIN && count * 2 >= chain.len() {
            gone.extend(chain.windows(2).flat_map(|pair| pair[0].end..pair[1].start));
        }
    }
    chain.clear();
}

fn is_single(group: &[Unit]) -> bool {
    is_single_of(group.iter().map(|unit| unit.ch))
}

/// The same of a group that is not taken apart yet.
pub(super) fn is_single_text(group: &str) -> bool {
    is_single_of(group.chars())
}

/// One letter with what belongs to it, or a sign that may stand for one.
fn is_single_of(group: impl Iterator<Item = char> + Clone) -> bool {
    let spacing = |ch: char| {
        let syllable = is_syllable(ch) || script(ch) == Script::Bopomofo;
        !syllable && (is_letter_or_digit(ch) || is_mark(ch))
    };
    let mut chars = group.clone();
    match (chars.next(), chars.next()) {
        (Some(one), None) if one.is_ascii() => {
            one.is_ascii_alphanumeric() || matches!(one, '@' | '$' | '!' | '|' | '#' | '\'')
        }
        _ => {
            group.clone().nth(clusters::CHARS_MAX).is_none()
                && group.clone().all(spacing)
                && clusters::count(group) == 1
        }
    }
}

fn is_gap(gap: &[Unit]) -> bool {
    let breaks = gap.iter().filter(|unit| unit.ch == '\n').count();
    (1..=GAP_MAX).contains(&gap.len()) && breaks <= 1
}

/// Whether `ch` may stand between the letters of a word in disguise. Marks belong to their letter,
/// and apostrophes to their word: `i'm a`.
pub(super) fn is_separator(ch: char) -> bool {
    if ch.is_ascii() {
        return !ch.is_ascii_alphanumeric() && !matches!(ch, '@' | '$' | '!' | '?' | '\'');
    }
    !is_letter_or_digit(ch) && !matches!(ch, '。' | '’') && !is_mark(ch)
}

/// Places of the separators in chains of Han, kana or Hangul syllables.
fn syllables(units: &[Unit]) -> Vec<usize> {
    let groups = units::runs(units, |ch| !is_separator(ch));
    let gap = |at: usize| &units[groups[at].end..groups[at + 1].start];
    let joinable = |at: usize| {
        at + 1 < groups.len()
            && is_gap(gap(at))
            && is_syllable(units[groups[at].end - 1].ch)
            && is_syllable(units[groups[at + 1].start].ch)
    };
    let mut gone = Vec::new();
    let mut at = 0;
    while at < groups.len() {
        if !joinable(at) {
            at += 1;
            continue;
        }
        let first = at;
        let same = |at: usize| {
            gap(at).iter().map(|unit| unit.ch).eq(gap(first).iter().map(|unit| unit.ch))
        };
        while groups[at + 1].len() == 1 && joinable(at + 1) && same(at + 1) {
            at += 1;
        }
        // The chain's gaps are first..=at.
        let alone = at > first
            || (groups[at].len() == 1
                && groups[at + 1].len() == 1
                && !(first > 0 && joinable(first - 1))
                && !joinable(at + 1));
        // Words of one syllable stand among others in plain Korean: few of them join nothing else.
        let singles = groups[first..=at + 1].iter().filter(|group| group.len() == 1).count();
        let whole = |group: &Group| {
            singles < LETTERS_MIN
                && group.len() > 1
                && script(units[group.start].ch) == Script::Hangul
        };
        let from = first + usize::from(whole(&groups[first]));
        let to = at + usize::from(!whole(&groups[at + 1]));
        if alone && from < to {
            gone.extend((from..to).flat_map(|at| groups[at].end..groups[at + 1].start));
        }
        at += 1;
    }
    gone
}
