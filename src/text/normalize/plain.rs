//! A quick look at a text: whether any step of the skeleton could change it.
//!
//! Most texts hide nothing, and looking once costs a tenth of taking them apart. The look may call a
//! plain text disguised, which only costs time; it must never call a disguised one plain. Who adds a
//! step adds what sets it off here.
//!
//! One thing is left out on purpose: `@` before a word opens a mention, and nearly all are none.

use unicode_script::Script;

use super::{
    confusables, diacritics, hangul, leet, numerals, reversed, separators, signs, table, thai,
    traditional, turned,
};
use crate::text::{
    blocks::Blocks,
    scripts::{is_kana, is_letter, is_syllable, script},
};

/// What one character can set off, a bit each.
type Look = u32;

/// Some step changes it wherever it stands, or nearly.
const CHANGES: Look = 1;
/// It may stand between the letters of a word.
const SEPARATES: Look = 1 << 1;
/// Alone between separators it is a word, or a letter of one.
const SYLLABLE: Look = 1 << 2;
/// A letter, digit or sign of words in which signs may be letters.
const IN_WORD: Look = 1 << 3;
/// A digit or sign that may be read as a letter.
const SIGN: Look = 1 << 4;
/// One that is none at the start of a word, and at the end.
const NONE_AT_START: Look = 1 << 5;
const NONE_AT_END: Look = 1 << 11;
/// A letter that can be repeated.
const LETTER: Look = 1 << 6;
/// A Han numeral.
const NUMERAL: Look = 1 << 7;
/// A Latin letter, and one of a script with letters that look like Latin ones.
const LATIN: Look = 1 << 8;
const LIKE_LATIN: Look = 1 << 9;
/// A letter of a word that must not mix scripts; the bits from here on are its script.
const WORD: Look = 1 << 10;
const SCRIPT_SHIFT: u32 = 12;
/// A small letter of ASCII.
const SMALL: Look = IN_WORD | LETTER | LATIN | WORD | (Script::Latin as Look) << SCRIPT_SHIFT;

static LOOKS: Blocks<Look> = Blocks::new(|ch| {
    let changes = diacritics::plain_letter(ch).is_some_and(|plain| plain != ch)
        || (table::entry(ch).is_traditional && traditional::simplified(ch).is_some())
        || is_kana(ch)
        || signs::may_change(ch)
        || turned::may_change(ch)
        || hangul::may_change(ch);
    let sign = leet::is_sign(ch);
    let facts = [
        (changes, CHANGES),
        (separators::is_separator(ch), SEPARATES),
        (is_syllable(ch), SYLLABLE),
        (leet::in_word(ch), IN_WORD),
        (sign, SIGN),
        (leet::is_none_at_start(ch), NONE_AT_START),
        (leet::is_none_at_end(ch), NONE_AT_END),
        (is_letter(ch), LETTER),
        (numerals::digit(ch).is_some(), NUMERAL),
        (script(ch) == Script::Latin, LATIN),
        (confusables::looks_latin(script(ch)), LIKE_LATIN),
        (confusables::in_word(ch), WORD | Look::from(script(ch) as u8) << SCRIPT_SHIFT),
    ];
    facts.into_iter().filter(|(holds, _)| *holds).fold(0, |look, (_, bits)| look | bits)
});

/// Whether nothing in a text sets off a step; `standard` is its standard view.
pub(super) fn is_plain(original: &str, standard: &str) -> bool {
    // What overrides the order of characters is not in the view.
    if !original.is_ascii() && reversed::OVERRIDES.iter().any(|&mark| original.contains(mark)) {
        return false;
    }
    let mut exclamations = original.match_indices('!');
    if exclamations.any(|(at, _)| leet::goes_on(&original[at..])) {
        return false;
    }
    let mut seen = Seen { text: standard, ..Seen::default() };
    let mut at = 0;
    while let Some(ch) = standard[at..].chars().next() {
        let letters = standard[at..].bytes().take_while(u8::is_ascii_lowercase).count();
        let end = at + letters.max(ch.len_utf8());
        let sets_off = if letters > 0 {
            seen.small_letters(at..end)
        } else {
            seen.character(ch, *LOOKS.get(ch), at)
        };
        if sets_off {
            return false;
        }
        at = end;
    }
    !seen.ends_group(at)
}

/// What the look remembers of the characters before.
#[derive(Default)]
struct Seen<'a> {
    text: &'a str,
    last: char,
    look: Look,
    /// How often the last letter stood in a row.
    repeated: usize,
    /// The characters since the last separator, if there are any, and those before it.
    group: Option<Open>,
    before: Closed,
    /// Single letters in a row, and the separators since the last.
    chain: usize,
    gap: usize,
    /// Whether the word at hand has a letter, and the signs since the last: how many, and whether one
    /// of them is none at the start of a word.
    in_word: bool,
    signs: usize,
    none_at_start: bool,
    numerals: usize,
    /// Scripts of letters that look alike.
    scripts: Look,
}

