//! Which letter of one script is taken for which of another.
//!
//! UTS 39 relates letters that look the same. Beside it stand the capitals, which say as much of the
//! small letter (т, whose capital is T), and a closed list of letters that are only alike at a glance
//! and that writers use all the same: `п` for n, `и` for u, `ω` for w.

use std::{collections::HashMap, sync::LazyLock};

use unicode_script::Script;
use unicode_security::skeleton;

use super::diacritics::looks_like;
use crate::text::{
    blocks::Blocks,
    scripts::{is_mark, script},
};

/// Letters that are alike at a glance.
const AT_A_GLANCE: [(char, char); 38] = [
    ('п', 'n'),
    ('и', 'u'),
    ('й', 'u'),
    ('л', 'n'),
    ('ц', 'u'),
    ('г', 'r'),
    ('я', 'r'),
    ('ш', 'w'),
    ('щ', 'w'),
    ('ь', 'b'),
    ('ъ', 'b'),
    ('б', 'b'),
    ('з', 'e'),
    ('э', 'e'),
    ('є', 'e'),
    ('д', 'a'),
    ('ч', 'y'),
    ('ф', 'o'),
    ('ж', 'x'),
    ('τ', 't'),
    ('ε', 'e'),
    ('ω', 'w'),
    ('λ', 'a'),
    ('δ', 'd'),
    ('φ', 'o'),
    ('θ', 'o'),
    ('π', 'n'),
    ('μ', 'u'),
    ('ξ', 'e'),
    ('γ', 'y'),
    ('χ', 'x'),
    ('ζ', 'z'),
    ('ψ', 'w'),
    ('β', 'b'),
    ('η', 'n'),
    ('υ', 'u'),
    ('ν', 'v'),
    ('σ', 'o'),
];
/// Other readings of letters that have two.
const SECOND: [(char, char); 10] = [
    ('ӏ', 'l'),
    ('і', 'l'),
    ('и', 'n'),
    ('й', 'n'),
    ('н', 'n'),
    ('η', 'h'),
    ('у', 'u'),
    ('з', 'z'),
    ('λ', 'l'),
    ('ν', 'n'),
];

/// Cyrillic and Greek letters as readers take Latin ones among them.
static FROM_LATIN: LazyLock<HashMap<(Script, char), char>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    let letters = || ('а'..='я').chain(['і', 'ѕ', 'ј', 'һ', 'ԛ', 'ԝ']).chain('α'..='ω');
    let mut add = |letter: char, latin: Option<char>| {
        if let Some(latin) = latin {
            table.entry((script(letter), latin)).or_insert(letter);
        }
    };
    for letter in letters() {
        let capital = letter.to_uppercase().next().unwrap_or(letter);
        add(letter, prototype(letter));
        add(letter, prototype(capital));
    }
    letters().for_each(|letter| add(letter, at_a_glance(letter)));
    table
});

static LATIN: Blocks<Option<char>> = Blocks::new(|ch| {
    let capital = || ch.to_uppercase().next().filter(|&capital| capital != ch).and_then(prototype);
    prototype(ch).or_else(|| at_a_glance(ch)).or_else(capital)
});

/// The ASCII letter that `ch` is taken for.
pub(super) fn latin(ch: char) -> Option<char> {
    if ch.is_ascii() {
        return ch.is_ascii_alphabetic().then(|| ch.to_ascii_lowercase());
    }
    *LATIN.get(ch)
}

/// The ASCII letter that looks the same, by UTS 39.
pub(super) fn prototype(ch: char) -> Option<char> {
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

/// What `ch` may be taken for as well.
pub(super) fn second(ch: char) -> Option<char> {
    SECOND.iter().find(|(letter, _)| *letter == ch).map(|&(_, other)| other)
}

/// The letter of `wanted` that a Latin letter is taken for.
pub(super) fn from_latin(wanted: Script, ch: char) -> Option<char> {
    FROM_LATIN.get(&(wanted, ch)).copied()
}

fn at_a_glance(ch: char) -> Option<char> {
    AT_A_GLANCE.iter().find(|(letter, _)| *letter == ch).map(|&(_, latin)| latin)
}
