//! Digits and signs that stand for letters: `p0rn`, `$hit`, `f@gg0t`, `S1eg`, `з6с`.
//!
//! A word is a run of letters of one script, Latin or Cyrillic, with digits and signs. Digits in it are
//! read as letters; what that makes of `mp3` or `5kg` is no word, and literals are read the same way.
//! Numbers, prices and long codes stay, and so do the digits of texts in Arabizi, where 2, 3, 5, 6, 7,
//! 8 and 9 are letters. Signs are letters there as elsewhere.
//!
//! Triggers: a digit or one of `@ $ ! | # € £ ¡ ¢` beside a letter.

use std::ops::Range;

use super::{
    reading::Reading,
    units::{self, Unit},
};
use crate::text::NormalizedText;

/// Longer ones are codes and addresses.
const WORD_MAX: usize = 24;
/// Digits in a row inside a word; more are a number.
const DIGITS_MAX: usize = 2;
/// Signs in a row with digits among them.
const SIGNS_MAX: usize = 4;
/// Words of Arabizi that a text has more often than not.
const ARABIZI: [&str; 24] = [
    "ya", "el", "wala", "wallah", "ana", "msh", "mesh", "mish", "yalla", "habibi", "enta", "enti",
    "inta", "inti", "kol", "fi", "bas", "kda", "keda", "shu", "eh", "allah", "men", "da",
];

/// Reads digits and signs as letters where they hide some; whether there were any.
pub(super) fn undo(
    units: &mut [Unit],
    original: &str,
    standard: &NormalizedText,
    reading: &mut Reading,
) -> bool {
    if !units.iter().any(|unit| is_sign(unit.ch)) {
        return false;
    }
    let words = units::runs(units, in_word);
    let goes_on = |end: usize| {
        let next = units.get(end - 1..end + 2);
        next.is_some_and(|next| goes_on(units::written(next, original, standard)))
    };
    let of_word = |word: &Range<usize>| hidden(units, word.clone(), &goes_on, reading);
    let mut letters: Vec<(usize, char)> = words.iter().flat_map(of_word).collect();
    if letters.iter().any(|&(at, _)| units[at].ch.is_ascii_digit()) && is_arabizi(units, &words) {
        letters.retain(|&(at, _)| !units[at].ch.is_ascii_digit());
    }
    for &(at, letter) in &letters {
        units[at].ch = letter;
    }
    !letters.is_empty()
}

/// Whether a character is a digit or sign that may stand for a letter.
pub(super) fn is_sign(ch: char) -> bool {
    ch.is_ascii_digit() || matches!(ch, '@' | '$' | '!' | '|' | '#' | '€' | '£' | '¡' | '¢')
}

/// Whether a character is one of a word in which signs may be letters.
pub(super) fn in_word(ch: char) -> bool {
    ch.is_ascii_alphabetic() || is_sign(ch) || is_cyrillic(ch)
}

fn is_cyrillic(ch: char) -> bool {
    matches!(ch, '\u{430}'..='\u{45F}' | '\u{490}'..='\u{491}')
}

/// The letters that a word hides, by their places.
fn hidden(
    units: &[Unit],
    place: Range<usize>,
    goes_on: &impl Fn(usize) -> bool,
    reading: &mut Reading,
) -> Vec<(usize, char)> {
    let word = &units[place.clone()];
    let latin = word.iter().filter(|unit| unit.ch.is_ascii_alphabetic()).count();
    let letters = word.iter().filter(|unit| !is_sign(unit.ch)).count();
    let signs = word.len() - letters;
    let mixes = latin > 0 && latin < letters;
    if letters == 0 || signs == 0 || mixes || word.len() > WORD_MAX || signs > letters * 3 {
        return Vec::new();
    }
    let chars: Vec<char> = word.iter().map(|unit| unit.ch).collect();
    let mut found = Vec::new();
    for run in units::runs(word, is_sign) {
        let exclamation = chars[run.clone()] == ['!'];
        if !reads(&chars, &run) && (!exclamation || !goes_on(place.end)) {
            continue;
        }
        for at in run {
            let letter = if latin > 0 {
                latin_letter(&chars, at, reading)
            } else {
                cyrillic_letter(chars[at], reading)
            };
            if letter != chars[at] {
                found.push((place.start + at, letter));
            }
        }
    }
    found
}

/// Signs that say something else at the start of a word: `#` opens a tag, `¡` an exclamation, `€` and
/// `£` stand before sums.
pub(super) fn is_none_at_start(sign: char) -> bool {
    matches!(sign, '#' | '¡' | '€' | '£')
}

