//! Text turned upside down: `ʞɔnɟ`, which is read from its end.
//!
//! A stretch of words is turned when all of its letters are, or are letters that stay letters upside
//! down, and two or more of them exist for nothing else. It is mapped to the original as a whole.
//! Triggers: the letters of [`TURNED`].

use std::ops::Range;

use super::{
    reversed,
    units::{self, Unit},
};
use crate::text::scripts::is_letter;

/// Turned letters with their names' letters.
const TURNED: [(char, char); 23] = [
    ('ɐ', 'a'),
    ('ɔ', 'c'),
    ('ǝ', 'e'),
    ('ə', 'e'),
    ('ɟ', 'f'),
    ('ƃ', 'g'),
    ('ᵷ', 'g'),
    ('ɓ', 'g'),
    ('ɥ', 'h'),
    ('ᴉ', 'i'),
    ('ı', 'i'),
    ('ɾ', 'j'),
    ('ʞ', 'k'),
    ('ן', 'l'),
    ('ꞁ', 'l'),
    ('ʅ', 'l'),
    ('ɯ', 'm'),
    ('ɹ', 'r'),
    ('ʇ', 't'),
    ('ʌ', 'v'),
    ('ʍ', 'w'),
    ('ʎ', 'y'),
    ('⅄', 'y'),
];
/// Plain letters that are letters upside down too.
const BOTH: [(char, char); 12] = [
    ('b', 'q'),
    ('q', 'b'),
    ('d', 'p'),
    ('p', 'd'),
    ('n', 'u'),
    ('u', 'n'),
    ('o', 'o'),
    ('s', 's'),
    ('x', 'x'),
    ('z', 'z'),
    ('l', 'l'),
    ('i', 'i'),
];
/// Turned letters that make a turned text.
const TURNED_MIN: usize = 2;

/// Reads turned stretches the right way up; whether there were any.
pub(super) fn undo(units: &mut [Unit]) -> bool {
    if units.iter().filter(|unit| is_evidence(unit.ch)).count() < TURNED_MIN {
        return false;
    }
    let mut changed = false;
    for stretch in stretches(units) {
        for unit in &mut units[stretch.clone()] {
            unit.ch = turned(unit.ch).or_else(|| both(unit.ch)).unwrap_or(unit.ch);
        }
        reversed::turn(&mut units[stretch]);
        changed = true;
    }
    changed
}

/// From the first word with a turned letter to the last, over words that may be turned and no others.
fn stretches(units: &[Unit]) -> Vec<Range<usize>> {
    let may_turn =
        |unit: &Unit| !is_letter(unit.ch) || turned(unit.ch).is_some() || both(unit.ch).is_some();
    let words = units::runs(units, |ch| !ch.is_whitespace());
    let mut found = Vec::new();
    for words in words.chunk_by(|a, b| {
        let turns = |word: &Range<usize>| units[word.clone()].iter().all(may_turn);
        turns(a) && turns(b)
    }) {
        let evidence = |word: &Range<usize>| {
            units[word.clone()].iter().filter(|unit| is_evidence(unit.ch)).count()
        };
        let turned = |word: &&Range<usize>| {
            evidence(word) > 0 && units[(*word).clone()].iter().all(may_turn)
        };
        let mut of_turned = words.iter().filter(turned);
        let Some(first) = of_turned.next() else { continue };
        let stretch = first.start..of_turned.next_back().map_or(first.end, |last| last.end);
        if evidence(&stretch) >= TURNED_MIN {
            found.push(stretch);
        }
    }
    found
}

/// Whether this step may change `ch` and what stands around it.
pub(super) fn may_change(ch: char) -> bool {
    is_evidence(ch)
}

/// Letters that no language writes with: ı, ə, ɔ, ɓ and ʌ have other lives.
fn is_evidence(ch: char) -> bool {
    turned(ch).is_some() && !matches!(ch, 'ı' | 'ə' | 'ɔ' | 'ɓ' | 'ǝ' | 'ʌ' | 'ן')
}

fn turned(ch: char) -> Option<char> {
    if ch.is_ascii() {
        return None;
    }
    TURNED.iter().find(|(odd, _)| *odd == ch).map(|&(_, plain)| plain)
}

fn both(ch: char) -> Option<char> {
    BOTH.iter().find(|(letter, _)| *letter == ch).map(|&(_, other)| other)
}
