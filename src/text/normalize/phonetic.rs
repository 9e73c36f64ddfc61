//! The phonetic view: Han characters as the syllables they are read as, without tones, so that 佳微芯,
//! `jia wei xin` and 加wei信 are one.
//!
//! A literal begins and ends with whole syllables; what has no syllable stays apart from what has one.
//! Han are read in their most frequent way, a literal's in their two most frequent ones. Latin words
//! are syllables when the whole word is some; a space between two syllables says nothing.

use super::{
    mandarin::{self, SyllablePairs, is_syllable, of_han},
    units::{self, Unit},
};
use crate::text::NormalizedText;

/// Syllables that a literal needs: two are a homophone of too many words.
pub const SYLLABLES_MIN: usize = 3;
/// Syllables that are enough where other words must stand near.
pub const SYLLABLES_MIN_NEAR: usize = 2;
/// Readings of one character of a literal, and of the whole literal.
const READINGS_OF_CHAR_MAX: usize = 2;
const READINGS_MAX: usize = 16;

/// The phonetic view of a text; nothing for one without Han and without the letters that mark pinyin,
/// and for one that has none of the `beginnings` of literals.
///
/// # Panics
/// When `standard` is not the standard view of `original`.
pub fn phonetic(
    original: &str,
    standard: &NormalizedText,
    beginnings: &SyllablePairs,
) -> Option<NormalizedText> {
    let text = standard.text();
    if !(speaks(text) && has_any(text, beginnings)) {
        return None;
    }
    let units = units::of(standard);
    let mut read: Vec<Unit> = Vec::with_capacity(units.len());
    let mut at = 0;
    while at < units.len() {
        let unit = units[at];
        let letters = units[at..].iter().map_while(|unit| letter(unit.ch));
        let word: Vec<u8> = letters.collect();
        let end = at + word.len().max(1);
        match mandarin::spelled(&word) {
            Some(syllables) => {
                for (syllable, len) in syllables {
                    read.push(units[at].up_to(units[at + len - 1]).read_as(syllable));
                    at += len;
                }
            }
            None if word.is_empty() => {
                read.push(of_han(unit.ch).map_or(unit, |syllable| unit.read_as(syllable)));
            }
            None => read.extend_from_slice(&units[at..end]),
        }
        at = end;
    }
    let without_spaces = |at: usize| {
        let beside =
            |at: Option<usize>| at.and_then(|at| read.get(at)).is_some_and(|u| is_syllable(u.ch));
        read[at].ch == ' ' && beside(at.checked_sub(1)) && beside(Some(at + 1))
    };
    let spaces: Vec<usize> = (0..read.len()).filter(|&at| without_spaces(at)).collect();
    units::remove(&mut read, &spaces);
    Some(units::mapped(&read, standard, original.len()))
}

/// Whether anything says that a text may be read aloud in Mandarin.
fn speaks(text: &str) -> bool {
    let has_han = || !text.is_ascii() && text.contains(|ch| of_han(ch).is_some());
    text.bytes().any(|byte| matches!(byte, b'x' | b'q')) || has_han()
}

/// Whether two syllables that begin a literal stand beside each other: a quick look without places.
fn has_any(text: &str, beginnings: &SyllablePairs) -> bool {
    let mut last: Option<char> = None;
    let mut rest = text;
    while let Some(ch) = rest.chars().next() {
        let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        let (word, behind) = rest.split_at(letters.max(ch.len_utf8()));
        let mut follows = |syllable: char| {
            let before = last.replace(syllable);
            before.is_some_and(|before| beginnings.contains(before, syllable))
        };
        if letters > 0 {
            match mandarin::spelled(word.as_bytes()) {
                Some(read) => {
                    if read.into_iter().any(|(syllable, _)| follows(syllable)) {
                        return true;
                    }
                }
                None => last = None,
            }
        } else if let Some(syllable) = of_han(ch) {
            if follows(syllable) {
                return true;
            }
        } else if ch != ' ' {
            last = None;
        }
        rest = behind;
    }
    false
}

/// What the phonetic view shows of a literal, in every likely reading; empty where a character of it
/// has none.
pub fn phonetic_literals(standard: &str) -> Vec<String> {
    let mut readings = vec![String::new()];
    for ch in standard.chars() {
        let mut of_char: Vec<char> = mandarin::readings(ch);
        of_char.truncate(READINGS_OF_CHAR_MAX);
        if readings.len() * of_char.len() > READINGS_MAX {
            of_char.truncate(1);
        }
        let with = |prefix: &String| {
            of_char.iter().map(|&syllable| format!("{prefix}{syllable}")).collect::<Vec<_>>()
        };
        readings = readings.iter().flat_map(with).collect();
    }
    readings
}

/// Syllables of a literal, if it has nothing else.
pub fn syllables(standard: &str) -> Option<usize> {
    let all = standard.chars().all(|ch| of_han(ch).is_some());
    all.then(|| standard.chars().count())
}

/// A small letter of ASCII as it is.
fn letter(ch: char) -> Option<u8> {
    u8::try_from(ch).ok().filter(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Span, standard};

    /// The view, for one literal.
    fn view_for(literal: &str, text: &str) -> Option<NormalizedText> {
        let mut beginnings = SyllablePairs::default();
        for literal in phonetic_literals(literal) {
            beginnings.add_beginning(&literal);
        }
        phonetic(text, &standard(text), &beginnings)
    }

    #[test]
    fn homophones_pinyin_and_mixtures_read_alike() {
        let literal = &phonetic_literals("加微信")[0];
        for text in ["佳微芯", "jia wei xin", "jiaweixin", "加wei信", "請加 微 信", "JIA微xin"]
        {
            let view = view_for("加微信", text).expect("the text has syllables");
            assert!(view.text().contains(literal), "{text}");
        }
        for text in ["微信加", "加入微信", "jia wei", "加，微信"] {
            let view = view_for("加微信", text);
            assert!(!view.is_some_and(|view| view.text().contains(literal)), "{text}");
        }
        assert!(view_for("加微信", "plain words of English").is_none());
    }

    #[test]
    fn a_literal_is_read_in_two_ways() {
        let literals = phonetic_literals("银行卡");
        let view = view_for("银行卡", "银航卡").expect("the text has syllables");
        assert!(literals.iter().any(|literal| view.text().contains(literal.as_str())));
        assert_eq!(syllables("银行卡"), Some(3));
        assert_eq!(syllables("k粉"), None);
    }

    #[test]
    fn a_find_is_where_the_author_wrote_it() {
        let text = "请jia wei信吧";
        let view = view_for("加微信", text).expect("the text has syllables");
        let literal = &phonetic_literals("加微信")[0];
        let at = view.text().find(literal).expect("the literal is found");
        let span = view.original_span(Span::from_range(at..at + literal.len()));
        assert_eq!(&text[span.range()], "jia wei信");
    }
}
