//! Letters of another script inside a word, by the confusables of UTS 39.
//!
//! Only words that mix scripts are touched, so plain Russian or Greek stays as it is. A word is read
//! in the script in which all of its letters can be read, else in the one that most of its letters
//! belong to.

use std::{collections::HashMap, sync::LazyLock};

use unicode_script::Script;
use unicode_security::skeleton;

use super::{
    diacritics::looks_like,
    units::{self, Unit},
};
use crate::text::{
    NormalizedText,
    scripts::{is_letter, is_mark, is_written_without_spaces, script},
};

/// Cyrillic and Greek letters as readers take Latin ones among them.
static FROM_LATIN: LazyLock<HashMap<(Script, char), char>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    let letters = ('а'..='я').chain(['і', 'ѕ', 'ј', 'һ', 'ԛ', 'ԝ']).chain('α'..='ω');
    for letter in letters {
        let capital = letter.to_uppercase().next().unwrap_or(letter);
        for latin in [latin(letter), latin(capital)].into_iter().flatten() {
            table.entry((script(letter), latin)).or_insert(letter);
        }
    }
    table
});

/// Reads words that mix scripts in one script; whether there were any.
pub(super) fn undo(units: &mut [Unit], original: &str, standard: &NormalizedText) -> bool {
    let mut changed = false;
    for word in units::runs(units, in_word) {
        let word = &mut units[word];
        if word.iter().all(|unit| unit.ch.is_ascii()) {
            continue;
        }
        let first = script(word[0].ch);
        if word.iter().all(|unit| script(unit.ch) == first) {
            continue;
        }
        if let Some(read) = readings(word, original, standard) {
            for (unit, ch) in word.iter_mut().zip(read) {
                changed |= unit.ch != ch;
                unit.ch = ch;
            }
        }
    }
    changed
}

/// A letter of a writing whose words could mix scripts.
pub(super) fn in_word(ch: char) -> bool {
    ch.is_ascii_alphabetic()
        || (is_letter(ch) && !is_written_without_spaces(ch) && script(ch) != Script::Hangul)
}

/// The word's letters in the script that they are best read in.
fn readings(word: &[Unit], original: &str, standard: &NormalizedText) -> Option<Vec<char>> {
    let count = |wanted| word.iter().filter(|unit| script(unit.ch) == wanted).count();
    let latin = count(Script::Latin);
    let other = [Script::Cyrillic, Script::Greek].into_iter().max_by_key(|&other| count(other))?;
    let as_latin: Vec<Option<char>> =
        word.iter().map(|&unit| read_latin(unit, original, standard)).collect();
    let as_other: Vec<Option<char>> = word.iter().map(|unit| read_as(other, unit.ch)).collect();
    let whole = |read: &[Option<char>]| read.iter().all(Option::is_some);
    let to_latin = match (whole(&as_latin), whole(&as_other)) {
        (true, false) => true,
        (false, true) => false,
        _ => latin >= count(other),
    };
    let read = if to_latin { as_latin } else { as_other };
    // A word without a Latin letter is no disguise of a Latin one.
    let plausible = latin > 0 || !to_latin;
    plausible.then(|| read.into_iter().zip(word).map(|(ch, unit)| ch.unwrap_or(unit.ch)).collect())
}

fn read_as(wanted: Script, ch: char) -> Option<char> {
    if script(ch) == wanted {
        return Some(ch);
    }
    FROM_LATIN.get(&(wanted, ch)).copied()
}

fn read_latin(unit: Unit, original: &str, standard: &NormalizedText) -> Option<char> {
    if unit.ch.is_ascii_alphabetic() {
        return Some(unit.ch);
    }
    // A capital that looks like a Latin capital is that letter (Cyrillic В, Greek Η) whatever its
    // small form looks like. UTS 39 reads I as l, which the small form settles.
    let capital = unit.written(original, standard).filter(|ch| ch.is_uppercase());
    capital.and_then(latin).filter(|&ch| ch != 'l').or_else(|| latin(unit.ch))
}

/// The ASCII letter that `ch` is taken for.
fn latin(ch: char) -> Option<char> {
    if ch.is_ascii() {
        return ch.is_ascii_alphabetic().then(|| ch.to_ascii_lowercase());
    }
    let prototype: Vec<char> =
        skeleton(ch.encode_utf8(&mut [0; 4])).filter(|&ch| !is_mark(ch)).collect();
    let letter = match prototype[..] {
        [one] => one.to_lowercase().next()?,
        // UTS 39 takes m apart.
        ['r', 'n'] => 'm',
        _ => return None,
    };
    looks_like(letter).or(Some(letter)).filter(char::is_ascii_alphabetic)
}
