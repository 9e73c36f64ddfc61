//! The fold of every character, worked out once.

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;

use super::{marks, spaces::is_line_break, traditional};
use crate::text::{
    blocks::Blocks,
    scripts::{is_kana, is_mark},
};

/// What is known of one character.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Entry {
    /// What becomes of it where it stands alone, but for Traditional to Simplified, which asks the
    /// segment.
    pub(super) fold: Fold,
    /// Whether it joins the character before: a mark, or a Hangul vowel or final.
    pub(super) attaches: bool,
    /// Whether it is or becomes kana.
    pub(super) is_kana: bool,
    /// Whether it ends a segment.
    pub(super) breaks: bool,
    /// Whether it is or becomes a Traditional character.
    pub(super) is_traditional: bool,
}

/// What becomes of a character.
#[derive(PartialEq, Eq)]
pub(super) enum Fold {
    /// It stays.
    Same,
    /// It is removed.
    Nothing,
    /// It becomes this.
    One(char),
    /// It becomes these.
    Many(Box<str>),
}

static TABLE: Blocks<Entry> = Blocks::new(Entry::of);

/// The entry of `ch`.
pub(super) fn entry(ch: char) -> &'static Entry {
    TABLE.get(ch)
}

/// Where every character stands for itself: Han but for its compatibility forms, Hangul syllables,
/// private use. Known beforehand to save the time of working it out.
const UNFOLDED: [RangeInclusive<char>; 5] = [
    '\u{3400}'..='\u{4DBF}',
    '\u{4E00}'..='\u{9FFF}',
    '\u{AC00}'..='\u{D7A3}',
    '\u{E000}'..='\u{F8FF}',
    '\u{20000}'..='\u{2F7FF}',
];

impl Entry {
    fn of(ch: char) -> Self {
        if UNFOLDED.iter().any(|range| range.contains(&ch)) {
            let is_traditional = traditional::simplified(ch).is_some();
            let fold = Fold::Same;
            return Self { fold, attaches: false, is_kana: false, breaks: false, is_traditional };
        }
        let joins = std::iter::once(ch).nfkd().next().is_some_and(joins_the_last);
        let folded = if joins { joined(ch) } else { marks::settle(ch.encode_utf8(&mut [0; 4])) };
        let has = |test: fn(char) -> bool| folded.chars().any(test);
        let mut chars = folded.chars();
        let fold = match (chars.next(), chars.next()) {
            (None, _) => Fold::Nothing,
            (Some(one), None) if one == ch => Fold::Same,
            (Some(one), None) => Fold::One(one),
            _ => Fold::Many(folded.as_str().into()),
        };
        Self {
            attaches: joins && fold != Fold::Nothing,
            is_kana: has(|ch| is_kana(ch) && !is_mark(ch)),
            breaks: has(ends_segment),
            is_traditional: has(|ch| traditional::simplified(ch).is_some()),
            fold,
        }
    }
}

/// A mark, or nothing where no letter keeps it. Whether one stays is decided with its letter.
fn joined(mark: char) -> String {
    let kept = |letter: char| marks::settle(&format!("{letter}{mark}")) != letter.to_string();
    if kept('ア') || kept('ا') { mark.to_string() } else { String::new() }
}

/// Marks, and Hangul vowels and finals.
fn joins_the_last(ch: char) -> bool {
    is_mark(ch) || matches!(ch, '\u{1161}'..='\u{1175}' | '\u{11A8}'..='\u{11C2}')
}

/// Line breaks and full stops: kana before one say nothing about the Han after it.
fn ends_segment(ch: char) -> bool {
    is_line_break(ch) || matches!(ch, '。' | '!' | '?')
}
