//! A quick look for gaps that plain writing does not have, so that only what stands around them is
//! joined. The look may take a plain gap for an odd one, which only costs time; it must never
//! overlook an odd one of a plain text.

use std::ops::Range;

use unicode_script::Script;

use super::{
    clusters::{self, is_one_letter_word},
    joined::{HANGUL_DIGITS_MAX, NEAR, TAG_MIN, is_apostrophe, separates},
    spaces::is_line_break,
};
use crate::text::{
    NormalizedText, Span,
    scripts::{is_letter, is_mark, is_written_without_spaces, script},
};

/// Characters on either side of a gap that are joined with it, and some for digits that may belong to
/// either.
const REACH: usize = NEAR + HANGUL_DIGITS_MAX;

/// Letters and digits without a gap between them.
struct Group {
    /// Its place in the text, in bytes.
    place: Range<usize>,
    /// Its place among all characters but apostrophes.
    chars: Range<usize>,
    apostrophes: usize,
    /// Whether it begins with digits right behind Hangul.
    cut: bool,
    opens: char,
    closes: char,
}

/// The ranges of a plain standard view that hold every odd gap and what stands near it, with the gap
/// before them.
pub(super) fn windows(original: &str, standard: &NormalizedText) -> Vec<Range<usize>> {
    let text = standard.text();
    let groups = groups(text);
    let odd = odd(&groups, original, standard);
    let mut odd = odd.into_iter().peekable();
    let mut windows: Vec<Range<usize>> = Vec::new();
    let (mut behind, mut open) = (0, false);
    for group in &groups {
        while odd.next_if(|&at| at + REACH < group.chars.start).is_some() {}
        let near = odd.peek().is_some_and(|&at| at <= group.chars.end + REACH);
        match windows.last_mut() {
            Some(window) if near && open => window.end = group.place.end,
            _ if near => windows.push(behind..group.place.end),
            _ => {}
        }
        (open, behind) = (near, group.place.end);
    }
    windows
}

/// The groups of a text; digits behind Hangul may be in the way there, and begin one.
fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let (mut at, mut chars, mut gap) = (0, 0, true);
    while let Some(opens) = text[at..].chars().next() {
        let letters = text[at..].bytes().take_while(u8::is_ascii_lowercase).count();
        let (start, first) = (at, chars);
        at += letters.max(opens.len_utf8());
        if is_apostrophe(opens) {
            groups.last_mut().into_iter().for_each(|last| last.apostrophes += 1);
            continue;
        }
        chars += letters.max(1);
        if letters == 0 && separates(opens) {
            gap = true;
            continue;
        }
        let closes = if letters > 0 { char::from(text.as_bytes()[at - 1]) } else { opens };
        let goes_on = |last: &&mut Group| {
            !(gap || (opens.is_ascii_digit() && script(last.closes) == Script::Hangul))
        };
        if let Some(last) = groups.last_mut().filter(goes_on) {
            (last.place.end, last.chars.end, last.closes) = (at, chars, closes);
        } else {
            let (place, chars) = (start..at, first..chars);
            groups.push(Group { place, chars, apostrophes: 0, cut: !gap, opens, closes });
        }
        gap = false;
    }
    groups
}

/// Where the groups begin, counted in characters, that may have an odd gap before them.
fn odd(groups: &[Group], original: &str, standard: &NormalizedText) -> Vec<usize> {
    let broken = original.contains(is_line_break);
    let mut written = standard.rising_spans();
    let opens_with_tag = |first: &&Group| is_tag(&standard.text()[..first.place.start], first);
    let mut odd: Vec<usize> =
        groups.first().filter(opens_with_tag).map(|first| first.chars.start).into_iter().collect();
    for (left, right) in groups.iter().zip(groups.iter().skip(1)) {
        let gap = &standard.text()[left.place.end..right.place.start];
        let mut seen = gap.chars().filter(|&ch| !is_apostrophe(ch)).peekable();
        let may_be = if seen.peek().is_some() && seen.all(char::is_whitespace) {
            let span = || Span::from_range(left.place.end..right.place.start);
            let breaks = broken && original[written.next(span()).range()].contains(is_line_break);
            breaks || is_odd_space(left, right)
        } else {
            is_odd(gap, left, right, standard.text())
        };
        odd.extend(may_be.then_some(right.chars.start));
    }
    odd
}

fn is_odd_space(left: &Group, right: &Group) -> bool {
    let unspaced = |ch| is_written_without_spaces(ch) || is_mark(ch);
    left.may_be_torn() || right.may_be_torn() || (unspaced(left.closes) && unspaced(right.opens))
}

/// Whether a tag may hold two words; digits in a tag of Hangul may belong to it.
fn is_tag(gap: &str, group: &Group) -> bool {
    let may_go_on = || script(group.closes) == Script::Hangul;
    gap.contains('#') && (group.chars.len() >= TAG_MIN || may_go_on())
}

fn is_odd(gap: &str, left: &Group, right: &Group, text: &str) -> bool {
    let letter = |ch: char| is_letter(ch) || is_mark(ch);
    if gap.chars().all(is_apostrophe) || is_tag(gap, right) {
        return true;
    }
    if !(letter(left.closes) && letter(right.opens)) {
        return false;
    }
    let (mut spaced, mut ascii, mut hyphen) = (false, false, false);
    for ch in gap.chars().filter(|&ch| !is_apostrophe(ch)) {
        match ch {
            '\n' | '。' | '!' | '?' | '…' | '/' => return ch == '/',
            ' ' => spaced = true,
            '-' | '‐' => hyphen = true,
            _ => ascii |= ch.is_ascii(),
        }
    }
    let clause = matches!(gap, "," | ":" | ";" | "、");
    hyphen || !(spaced && ascii || clause && !left.is_alone(text) && !right.is_alone(text))
}

impl Group {
    /// A letter that stands alone and is no word, or letters of which many stand alone.
    fn may_be_torn(&self) -> bool {
        match self.chars.len() {
            _ if self.cut => true,
            1 => is_letter(self.opens) && !is_one_letter_word(self.opens),
            chars => self.apostrophes * 2 >= chars - 1,
        }
    }

    fn is_alone(&self, text: &str) -> bool {
        let chars = || text[self.place.clone()].chars().filter(|&ch| !is_apostrophe(ch));
        self.chars.len() <= clusters::CHARS_MAX && clusters::count(chars()) <= 1
    }
}