/// The same at the end, where `!` ends an exclamation.
pub(super) fn is_none_at_end(sign: char) -> bool {
    sign == '!' || is_none_at_start(sign)
}

/// Whether a sentence goes on after an exclamation mark, so that it may be a letter of the word before:
/// `lajk! i komentarze`.
pub(super) fn goes_on(written: &str) -> bool {
    let next = written.strip_prefix("! ").and_then(|rest| rest.chars().next());
    next.is_some_and(char::is_lowercase)
}

/// Whether signs and digits in a row are letters. What `@` opens is told from a mention where it is
/// found.
fn reads(word: &[char], run: &Range<usize>) -> bool {
    let signs = &word[run.clone()];
    let digits = signs.iter().filter(|ch| ch.is_ascii_digit()).count();
    let kinds = digits < signs.len() || digits <= DIGITS_MAX;
    let (first, last) = (run.start == 0, run.end == word.len());
    let has = |test: fn(char) -> bool| signs.iter().any(|&sign| test(sign));
    run.len() <= SIGNS_MAX
        && kinds
        && !(first && has(is_none_at_start))
        && !(last && has(is_none_at_end))
}

/// The Latin letter that the digit or sign at `at` stands for.
fn latin_letter(word: &[char], at: usize, reading: &mut Reading) -> char {
    match word[at] {
        '0' => 'o',
        '!' if at + 1 == word.len() => reading.choose('!', 'i'),
        '!' if !beside(word, at, '!') => 'i',
        '1' | '!' | '|' => i_or_l(word, at, reading),
        '2' => 'z',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' => reading.choose('g', 'b'),
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        '¡' => 'i',
        '#' => 'h',
        '¢' => 'c',
        '£' => 'l',
        other => other,
    }
}

fn beside(word: &[char], at: usize, sign: char) -> bool {
    at.checked_sub(1).is_some_and(|before| word[before] == sign) || word.get(at + 1) == Some(&sign)
}

/// The Cyrillic letter that a digit or sign stands for.
fn cyrillic_letter(ch: char, reading: &mut Reading) -> char {
    match ch {
        '0' => 'о',
        '1' => reading.choose('и', 'л'),
        '!' | '|' => reading.choose('і', 'и'),
        '3' => reading.choose('з', 'е'),
        '4' => reading.choose('ч', 'а'),
        '@' => 'а',
        '6' => 'б',
        '8' => 'в',
        '9' => 'я',
        '5' | '$' => 'с',
        '7' => 'т',
        '€' => 'е',
        other => other,
    }
}

/// The stroke is i or l. Between two consonants it can only be i (`b1tch`), at the start before a
/// consonant too (`1diot`); beside another stroke or an l it is l (`ki1l`, `he11o`), and between two
/// vowels and at the end after one most often as well. Elsewhere both are possible: `s1ut`, `f1ag`.
fn i_or_l(word: &[char], at: usize, reading: &mut Reading) -> char {
    let plain = |at: usize| match word.get(at).copied()? {
        '0' => Some('o'),
        '3' | '€' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' => Some('t'),
        '8' => Some('b'),
        '!' | '|' => Some('1'),
        other => Some(other),
    };
    let is = |letter: Option<char>, of: &[char]| letter.is_some_and(|letter| of.contains(&letter));
    let vowels = ['a', 'e', 'i', 'o', 'u'];
    let (before, after) = (at.checked_sub(1).and_then(plain), plain(at + 1));
    let vowel = |letter| is(letter, &vowels);
    let stroke = |letter| is(letter, &['1', 'l']);
    let consonant = |letter: Option<char>| letter.is_some() && !vowel(letter) && !stroke(letter);
    if stroke(before) || stroke(after) {
        let doubled = is(before, &['1']) || is(after, &['1']) || vowel(before) || vowel(after);
        return if doubled { reading.choose('l', 'i') } else { reading.choose('i', 'l') };
    }
    match (before, after) {
        _ if consonant(after) && (before.is_none() || consonant(before)) => 'i',
        _ if vowel(before) && (vowel(after) || after.is_none()) => reading.choose('l', 'i'),
        (Some('s' | 'p' | 'b' | 'f' | 'g' | 'c' | 'k'), _) if vowel(after) => {
            reading.choose('l', 'i')
        }
        _ => reading.choose('i', 'l'),
    }
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
