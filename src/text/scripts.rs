//! The script of a character, and what kind of sign it is, as far as matching asks.

use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

use super::blocks::Blocks;

/// What Unicode says of a character.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Facts {
    script: Script,
    is_mark: bool,
    is_unseen: bool,
    is_letter: bool,
    is_letter_or_digit: bool,
}

static FACTS: Blocks<Facts> = Blocks::new(|ch| Facts {
    // The prolonged sound marks are shared by both kana and read as Katakana.
    script: if matches!(ch, 'ー' | 'ｰ') { Script::Katakana } else { ch.script() },
    is_mark: is_combining_mark(ch),
    // UTS 39 drops exactly the default-ignorable characters.
    is_unseen: skeleton(ch.encode_utf8(&mut [0; 4])).next().is_none(),
    is_letter: ch.is_alphabetic(),
    is_letter_or_digit: ch.is_alphanumeric(),
});

/// Whether a literal that begins with `ch` belongs to a writing that puts spaces between words, so
/// that its edges matter. Digits do; signs do not.
pub fn is_spacing(ch: char) -> bool {
    is_letter_or_digit(ch) && !is_written_without_spaces(ch)
}

/// The script, with the prolonged sound marks of kana counted as Katakana.
pub(super) fn script(ch: char) -> Script {
    match ch {
        'a'..='z' | 'A'..='Z' => Script::Latin,
        '\0'..='\x7F' => Script::Common,
        _ => FACTS.get(ch).script,
    }
}

/// Whether `ch` is of a script that runs its words together.
pub(super) fn is_written_without_spaces(ch: char) -> bool {
    matches!(
        script(ch),
        Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Bopomofo
            | Script::Thai
            | Script::Lao
            | Script::Khmer
            | Script::Myanmar
            | Script::Tibetan
            | Script::Yi
            | Script::Tai_Le
            | Script::New_Tai_Lue
            | Script::Tai_Tham
    )
}

/// A letter.
pub(super) fn is_letter(ch: char) -> bool {
    if ch.is_ascii() { ch.is_ascii_alphabetic() } else { FACTS.get(ch).is_letter }
}

/// A letter, digit or number sign of any script.
pub(super) fn is_letter_or_digit(ch: char) -> bool {
    if ch.is_ascii() { ch.is_ascii_alphanumeric() } else { FACTS.get(ch).is_letter_or_digit }
}

/// A combining mark.
pub(super) fn is_mark(ch: char) -> bool {
    !ch.is_ascii() && FACTS.get(ch).is_mark
}

/// A mark that may stand on letters of many scripts.
pub(super) fn is_shared_mark(ch: char) -> bool {
    is_mark(ch) && script(ch) == Script::Inherited
}

/// A character that a reader does not see: default-ignorable in Unicode's words.
pub fn is_unseen(ch: char) -> bool {
    !ch.is_ascii() && FACTS.get(ch).is_unseen
}

/// A letter of a script that runs from right to left.
pub(super) fn is_right_to_left(ch: char) -> bool {
    use Script::{Arabic, Hebrew, Nko, Syriac, Thaana};
    matches!(script(ch), Arabic | Hebrew | Nko | Syriac | Thaana)
}

/// A kana, or the prolonged sound mark.
pub(super) fn is_kana(ch: char) -> bool {
    matches!(script(ch), Script::Hiragana | Script::Katakana)
}

/// A character of a script in which a single one is often a word.
pub fn is_syllable(ch: char) -> bool {
    matches!(script(ch), Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul)
}
