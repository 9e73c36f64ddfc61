//! The phonetic view: Han characters as the syllables they are read as, without tones, so that 佳微芯,
//! `jia wei xin` and 加wei信 are one.
//!
//! Each syllable is one character of a private range, so that a literal begins and ends with whole
//! syllables; what has no syllable stays apart from what has one. Han are read in their most frequent
//! way (`pinyin`, whose data is Unicode's `kMandarin` and dictionaries); a literal's in their two most
//! frequent ones. Latin words are syllables when the whole word is some; a space between two
//! syllables says nothing.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::FixedState;
use pinyin::{ToPinyin, ToPinyinMulti};

use super::units::{self, Unit};
use crate::text::{NormalizedText, blocks::Blocks};

/// Syllables that a literal needs: two are a homophone of too many words.
pub const SYLLABLES_MIN: usize = 3;
/// Readings of one character of a literal, and of the whole literal.
const READINGS_OF_CHAR_MAX: usize = 2;
const READINGS_MAX: usize = 16;
/// Letters of the longest syllable, `zhuang`.
const SYLLABLE_LETTERS_MAX: usize = 6;
/// Letters of a word that is read as syllables.
const WORD_MAX: usize = 40;
/// Where the characters that stand for syllables begin; there are some 400 syllables.
const FIRST: u32 = 0xE000;
/// Han with a reading: beyond the second plane there are none.
const HAN: [std::ops::RangeInclusive<char>; 2] =
    ['\u{3400}'..='\u{9FFF}', '\u{20000}'..='\u{323AF}'];

/// Every syllable that some character is read as, with the character that stands for it.
static SYLLABLES: LazyLock<HashMap<&'static str, char, FixedState>> = LazyLock::new(|| {
    let read = HAN[0].clone().filter_map(|ch| ch.to_pinyin()).map(pinyin::Pinyin::plain);
    let mut all: Vec<&str> = read.filter(|syllable| syllable.len() > 1).collect();
    all.extend(["a", "e", "o"]);
    all.sort_unstable();
    all.dedup();
    let code = (FIRST..).filter_map(char::from_u32);
    all.into_iter().zip(code).collect::<HashMap<_, _, FixedState>>()
});

static OF_HAN: Blocks<Option<char>> = Blocks::new(|ch| {
    let is_han = HAN.iter().any(|range| range.contains(&ch));
    let reading = is_han.then(|| ch.to_pinyin()).flatten()?;
    SYLLABLES.get(reading.plain()).copied()
});

