//! The fold of every character, worked out once.
//!
//! Looking a character up is one load for the first two planes, where nearly all text lives; the few
//! folded characters beyond stand in a map.

use std::{collections::HashMap, ops::RangeInclusive, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use super::{marks, traditional};
use crate::text::scripts::{is_kana, is_mark};

/// What is known of one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

/// What becomes of a character that stands alone.
pub(super) enum Fold {
    /// It stays.
    Same,
    /// It is removed.
    Nothing,
    /// It becomes this.
    One(char),
    /// It becomes these.
    Many(&'static str),
}

/// Bits of an entry above the value, which is a character or a place in `Table::many`.
const SAME: u32 = 0;
const NOTHING: u32 = 1 << 21;
const ONE: u32 = 2 << 21;
const MANY: u32 = 3 << 21;
const KIND: u32 = 3 << 21;
const ATTACHES: u32 = 1 << 23;
const KANA: u32 = 1 << 24;
const BREAKS: u32 = 1 << 25;
const TRADITIONAL: u32 = 1 << 26;
const VALUE: u32 = (1 << 21) - 1;

impl Entry {
    /// Whether it joins the character before: a mark, or a Hangul vowel or final.
    pub(super) fn attaches(self) -> bool {
        self.0 & ATTACHES != 0
    }

    /// Whether it is removed wherever it stands.
    pub(super) fn is_nothing(self) -> bool {
        self.0 & KIND == NOTHING
    }

    /// Whether it is or becomes kana.
    pub(super) fn is_kana(self) -> bool {
        self.0 & KANA != 0
    }

    /// Whether it ends a segment.
    pub(super) fn breaks(self) -> bool {
        self.0 & BREAKS != 0
    }

    /// Whether it is or becomes a Traditional character.
    pub(super) fn is_traditional(self) -> bool {
        self.0 & TRADITIONAL != 0
    }

    /// The fold, but for Traditional to Simplified, which asks the segment.
    pub(super) fn fold(self) -> Fold {
        let value = self.0 & VALUE;
        match self.0 & KIND {
            SAME => Fold::Same,
            NOTHING => Fold::Nothing,
            ONE => Fold::One(char::from_u32(value).expect("the value was made of a character")),
            _ => Fold::Many(&TABLE.many[value as usize]),
        }
    }
}

/// The entry of `ch`.
pub(super) fn entry(ch: char) -> Entry {
    let table = &*TABLE;
    match table.planes.get(ch as usize) {
        Some(&entry) => entry,
        None => table.beyond.get(&ch).copied().unwrap_or(Entry(SAME)),
    }
}

struct Table {
    planes: Vec<Entry>,
    beyond: HashMap<char, Entry>,
    many: Vec<String>,
}

/// Where every character stands for itself: Han but for its compatibility forms, Hangul syllables,
/// private use, and the large historical scripts.
const UNFOLDED: [RangeInclusive<u32>; 5] =
    [0x3400..=0x4DBF, 0x4E00..=0x9FFF, 0xAC00..=0xDFFF, 0xE000..=0xF8FF, 0x12000..=0x1AFFF];
/// Folded characters beyond the first two planes: compatibility Han, tags, variation selectors.
const BEYOND: [RangeInclusive<u32>; 2] = [0x2F800..=0x2FA1F, 0xE0000..=0xE0FFF];

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table =
        Table { planes: vec![Entry(SAME); 0x2_0000], beyond: HashMap::new(), many: Vec::new() };
    let folded = (0..0x2_0000).filter(|code| !UNFOLDED.iter().any(|range| range.contains(code)));
    let folded = folded.chain(BEYOND.into_iter().flatten()).filter_map(char::from_u32);
    for ch in folded.chain(traditional::all()) {
        let made = table.make(ch);
        match table.planes.get_mut(ch as usize) {
            Some(entry) => *entry = made,
            None if made != Entry(SAME) => drop(table.beyond.insert(ch, made)),
            None => {}
        }
    }
    table
});

impl Table {
    fn make(&mut self, ch: char) -> Entry {
        let attaches = std::iter::once(ch).nfkd().next().is_some_and(joins_the_last);
        // A mark alone has no letter to stand on; only what it stands on decides whether it stays.
        let folded = if attaches {
            let with_letter = marks::settle(&format!("ｱ{ch}"));
            if with_letter == "ア" && marks::settle(&format!("ا{ch}")) == "ا" {
                String::new()
            } else {
                ch.to_string()
            }
        } else {
            marks::settle(ch.encode_utf8(&mut [0; 4]))
        };
        let mut chars = folded.chars();
        let kind = match (chars.next(), chars.next()) {
            (None, _) => NOTHING,
            (Some(one), None) if one == ch => SAME,
            (Some(one), None) => ONE | u32::from(one),
            _ => {
                self.many.push(folded.clone());
                MANY | u32::try_from(self.many.len() - 1).expect("far fewer than characters exist")
            }
        };
        let flag = |flag: u32, holds: bool| if holds { flag } else { 0 };
        Entry(
            kind | flag(ATTACHES, kind != NOTHING && attaches)
                | flag(KANA, folded.chars().any(is_kana))
                | flag(BREAKS, folded.chars().any(ends_segment))
                | flag(TRADITIONAL, folded.chars().any(|c| traditional::simplified(c).is_some())),
        )
    }
}

/// Marks, and Hangul vowels and finals.
fn joins_the_last(ch: char) -> bool {
    is_mark(ch) || matches!(ch, '\u{1161}'..='\u{1175}' | '\u{11A8}'..='\u{11C2}')
}

/// Line breaks and full stops: kana before one say nothing about the Han after it.
fn ends_segment(ch: char) -> bool {
    matches!(ch, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        || matches!(ch, '。' | '!' | '?')
}
