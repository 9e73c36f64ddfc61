//! The script of a character, as far as matching asks.
//!
//! The only place beside the folds that asks the script tables.

use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

/// Whether a literal that begins with `ch` belongs to a writing that puts spaces between words, so
/// that its edges matter. Digits do; signs do not.
pub fn is_spacing(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || (ch.is_alphanumeric() && !is_written_without_spaces(ch))
}

/// Whether `ch` is of a script that runs its words together.
pub(super) fn is_written_without_spaces(ch: char) -> bool {
    use Script::{
        Bopomofo, Han, Hiragana, Katakana, Khmer, Lao, Myanmar, New_Tai_Lue, Tai_Le, Tai_Tham,
        Thai, Tibetan, Yi,
    };
    let without = [
        Han,
        Hiragana,
        Katakana,
        Thai,
        Lao,
        Khmer,
        Myanmar,
        Tibetan,
        Bopomofo,
        Yi,
        New_Tai_Lue,
        Tai_Le,
        Tai_Tham,
    ];
    !ch.is_ascii() && (is_prolonged_sound(ch) || without.contains(&ch.script()))
}

/// The script, with the prolonged sound marks counted as Katakana.
pub(super) fn script(ch: char) -> Script {
    if is_prolonged_sound(ch) { Script::Katakana } else { ch.script() }
}

/// A mark that may stand on letters of many scripts, or on none of its own.
pub(super) fn is_shared_mark(ch: char) -> bool {
    !ch.is_ascii() && is_combining_mark(ch) && ch.script() == Script::Inherited
}

/// Any combining mark.
pub(super) fn is_mark(ch: char) -> bool {
    !ch.is_ascii() && is_combining_mark(ch)
}

/// Han or kana: scripts in which a single character is often a word.
pub(super) fn is_han_or_kana(ch: char) -> bool {
    !ch.is_ascii()
        && (is_prolonged_sound(ch)
            || matches!(ch.script(), Script::Han | Script::Hiragana | Script::Katakana))
}

/// A kana.
pub(super) fn is_kana(ch: char) -> bool {
    !ch.is_ascii() && matches!(ch.script(), Script::Hiragana | Script::Katakana)
}

/// ー and its half-width form: shared by both kana, read as Katakana.
fn is_prolonged_sound(ch: char) -> bool {
    matches!(ch, 'ー' | 'ｰ')
}

/// A character that a reader does not see.
pub(super) fn is_unseen(ch: char) -> bool {
    !ch.is_ascii() && unicode_security::skeleton(ch.encode_utf8(&mut [0; 4])).next().is_none()
}
