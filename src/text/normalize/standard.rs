//! The standard view: differences of encoding undone, in one pass, and then those of white space.

use std::ops::Range;

use unicode_normalization::{IsNormalized, is_nfkc_quick};

use super::{
    marks, spaces,
    table::{Fold, entry},
    traditional,
};
use crate::text::{NormalizedText, scripts::is_shared_mark};

/// The standard view of a text.
///
/// Folding its result again changes nothing.
pub fn standard(original: &str) -> NormalizedText {
    Pass::new(original, Han::Simplified).run()
}

/// A literal as the standard view of a text shows it.
pub fn standard_literal(literal: &str) -> String {
    standard(literal).text().to_owned()
}

/// A literal as the standard view shows it in a segment with kana, where Han stay as they are;
/// nothing when that is [`standard_literal`]. A literal of a Japanese rule is looked for in both.
pub fn standard_literal_among_kana(literal: &str) -> Option<String> {
    let kept = Pass::new(literal, Han::Kept).run();
    let simplified = standard(literal);
    (kept.text() != simplified.text()).then(|| kept.text().to_owned())
}

/// What becomes of Traditional characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Han {
    /// They are simplified, but for segments with kana.
    Simplified,
    /// They stay.
    Kept,
}

struct Pass<'a> {
    original: &'a str,
    at: usize,
    folded: NormalizedText,
    han: Han,
    /// The segment that was looked at last, and whether its Han stay as they are.
    segment: Range<usize>,
    segment_keeps_han: bool,
}

impl<'a> Pass<'a> {
    fn new(original: &'a str, han: Han) -> Self {
        let folded = NormalizedText::with_capacity(original.len());
        Self { original, at: 0, folded, han, segment: 0..0, segment_keeps_han: han == Han::Kept }
    }

    fn run(mut self) -> NormalizedText {
        while self.at < self.original.len() {
            self.plain_ascii();
            if let Some(ch) = self.original[self.at..].chars().next() {
                self.character(ch);
            }
        }
        spaces::fold(self.folded)
    }

    /// Takes ASCII text up to a control character or to the last character before anything
    /// else, which may be a mark that belongs to it.
    fn plain_ascii(&mut self) {
        let rest = &self.original.as_bytes()[self.at..];
        let stop = rest.iter().position(|&byte| !is_plain(byte));
        let plain = stop.map_or(rest.len(), |stop| stop.saturating_sub(1));
        self.folded.push_ascii_lower(&self.original[self.at..self.at + plain]);
        self.at += plain;
    }

    fn character(&mut self, ch: char) {
        let (start, after) = (self.at, self.at + ch.len_utf8());
        let found = entry(ch);
        if found.fold == Fold::Nothing {
            self.at = after;
            return self.folded.push("", ch.len_utf8());
        }
        let end = cluster_end(self.original, after).or(found.attaches.then_some(after));
        if let Some(end) = end {
            return self.cluster(start..end);
        }
        self.at = after;
        let simplifies = found.is_traditional && !self.keeps_han(start);
        let chosen = |folded: char| if simplifies { simple(folded) } else { folded };
        match &found.fold {
            Fold::Nothing => {}
            Fold::Same => self.one(ch, chosen(ch)),
            Fold::One(folded) => self.one(ch, chosen(*folded)),
            Fold::Many(folded) if simplifies => {
                let folded: String = folded.chars().map(simple).collect();
                self.folded.push(&folded, ch.len_utf8());
            }
            Fold::Many(folded) => self.folded.push(folded, ch.len_utf8()),
        }
    }

    fn one(&mut self, ch: char, folded: char) {
        if ch.len_utf8() == folded.len_utf8() {
            self.folded.push_linear_char(folded);
        } else {
            self.folded.push(folded.encode_utf8(&mut [0; 4]), ch.len_utf8());
        }
    }

    /// A letter with what attaches to it: folded and mapped as a whole.
    fn cluster(&mut self, range: Range<usize>) {
        self.at = range.end;
        let raw = &self.original[range.clone()];
        if is_settled(raw) {
            return self.folded.push_same(raw);
        }
        let mut settled = marks::settle(raw);
        if settled.chars().any(|ch| traditional::simplified(ch).is_some())
            && !self.keeps_han(range.start)
        {
            settled = settled.chars().map(simple).collect();
        }
        self.folded.push(&settled, raw.len());
    }

    /// Whether the Han of the segment around `at` stay: because kana stand among them.
    fn keeps_han(&mut self, at: usize) -> bool {
        if self.han == Han::Simplified && !self.segment.contains(&at) {
            let breaks = |ch: char| entry(ch).breaks;
            // Segments are looked at in order and each once, so the search backwards ends at the last.
            let looked_at = self.segment.end;
            let before = &self.original[looked_at..at];
            let start = before.rfind(breaks).map_or(looked_at, |found| looked_at + found);
            let end = self.original[at..].find(breaks).map_or(self.original.len(), |end| at + end);
            let segment = &self.original[start..end];
            self.segment_keeps_han = segment.chars().any(|ch| entry(ch).is_kana);
            self.segment = start..end;
        }
        self.segment_keeps_han
    }
}

/// Whether a letter and its marks are seen at once to stay as they are, as most are in the scripts of
/// India and South-East Asia.
fn is_settled(cluster: &str) -> bool {
    let stays = |ch: char| {
        let entry = entry(ch);
        entry.fold == Fold::Same && !entry.is_traditional && !is_shared_mark(ch)
    };
    cluster.chars().all(stays) && is_nfkc_quick(cluster.chars()) == IsNormalized::Yes
}

/// ASCII that attaches to nothing and is not removed.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t'..=b'\r')
}

fn simple(ch: char) -> char {
    traditional::simplified(ch).unwrap_or(ch)
}

/// The end of what attaches to the character that ends at `after`, if anything does. Characters that
/// are removed may stand between.
fn cluster_end(text: &str, after: usize) -> Option<usize> {
    if is_plain(*text.as_bytes().get(after)?) {
        return None;
    }
    let (mut at, mut end) = (after, None);
    for ch in text[after..].chars() {
        at += ch.len_utf8();
        let entry = entry(ch);
        if entry.attaches {
            end = Some(at);
        } else if entry.fold != Fold::Nothing {
            break;
        }
    }
    end
}