/// Characters between two separators, while more may come.
#[derive(Clone, Copy)]
struct Open {
    start: usize,
    /// Whether a syllable begins them and one ended those before.
    meets: bool,
}

/// The last characters between two separators.
#[derive(Default)]
struct Closed {
    ends_in_syllable: bool,
    /// Whether they are one syllable alone, and whether it met another one.
    lone: bool,
    lone_meets: bool,
}

impl Seen<'_> {
    /// A run of small letters of ASCII: none of them alone sets anything off.
    fn small_letters(&mut self, place: std::ops::Range<usize>) -> bool {
        let run = &self.text.as_bytes()[place.clone()];
        let repeats = run.windows(3).any(|three| three[0] == three[1] && three[1] == three[2]);
        let sets_off = repeats || self.mixes(SMALL) || self.ends_signs();
        self.joins_group(SMALL, place.start);
        self.in_word = true;
        (self.numerals, self.repeated) = (0, 1);
        (self.last, self.look) = (char::from(run[run.len() - 1]), SMALL);
        sets_off
    }

    fn character(&mut self, ch: char, look: Look, at: usize) -> bool {
        let sets_off = look & CHANGES != 0
            || thai::differs(self.last, ch)
            || self.repeats(ch, look)
            || self.separates(look, at)
            || self.mixes(look)
            || self.hides(look)
            || self.counts(look);
        (self.last, self.look) = (ch, look);
        sets_off
    }

    fn repeats(&mut self, ch: char, look: Look) -> bool {
        let again = look & LETTER != 0 && self.last == ch;
        self.repeated = if again { self.repeated + 1 } else { 1 };
        self.repeated >= 3
    }

    fn separates(&mut self, look: Look, at: usize) -> bool {
        if look & SEPARATES == 0 {
            return self.joins_group(look, at);
        }
        let sets_off = self.group.is_some() && self.ends_group(at);
        self.group = None;
        self.gap += 1;
        sets_off
    }

    /// Whether a syllable that stood alone now stands between two others.
    fn joins_group(&mut self, look: Look, at: usize) -> bool {
        let gap = std::mem::take(&mut self.gap);
        if self.group.is_some() {
            return false;
        }
        if gap > separators::GAP_MAX {
            self.chain = 0;
        }
        let near = gap <= separators::GAP_MAX && self.before.ends_in_syllable;
        let meets = near && look & SYLLABLE != 0;
        self.group = Some(Open { start: at, meets });
        meets && self.before.lone_meets
    }

    /// Whether the characters since the last separator are one link too many of a chain.
    fn ends_group(&mut self, at: usize) -> bool {
        let Some(Open { start, meets }) = self.group else { return false };
        let group = &self.text[start..at];
        let alone = group.chars().nth(1).is_none();
        // Of ASCII only one character is one letter, or one with a digit, which is seen elsewhere.
        let single = (alone || !group.is_ascii()) && separators::is_single_text(group);
        self.chain = if single { self.chain + 1 } else { 0 };
        let ends_in_syllable = self.look & SYLLABLE != 0;
        let lone = alone && ends_in_syllable;
        let pair = lone && meets && self.before.lone;
        self.before = Closed { ends_in_syllable, lone, lone_meets: lone && meets };
        pair || self.chain >= separators::LETTERS_MIN
    }

    fn mixes(&mut self, look: Look) -> bool {
        self.scripts |= look & (LATIN | LIKE_LATIN);
        let both = look & self.look & WORD != 0;
        let differ = both && look >> SCRIPT_SHIFT != self.look >> SCRIPT_SHIFT;
        differ || self.scripts == LATIN | LIKE_LATIN
    }

    fn hides(&mut self, look: Look) -> bool {
        if look & IN_WORD == 0 {
            (self.in_word, self.signs, self.none_at_start) = (false, 0, false);
            return false;
        }
        if look & SIGN == 0 {
            let sets_off = self.ends_signs();
            self.in_word = true;
            return sets_off;
        }
        let first = self.signs == 0;
        self.signs += 1;
        self.none_at_start |= look & NONE_AT_START != 0;
        // What is none at the end of a word makes all signs there none; a letter behind it tells.
        self.in_word && first && look & NONE_AT_END == 0
    }

    /// Whether the signs before a letter may be letters.
    fn ends_signs(&mut self) -> bool {
        let (signs, none) = (self.signs, self.none_at_start);
        (self.signs, self.none_at_start) = (0, false);
        let mention = signs == 1 && self.last == '@';
        signs > 0 && (self.in_word || !(none || mention))
    }

    fn counts(&mut self, look: Look) -> bool {
        self.numerals = if look & NUMERAL != 0 { self.numerals + 1 } else { 0 };
        self.numerals >= numerals::RUN_MIN
    }
}
