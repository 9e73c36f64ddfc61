//! Diacritics of Latin, Greek and Cyrillic, and Latin letters that only look different: ø, ı, ɑ, ᴀ.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

use super::units::Unit;
use crate::text::scripts::is_mark;

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

static LETTERS: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    // The blocks in which Latin, Greek and Cyrillic letters stand, in lower case.
    let blocks = [0xA0..=0x52F, 0x1C80..=0x1C8F, 0x1D00..=0x1FFF, 0x2C60..=0x2C7F, 0xA640..=0xAB6F];
    let all = blocks.into_iter().flatten().filter_map(char::from_u32);
    all.filter_map(|ch| plain(ch).filter(|&plain| plain != ch).map(|plain| (ch, plain))).collect()
});

/// Puts plain letters in the place of decorated ones; whether any was.
pub(super) fn undo(units: &mut [Unit]) -> bool {
    let mut changed = false;
    for unit in units.iter_mut().filter(|unit| !unit.ch.is_ascii()) {
        if let Some(&plain) = LETTERS.get(&unit.ch) {
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
fn plain(ch: char) -> Option<char> {
    let script = ch.script();
    if !matches!(script, Script::Latin | Script::Greek | Script::Cyrillic) || !ch.is_alphabetic() {
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
