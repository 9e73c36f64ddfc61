//! A quick look at a text: whether any step of the skeleton could change it.
//!
//! Most texts hide nothing, and looking once costs a tenth of taking them apart. The look may call a
//! plain text disguised, which only costs time; it must never call a disguised one plain. Who adds a
//! step adds what sets it off here.

use unicode_script::Script;

use super::{confusables, diacritics, kana, leet, numerals, separators, table, traditional};
use crate::text::{
    blocks::Blocks,
    scripts::{is_letter, is_syllable, script},
};

/// What one character can set off, a bit each.
type Look = u16;

/// Some step changes it wherever it stands.
const CHANGES: Look = 1;
/// It may stand between the letters of a word.
const SEPARATES: Look = 1 << 1;
/// Alone between separators it may be a letter of a word.
const SINGLE: Look = 1 << 2;
/// The same, of a writing whose single characters are often words.
const SYLLABLE: Look = 1 << 3;
/// A digit or sign that may be read as a letter.
const HIDES: Look = 1 << 4;
/// A letter that can be repeated.
const LETTER: Look = 1 << 5;
/// A Han numeral.
const NUMERAL: Look = 1 << 6;
/// A letter of a word that must not mix scripts; the bits from here on are its script.
const WORD: Look = 1 << 7;
const SCRIPT_SHIFT: u32 = 8;

static LOOKS: Blocks<Look> = Blocks::new(|ch| {
    let changes = diacritics::plain_letter(ch).is_some_and(|plain| plain != ch)
        || (table::entry(ch).is_traditional && traditional::simplified(ch).is_some())
        || kana::changes(ch);
    let facts = [
        (changes, CHANGES),
        (separators::is_separator(ch), SEPARATES),
        (separators::stands_alone(ch), SINGLE),
        (is_syllable(ch), SYLLABLE),
        (leet::may_hide_a_letter(ch), HIDES),
        (is_letter(ch), LETTER),
        (numerals::digit(ch).is_some(), NUMERAL),
        (confusables::in_word(ch), WORD | Look::from(script(ch) as u8) << SCRIPT_SHIFT),
    ];
    facts.into_iter().filter(|(holds, _)| *holds).fold(0, |look, (_, bits)| look | bits)
});

/// Whether nothing in a text in the standard view sets off a step.
pub(super) fn is_plain(standard: &str) -> bool {
    let mut seen = Seen::default();
    let mut rest = standard;
    while let Some(ch) = rest.chars().next() {
        let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        let (run, after) = rest.split_at(letters.max(ch.len_utf8()));
        rest = after;
        let sets_off = if letters > 0 {
            seen.latin(run.as_bytes())
        } else {
            seen.character(ch, *LOOKS.get(ch))
        };
        if sets_off {
            return false;
        }
    }
    !seen.ends_group()
}

/// What the look remembers of the characters before.
#[derive(Default)]
struct Seen {
    last: Option<char>,
    /// How often the last letter stood in a row.
    repeated: usize,
    /// Characters since the last separator, up to two, and what the last of them is.
    group: usize,
    look: Look,
    /// Single letters in a row, and the separators since the last.
    chain: usize,
    gap: usize,
    /// The script of the word at hand, as its bits.
    word: Option<Look>,
    /// Digits and signs since the last ASCII letter of the word, where there was one.
    hiding: Option<usize>,
    dollar: bool,
    numerals: usize,
}

impl Seen {
    /// A run of small letters of ASCII: none of them alone sets anything off.
    fn latin(&mut self, run: &[u8]) -> bool {
        const LATIN: Look = WORD | (Script::Latin as Look) << SCRIPT_SHIFT;
        let hidden = self.hiding.is_some_and(|signs| (1..=leet::SIGNS_MAX).contains(&signs));
        let repeats = run.windows(3).any(|three| three[0] == three[1] && three[1] == three[2]);
        let sets_off = repeats || hidden || self.dollar || self.mixes(LATIN);
        self.joins_group(run.len(), SINGLE);
        (self.last, self.hiding, self.dollar, self.numerals) = (None, Some(0), false, 0);
        sets_off
    }

    fn character(&mut self, ch: char, look: Look) -> bool {
        look & CHANGES != 0
            || self.repeats(ch, look)
            || self.separates(look)
            || self.mixes(look)
            || self.hides(ch, look)
            || self.counts(look)
    }

    fn repeats(&mut self, ch: char, look: Look) -> bool {
        let again = look & LETTER != 0 && self.last == Some(ch);
        self.repeated = if again { self.repeated + 1 } else { 1 };
        self.last = Some(ch);
        self.repeated >= 3
    }

    fn separates(&mut self, look: Look) -> bool {
        if look & SEPARATES == 0 {
            self.joins_group(1, look);
            return false;
        }
        let sets_off = self.group > 0 && self.ends_group();
        self.group = 0;
        self.gap += 1;
        sets_off
    }

    fn joins_group(&mut self, characters: usize, look: Look) {
        if self.group == 0 && self.gap > separators::GAP_MAX {
            self.chain = 0;
        }
        self.gap = 0;
        self.group = (self.group + characters).min(2);
        self.look = look;
    }

    /// Whether the characters since the last separator are one link too many of a chain.
    fn ends_group(&mut self) -> bool {
        let single = self.group == 1 && self.look & SINGLE != 0;
        self.chain = if single { self.chain + 1 } else { 0 };
        let syllable = self.group == 1 && self.look & SYLLABLE != 0;
        syllable || self.chain >= separators::LETTERS_MIN
    }

    fn mixes(&mut self, look: Look) -> bool {
        let now = (look & WORD != 0).then_some(look >> SCRIPT_SHIFT);
        let mixes = matches!((self.word, now), (Some(before), Some(now)) if before != now);
        self.word = now;
        mixes
    }

    fn hides(&mut self, ch: char, look: Look) -> bool {
        let after_letter = self.hiding == Some(0);
        self.hiding = self.hiding.filter(|_| look & HIDES != 0).map(|signs| signs + 1);
        self.dollar = ch == '$';
        after_letter && self.dollar
    }

    fn counts(&mut self, look: Look) -> bool {
        self.numerals = if look & NUMERAL != 0 { self.numerals + 1 } else { 0 };
        self.numerals >= numerals::RUN_MIN
    }
}
