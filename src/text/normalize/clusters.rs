//! How many letters a reader counts: marks belong to the letter before them, a letter after a virama
//! to the one before it, and the vowels that Thai and Lao write beside a consonant to the consonant.

use unicode_normalization::char::canonical_combining_class;

use crate::text::scripts::{is_letter, is_mark};

/// Canonical combining class of the marks that silence a vowel and tie letters together.
const VIRAMA: u8 = 9;

/// Characters of a letter with its marks, at most: more are letters of their own.
pub(super) const CHARS_MAX: usize = 6;

/// The letters of a text without gaps, as readers count them.
pub(super) fn count(chars: impl IntoIterator<Item = char>) -> usize {
    let (mut count, mut leads, mut tied) = (0, false, false);
    for ch in chars {
        if is_mark(ch) {
            tied = canonical_combining_class(ch) == VIRAMA;
            continue;
        }
        let follows = follows_consonant(ch) && count > 0;
        count += usize::from(is_letter(ch) && !tied && !leads && !follows);
        leads = leads_consonant(ch);
        tied = false;
    }
    count
}

/// Vowels that stand before their consonant.
fn leads_consonant(ch: char) -> bool {
    matches!(ch, '\u{E40}'..='\u{E44}' | '\u{EC0}'..='\u{EC4}')
}

/// Vowels that stand after their consonant and are no marks.
fn follows_consonant(ch: char) -> bool {
    matches!(ch, '\u{E30}' | '\u{E32}' | '\u{E33}' | '\u{E45}' | '\u{EB0}' | '\u{EB2}' | '\u{EB3}')
}

/// Letters that are words of their own in some language: `a`, `y`, Russian `в`, Arabic `و`.
pub(super) fn is_one_letter_word(ch: char) -> bool {
    matches!(ch, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
        || matches!(ch, 'а' | 'б' | 'в' | 'ж' | 'и' | 'і' | 'й' | 'к' | 'о' | 'с' | 'у' | 'э' | 'я')
        || matches!(ch, 'з' | 'є' | 'ї' | 'η' | 'ο' | 'و')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_as_readers_count_them() {
        for (text, expected) in [
            ("abc", 3),
            ("कि", 1),
            ("क्षि", 1),
            ("चूतिया", 3),
            ("เย็ด", 2),
            ("น้ำ", 1),
            ("1", 0),
            ("ка", 2),
        ] {
            assert_eq!(count(text.chars()), expected, "{text}");
        }
    }
}
