//! Diacritics of Latin, Greek and Cyrillic, and Latin letters that only look different: ø, ı, ɑ, ᴀ.

use unicode_normalization::UnicodeNormalization;
use unicode_script::Script;
use unicode_security::skeleton;

use super::units::Unit;
use crate::text::{
    blocks::Blocks,
    scripts::{is_letter, is_mark, script},
};

/// Small capitals and turned letters that neither Unicode nor UTS 39 relates to their letter.
const LOOKS_LIKE: [(char, char); 26] = [
    ('ᴀ', 'a'),
    ('ʙ', 'b'),
    ('ᴅ', 'd'),
    ('ᴇ', 'e'),
    ('ɢ', 'g'),
    ('ʜ', 'h'),
    ('ᴊ', 'j'),
    ('ᴋ', 'k'),
    ('ĸ', 'k'),
    ('ʟ', 'l'),
    ('ᴍ', 'm'),
    ('ʍ', 'm'),
    ('ɴ', 'n'),
    ('ᴘ', 'p'),
    ('ʀ', 'r'),
    ('ᴛ', 't'),
    ('ɐ', 'a'),
    ('ǝ', 'e'),
    ('ə', 'e'),
    ('ꓲ', 'i'),
    ('ʌ', 'a'),
    ('ƨ', 's'),
    ('ʇ', 't'),
    ('ɹ', 'r'),
    ('ꜰ', 'f'),
    ('ꞯ', 'q'),
];

static LETTERS: Blocks<Option<char>> = Blocks::new(plain_letter);

/// Puts plain letters in the place of decorated ones; whether any was.
pub(super) fn undo(units: &mut [Unit]) -> bool {
    let mut changed = false;
    for unit in units.iter_mut().filter(|unit| !unit.ch.is_ascii()) {
        if let Some(plain) = LETTERS.get(unit.ch).filter(|&plain| plain != unit.ch) {
            unit.ch = plain;
            changed = true;
        }
    }
    changed
}

/// The letter that small capitals and turned letters stand for.
pub(super) fn looks_like(ch: char) -> Option<char> {
    LOOKS_LIKE.iter().find(|(odd, _)| *odd == ch).map(|&(_, plain)| plain)
}

/// The letter below the diacritics, for the three scripts.
pub(super) fn plain_letter(ch: char) -> Option<char> {
    let script = script(ch);
    if !matches!(script, Script::Latin | Script::Greek | Script::Cyrillic) || !is_letter(ch) {
        return None;
    }
    let base = std::iter::once(ch).nfd().next()?;
    if base.is_ascii() || script != Script::Latin {
        return Some(base);
    }
    looks_like(base).or_else(|| {
        // UTS 39 writes ø as o with a stroke; a letter that needs two, such as æ, stays.
        let prototype = skeleton(base.encode_utf8(&mut [0; 4])).filter(|&c| !is_mark(c)).collect();
        let prototype: Vec<char> = prototype;
        match prototype[..] {
            [one] if one.is_ascii_alphabetic() => Some(one.to_ascii_lowercase()),
            _ => Some(base),
        }
    })
}
