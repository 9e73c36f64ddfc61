//! Digits and signs that stand for letters: `p0rn`, `$hit`, `f@gg0t`.
//!
//! A word is a run of ASCII letters, digits and signs that has a letter. Digits between letters are
//! read as letters; at an edge (`mp3`, `covid19`, `3rd`, `5kg`) only in a word that hides letters
//! inside as well (`b00b5`). Numbers, prices and long codes stay, and so do the digits of texts in
//! Arabizi, where 2, 3, 5, 6, 7, 8 and 9 are letters. Signs are letters there as elsewhere.

use std::ops::Range;

use super::units::{self, Unit};

/// Longer ones are codes and addresses.
const WORD_MAX: usize = 24;
/// Digits or signs in a row inside a word; more are a number.
pub(super) const SIGNS_MAX: usize = 2;
/// Words of Arabizi that a text has more often than not.
const ARABIZI: [&str; 24] = [
    "ya", "el", "wala", "wallah", "ana", "msh", "mesh", "mish", "yalla", "habibi", "enta", "enti",
    "inta", "inti", "kol", "fi", "bas", "kda", "keda", "shu", "eh", "allah", "men", "da",
];

/// Reads digits and signs as letters where they hide some; whether there were any.
pub(super) fn undo(units: &mut [Unit]) -> bool {
    let words = units::runs(units, in_word);
    let has = |word: &[Unit], test: fn(char) -> bool| word.iter().any(|unit| test(unit.ch));
    let disguised: Vec<_> = words
        .iter()
        .filter(|&word| {
            let word = &units[word.clone()];
            has(word, |ch| ch.is_ascii_alphabetic()) && has(word, |ch| !ch.is_ascii_alphabetic())
        })
        .cloned()
        .collect();
    let mut letters: Vec<(usize, char)> =
        disguised.into_iter().flat_map(|word| hidden(units, word)).collect();
    if letters.iter().any(|&(at, _)| units[at].ch.is_ascii_digit()) && is_arabizi(units, &words) {
        letters.retain(|&(at, _)| !units[at].ch.is_ascii_digit());
    }
    if letters.is_empty() {
        return false;
    }
    for &(at, letter) in &letters {
        units[at].ch = letter;
    }
    true
}

/// Whether a character is a digit or sign that may stand for a letter.
pub(super) fn may_hide_a_letter(ch: char) -> bool {
    ch.is_ascii_digit() || matches!(ch, '@' | '$' | '!' | '|' | '€' | '¡' | '¢')
}

fn in_word(ch: char) -> bool {
    ch.is_ascii_alphabetic() || may_hide_a_letter(ch)
}

/// The letters that a word hides, by their places.
fn hidden(units: &[Unit], place: Range<usize>) -> Vec<(usize, char)> {
    let word = &units[place.clone()];
    let letters = word.iter().filter(|unit| unit.ch.is_ascii_alphabetic()).count();
    let digits = word.iter().filter(|unit| unit.ch.is_ascii_digit()).count();
    if word.len() > WORD_MAX || digits > letters + 1 {
        return Vec::new();
    }
    let runs = units::runs(word, |ch| !ch.is_ascii_alphabetic());
    let inside = |run: &Range<usize>| run.start > 0 && run.end < word.len();
    let hides_inside = runs.iter().any(|run| inside(run) && reads_inside(&word[run.clone()]));
    let reads = |run: &Range<usize>| {
        let signs = &word[run.clone()];
        if inside(run) {
            reads_inside(signs)
        } else {
            reads_at_edge(signs, run.start == 0, hides_inside)
        }
    };
    let chars: Vec<char> = word.iter().map(|unit| unit.ch).collect();
    let places = runs.into_iter().filter(reads).flatten();
    let read = places.map(|at| (at, letter(&chars, at)));
    read.filter(|&(at, letter)| letter != chars[at])
        .map(|(at, letter)| (place.start + at, letter))
        .collect()
}

/// Whether signs and digits between two letters are letters.
fn reads_inside(run: &[Unit]) -> bool {
    let digits = run.iter().filter(|unit| unit.ch.is_ascii_digit()).count();
    run.len() <= SIGNS_MAX
        && (digits == 0 || digits == run.len())
        && run.iter().all(|unit| letter(&[unit.ch], 0) != unit.ch)
}

/// Whether signs and digits at the edge of a word are letters: `$` (not `@`, which opens a mention,
/// and not `!`, which ends a sentence), and digits in a word that hides letters inside.
fn reads_at_edge(run: &[Unit], at_start: bool, hides_inside: bool) -> bool {
    let signs = run.iter().all(|unit| unit.ch == '$');
    let digits = run.iter().all(|unit| unit.ch.is_ascii_digit());
    run.len() <= SIGNS_MAX && (signs || (hides_inside && digits)) && (!at_start || run.len() == 1)
}

/// The letter that the digit or sign at `at` stands for.
fn letter(word: &[char], at: usize) -> char {
    match word[at] {
        '0' => 'o',
        '1' => one(word, at),
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' => 't',
        '8' => 'b',
        '!' | '¡' => 'i',
        '|' => 'l',
        '¢' => 'c',
        other => other,
    }
}

/// 1 is i (`b1tch`), but l beside another l (`ki1l`, `he11o`), at the end after a vowel, and between
/// s, p, b, f or g and a vowel (`s1ut`).
fn one(word: &[char], at: usize) -> char {
    let vowel = |ch: &char| matches!(ch, 'a' | 'e' | 'i' | 'o' | 'u');
    let before = at.checked_sub(1).map(|at| word[at]);
    let after = word.get(at + 1).copied();
    let beside = |ch: char| before == Some(ch) || after == Some(ch);
    let doubled = beside('l') && (before.as_ref().is_some_and(vowel) || before == Some('l'));
    let pair = beside('1');
    let last = after.is_none() && before.as_ref().is_some_and(vowel);
    let opens =
        matches!(before, Some('s' | 'p' | 'b' | 'f' | 'g')) && after.as_ref().is_some_and(vowel);
    if doubled || pair || last || opens { 'l' } else { 'i' }
}

/// Whether the text looks like Arabic in Latin letters: two words or more use its digits and no
/// others, and one of them begins with such a digit or the text has one of its common words.
fn is_arabizi(units: &[Unit], words: &[Range<usize>]) -> bool {
    let mut with_digits = 0;
    let mut opened = false;
    let mut common = false;
    for word in words {
        let text: String = units[word.clone()].iter().map(|unit| unit.ch).collect();
        let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
        common |= ARABIZI.contains(&text.as_str());
        if letters < 2 || digits.is_empty() {
            continue;
        }
        if digits.iter().any(|digit| matches!(digit, b'0' | b'1' | b'4')) {
            return false;
        }
        with_digits += 1;
        opened |= matches!(text.as_bytes()[0], b'2' | b'3' | b'5' | b'7' | b'9') && letters >= 3;
    }
    with_digits >= 2 && (opened || common)
}
