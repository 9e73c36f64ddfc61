//! Letters of another script inside a word, and words written wholly in the letters of another script.
//!
//! A word that mixes scripts is read in the script in which all of its letters can be read; where both
//! can be, in the script of the words around it. A word in one script is left alone, so plain Russian
//! or Greek stays as it is, but for one among words of another script whose letters all look like
//! letters of that: `сосаіпе` in an English sentence.
//!
//! Triggers: letters outside ASCII beside letters of another script, or in a text of another script.

use unicode_script::Script;

use super::{
    lookalikes::{from_latin, latin, prototype, second},
    reading::Reading,
    units::{self, Unit},
};
use crate::text::{
    NormalizedText,
    scripts::{is_letter, is_written_without_spaces, script},
};

/// Letters of a Latin word that is read in another script as a whole: shorter ones are units and names.
const WHOLE_MIN: usize = 3;

/// Reads words that mix scripts in one script; whether there were any.
pub(super) fn undo(
    units: &mut [Unit],
    original: &str,
    standard: &NormalizedText,
    reading: &mut Reading,
) -> bool {
    if units.iter().all(|unit| unit.ch.is_ascii()) {
        return false;
    }
    let words = units::runs(units, in_word);
    let one_script = |word: &[Unit]| {
        let first = script(word[0].ch);
        word.iter().all(|unit| script(unit.ch) == first).then_some(first)
    };
    let scripts: Vec<_> = words.iter().map(|word| one_script(&units[word.clone()])).collect();
    let letters = |wanted: Script| -> usize {
        let of = words.iter().zip(&scripts).filter(|(_, script)| **script == Some(wanted));
        of.map(|(word, _)| word.len()).sum()
    };
    let only_latin = |word: &[Unit]| {
        let other =
            |unit: &Unit| unit.ch.is_ascii() && from_latin(Script::Cyrillic, unit.ch).is_none();
        word.iter().any(other) && word.iter().all(|unit| latin(unit.ch).is_some())
    };
    let mixed = words.iter().zip(&scripts).filter(|(_, script)| script.is_none());
    let disguised = mixed.filter(|(word, _)| only_latin(&units[(*word).clone()]));
    let disguised: usize = disguised.map(|(word, _)| word.len()).sum();
    let text = Letters {
        latin: letters(Script::Latin) + disguised,
        cyrillic: letters(Script::Cyrillic),
        greek: letters(Script::Greek),
    };
    let mut changed = false;
    for (word, script) in words.into_iter().zip(scripts) {
        let word = &mut units[word];
        let read = match script {
            Some(script) => text.foreign(word, script),
            None => Word { units: word, original, standard, text: &text }.read(reading),
        };
        for (unit, ch) in word.iter_mut().zip(read.into_iter().flatten()) {
            changed |= unit.ch != ch;
            unit.ch = ch;
        }
    }
    changed
}

/// A letter of a writing whose words could mix scripts.
pub(super) fn in_word(ch: char) -> bool {
    ch.is_ascii_alphabetic()
        || (is_letter(ch) && !is_written_without_spaces(ch) && script(ch) != Script::Hangul)
}

/// Whether letters of a script may be taken for Latin ones.
pub(super) fn looks_latin(script: Script) -> bool {
    matches!(script, Script::Cyrillic | Script::Greek | Script::Armenian | Script::Cherokee)
}

/// How many letters stand in words of one script.
struct Letters {
    latin: usize,
    cyrillic: usize,
    greek: usize,
}

impl Letters {
    /// A word of one script in the letters of the script that most of the text is in, where they all
    /// look alike.
    fn foreign(&self, word: &[Unit], script: Script) -> Option<Vec<char>> {
        let read = |to: fn(char) -> Option<char>| word.iter().map(|unit| to(unit.ch)).collect();
        let other = self.cyrillic.max(self.greek).saturating_sub(word.len());
        match script {
            Script::Latin if word.len() < WHOLE_MIN => None,
            Script::Latin if self.latin * 2 <= self.cyrillic => {
                read(|ch| from_latin(Script::Cyrillic, ch).filter(|&to| is_same(to, ch)))
            }
            Script::Latin if self.latin * 2 <= self.greek => {
                read(|ch| from_latin(Script::Greek, ch).filter(|&to| is_same(to, ch)))
            }
            Script::Cyrillic | Script::Greek if other > self.latin / 2 => None,
            Script::Cyrillic | Script::Greek | Script::Armenian | Script::Cherokee => {
                (self.latin > 0).then(|| read(latin)).flatten()
            }
            _ => None,
        }
    }
}

/// Whether a letter looks like a Latin one in both of its cases or in one.
fn is_same(letter: char, latin: char) -> bool {
    let capital = letter.to_uppercase().next().unwrap_or(letter);
    [prototype(letter), prototype(capital)].contains(&Some(latin))
}

/// A word that mixes scripts.
struct Word<'a> {
    units: &'a [Unit],
    original: &'a str,
    standard: &'a NormalizedText,
    text: &'a Letters,
}

impl Word<'_> {
    /// The word's letters in the script that they are best read in.
    fn read(&self, reading: &mut Reading) -> Option<Vec<char>> {
        let count = |wanted| self.units.iter().filter(|unit| script(unit.ch) == wanted).count();
        let latin = count(Script::Latin);
        let scripts = [Script::Cyrillic, Script::Greek];
        let other = scripts.into_iter().max_by_key(|&other| count(other))?;
        let as_latin: Vec<_> = self.units.iter().map(|&unit| self.latin(unit, reading)).collect();
        let as_other: Vec<_> = self.units.iter().map(|unit| read_as(other, unit.ch)).collect();
        let whole = |read: &[Option<char>]| read.iter().all(Option::is_some);
        let around = if other == Script::Greek { self.text.greek } else { self.text.cyrillic };
        let to_latin = match (whole(&as_latin), whole(&as_other)) {
            (true, false) => true,
            (false, true) => false,
            (true, true) if self.text.latin != around => self.text.latin > around,
            _ => latin >= count(other),
        };
        let read = if to_latin { as_latin } else { as_other };
        // A word without a Latin letter is no disguise of a Latin one.
        let plausible = latin > 0 || !to_latin;
        let or_itself = |(ch, unit): (Option<char>, &Unit)| ch.unwrap_or(unit.ch);
        plausible.then(|| read.into_iter().zip(self.units).map(or_itself).collect())
    }

    fn latin(&self, unit: Unit, reading: &mut Reading) -> Option<char> {
        if unit.ch.is_ascii_alphabetic() {
            return Some(unit.ch);
        }
        // A capital that looks like a Latin capital is that letter (Cyrillic В, Greek Η) whatever its
        // small form looks like. UTS 39 reads I as l, which the small form settles.
        let written = unit.written(self.original, self.standard);
        let capital = written.filter(|ch| ch.is_uppercase());
        if let Some(capital) = capital.and_then(prototype).filter(|&ch| ch != 'l') {
            return Some(capital);
        }
        match second(unit.ch) {
            Some(other) => Some(reading.choose(latin(unit.ch).unwrap_or(other), other)),
            None => latin(unit.ch),
        }
    }
}

fn read_as(wanted: Script, ch: char) -> Option<char> {
    if script(ch) == wanted { Some(ch) } else { from_latin(wanted, latin(ch)?) }
}
