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

/// What one character can set off.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Look {
    /// Some step changes it wherever it stands.
    changes: bool,
    /// It may stand between the letters of a word.
    separates: bool,
    /// Alone between separators it may be a letter of a word.
    single: bool,
    /// The same, of a writing whose single characters are often words.
    syllable: bool,
    /// A letter of a word that must not mix scripts, with its script.
    word: Option<Script>,
    /// A digit or sign that may be read as a letter.
    hides: bool,
    /// A letter that can be repeated.
    letter: bool,
    /// A Han numeral.
    numeral: bool,
}

static LOOKS: Blocks<Look> = Blocks::new(|ch| Look {
    changes: diacritics::plain_letter(ch).is_some_and(|plain| plain != ch)
        || (table::entry(ch).is_traditional && traditional::simplified(ch).is_some())
        || kana::changes(ch),
    separates: separators::is_separator(ch),
    single: separators::stands_alone(ch),
    syllable: is_syllable(ch),
    word: confusables::in_word(ch).then(|| script(ch)),
    hides: leet::may_hide_a_letter(ch),
    letter: is_letter(ch),
    numeral: numerals::digit(ch).is_some(),
});

/// Whether nothing in a text in the standard view sets off a step.
pub(super) fn is_plain(standard: &str) -> bool {
    let mut seen = Seen::default();
    let plain = standard.chars().all(|ch| !seen.sets_off(ch, LOOKS.get(ch)));
    plain && !seen.ends_group()
}

/// What the look remembers of the characters before.
#[derive(Default)]
struct Seen {
    last: Option<char>,
    /// How often the last letter stood in a row.
    repeated: usize,
    /// Characters without a separator, up to two.
    group: usize,
    /// Whether the last of them may stand alone, or be a word alone.
    single: bool,
    syllable: bool,
    /// Single letters in a row, and the separators since the last.
    chain: usize,
    gap: usize,
    word: Option<Script>,
    /// Digits and signs since the last ASCII letter of the word, where there was one.
    hiding: Option<usize>,
    dollar: bool,
    numerals: usize,
}

impl Seen {
    fn sets_off(&mut self, ch: char, look: &Look) -> bool {
        look.changes
            || self.repeats(ch, look.letter)
            || self.stands_alone(look)
            || self.mixes(look.word)
            || self.hides(ch, look.hides)
            || self.counts(look.numeral)
    }

    fn repeats(&mut self, ch: char, letter: bool) -> bool {
        let again = letter && self.last == Some(ch);
        self.repeated = if again { self.repeated + 1 } else { 1 };
        self.last = Some(ch);
        self.repeated >= 3
    }

    fn stands_alone(&mut self, look: &Look) -> bool {
        if look.separates {
            let sets_off = self.group > 0 && self.ends_group();
            self.group = 0;
            self.gap += 1;
            return sets_off;
        }
        if self.group == 0 && self.gap > separators::GAP_MAX {
            self.chain = 0;
        }
        self.gap = 0;
        self.group = (self.group + 1).min(2);
        (self.single, self.syllable) = (look.single, look.syllable);
        false
    }

    /// Whether the characters since the last separator are one link too many of a chain.
    fn ends_group(&mut self) -> bool {
        if self.group != 1 {
            self.chain = 0;
            return false;
        }
        self.chain = if self.single { self.chain + 1 } else { 0 };
        self.syllable || self.chain >= separators::LETTERS_MIN
    }

    fn mixes(&mut self, word: Option<Script>) -> bool {
        let mixes = matches!((self.word, word), (Some(before), Some(now)) if before != now);
        self.word = word;
        mixes
    }

    fn hides(&mut self, ch: char, hides: bool) -> bool {
        let after_dollar = std::mem::replace(&mut self.dollar, ch == '$');
        if ch.is_ascii_alphabetic() {
            let inside = self.hiding.is_some_and(|signs| (1..=leet::SIGNS_MAX).contains(&signs));
            self.hiding = Some(0);
            return inside || after_dollar;
        }
        let after_letter = self.hiding == Some(0);
        self.hiding = self.hiding.filter(|_| hides).map(|signs| signs + 1);
        after_letter && self.dollar
    }

    fn counts(&mut self, numeral: bool) -> bool {
        self.numerals = if numeral { self.numerals + 1 } else { 0 };
        self.numerals >= numerals::RUN_MIN
    }
}