/// The phonetic view of a text; nothing for one without Han and without the letters that mark pinyin,
/// and for one whose syllables are not `worth` the way back to the original.
///
/// # Panics
/// When `standard` is not the standard view of `original`.
pub fn phonetic(
    original: &str,
    standard: &NormalizedText,
    worth: impl Fn(&str) -> bool,
) -> Option<NormalizedText> {
    let text = standard.text();
    let is_han = |ch: char| !ch.is_ascii() && OF_HAN.get(ch).is_some();
    let speaks = text.contains(['x', 'q']) || (!text.is_ascii() && text.contains(is_han));
    if !speaks {
        return None;
    }
    let units = units::of(standard);
    let mut read: Vec<Unit> = Vec::with_capacity(units.len());
    let mut at = 0;
    while at < units.len() {
        let unit = units[at];
        if !unit.ch.is_ascii() {
            read.push(OF_HAN.get(unit.ch).map_or(unit, |syllable| unit.read_as(syllable)));
            at += 1;
            continue;
        }
        let letters = units[at..].iter().take_while(|unit| unit.ch.is_ascii_alphabetic());
        let end = at + letters.count();
        if end == at {
            read.push(unit);
            at += 1;
            continue;
        }
        match segmented(&units[at..end]) {
            Some(syllables) => read.extend(syllables),
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
    let sounds: String = read.iter().map(|unit| unit.ch).collect();
    worth(&sounds).then(|| units::mapped(&read, standard, original.len()))
}

/// What the phonetic view shows of a literal, in every likely reading; empty where a character of it
/// has none.
pub fn phonetic_literals(standard: &str) -> Vec<String> {
    let mut readings = vec![String::new()];
    for ch in standard.chars() {
        let mut of_char: Vec<char> = readings_of(ch);
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
    let all = standard.chars().all(|ch| OF_HAN.get(ch).is_some());
    all.then(|| standard.chars().count())
}

fn readings_of(ch: char) -> Vec<char> {
    let first = OF_HAN.get(ch).iter().copied();
    let others = ch.to_pinyin_multi().into_iter().flatten();
    let others = others.filter_map(|reading| SYLLABLES.get(reading.plain()).copied());
    let mut readings: Vec<char> = Vec::new();
    for reading in first.chain(others) {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

fn is_syllable(ch: char) -> bool {
    u32::from(ch)
        .checked_sub(FIRST)
        .is_some_and(|place| usize::try_from(place).is_ok_and(|place| place < SYLLABLES.len()))
}

/// A word as syllables, the fewest that make it up; of as few the ones that begin with the longest.
fn segmented(word: &[Unit]) -> Option<Vec<Unit>> {
    let (first, last) = (word.first()?.ch, word.last()?.ch);
    // No syllable begins or ends with any other letter.
    let may_be = !matches!(first, 'i' | 'u' | 'v')
        && matches!(last, 'a' | 'e' | 'i' | 'o' | 'u' | 'v' | 'n' | 'g' | 'r');
    if word.len() > WORD_MAX || !may_be {
        return None;
    }
    let letters: String = word.iter().map(|unit| unit.ch).collect();
    if !ends_in_syllable(&letters) {
        return None;
    }
    // From the end on: the fewest syllables from each place, and the length of the first.
    let mut best: Vec<Option<(usize, usize)>> = vec![None; letters.len() + 1];
    best[letters.len()] = Some((0, 0));
    for at in (0..letters.len()).rev() {
        let longest = SYLLABLE_LETTERS_MAX.min(letters.len() - at);
        let known = (1..=longest).rev().filter(|&len| syllable(&letters[at..at + len]).is_some());
        let counted = known.filter_map(|len| best[at + len].map(|(count, _)| (count + 1, len)));
        best[at] = counted.min_by_key(|&(count, _)| count);
    }
    let mut read = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let (_, len) = best[at]?;
        let syllable = syllable(&letters[at..at + len])?;
        read.push(word[at].up_to(word[at + len - 1]).read_as(syllable));
        at += len;
    }
    Some(read)
}

/// Whether syllables lead from the start of a word to its end: most words that are no pinyin fail at
/// the first letters.
fn ends_in_syllable(letters: &str) -> bool {
    let mut reached = 1_u64;
    for at in 0..letters.len() {
        if reached >> at == 0 {
            return false;
        }
        if reached >> at & 1 == 1 {
            let longest = SYLLABLE_LETTERS_MAX.min(letters.len() - at);
            let known = (1..=longest).filter(|len| syllable(&letters[at..at + len]).is_some());
            reached |= known.fold(0, |reached, len| reached | 1 << (at + len));
        }
    }
    reached >> letters.len() & 1 == 1
}

/// The character of a syllable, with ü written as it is typed.
fn syllable(letters: &str) -> Option<char> {
    let known = |letters: &str| SYLLABLES.get(letters).copied();
    known(letters).or_else(|| match letters {
        "lv" => known("lü"),
        "nv" => known("nü"),
        "lve" => known("lüe"),
        "nve" => known("nüe"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Span, standard};

    fn view(text: &str) -> Option<NormalizedText> {
        phonetic(text, &standard(text), |_| true)
    }

    #[test]
    fn homophones_pinyin_and_mixtures_read_alike() {
        let literal = &phonetic_literals("加微信")[0];
        for text in ["佳微芯", "jia wei xin", "jiaweixin", "加wei信", "請加 微 信", "JIA微xin"]
        {
            let view = view(text).expect("the text has syllables");
            assert!(view.text().contains(literal), "{text}");
        }
        for text in ["微信加", "加入微信", "jia wei", "加，微信"] {
            let view = view(text);
            assert!(!view.is_some_and(|view| view.text().contains(literal)), "{text}");
        }
        assert!(view("plain words of English").is_none());
    }

    #[test]
    fn a_literal_is_read_in_two_ways() {
        let literals = phonetic_literals("银行卡");
        let view = view("银航卡").expect("the text has syllables");
        assert!(literals.iter().any(|literal| view.text().contains(literal.as_str())));
        assert_eq!(syllables("银行卡"), Some(3));
        assert_eq!(syllables("k粉"), None);
    }

    #[test]
    fn a_find_is_where_the_author_wrote_it() {
        let text = "请jia wei信吧";
        let view = view(text).expect("the text has syllables");
        let literal = &phonetic_literals("加微信")[0];
        let at = view.text().find(literal).expect("the literal is found");
        let span = view.original_span(Span::from_range(at..at + literal.len()));
        assert_eq!(&text[span.range()], "jia wei信");
    }
}
