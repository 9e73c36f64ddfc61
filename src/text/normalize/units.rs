//! The text under the steps of the skeleton: characters that remember where they stood.

use std::ops::Range;

use crate::text::{NormalizedText, Span, offset};

/// One character of the skeleton in the making, and its place in the standard view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// The character.
    pub(super) ch: char,
    start: u32,
    end: u32,
}

/// Every character of a standard view.
pub(super) fn of(standard: &NormalizedText) -> Vec<Unit> {
    of_range(standard, 0..standard.text().len())
}

/// Every character of a part of it.
pub(super) fn of_range(standard: &NormalizedText, range: Range<usize>) -> Vec<Unit> {
    let unit = |(at, ch): (usize, char)| {
        let start = offset(range.start + at);
        Unit { ch, start, end: start + offset(ch.len_utf8()) }
    };
    standard.text()[range.clone()].char_indices().map(unit).collect()
}

impl Unit {
    /// The character as the author wrote it, where it stands for exactly one.
    pub(super) fn written(self, original: &str, standard: &NormalizedText) -> Option<char> {
        let span = standard.original_span(Span::new(self.start, self.end));
        let mut chars = original[span.range()].chars();
        chars.next().filter(|_| chars.next().is_none())
    }

    /// The place with another character.
    pub(super) fn read_as(self, ch: char) -> Self {
        Self { ch, ..self }
    }

    /// This one, standing for all that lies between it and the end of `last` as well.
    pub(super) fn up_to(self, last: Self) -> Self {
        Self { end: self.end.max(last.end), ..self }
    }
}

/// What the author wrote where the units stand.
pub(super) fn written<'a>(units: &[Unit], original: &'a str, standard: &NormalizedText) -> &'a str {
    let (Some(first), Some(last)) = (units.first(), units.last()) else { return "" };
    let span = standard.original_span(Span::new(first.start, last.end.max(first.end)));
    &original[span.range()]
}

/// Between how many neighbours something was left out.
pub(super) fn apart(units: &[Unit]) -> usize {
    units.windows(2).filter(|pair| pair[1].start > pair[0].end).count()
}

/// The units that stand for what lies inside a range of the original.
pub(super) fn inside(
    units: &[Unit],
    original: Range<usize>,
    standard: &NormalizedText,
) -> Range<usize> {
    let place = |unit: &Unit| standard.original_span(Span::new(unit.start, unit.end)).range();
    let start = units.partition_point(|unit| place(unit).start < original.start);
    let end = units.partition_point(|unit| place(unit).end <= original.end);
    start..end.max(start)
}

/// Maximal ranges of units for which `inside` holds.
pub(super) fn runs(units: &[Unit], inside: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, unit) in units.iter().enumerate() {
        match (inside(unit.ch), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                runs.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    runs.extend(start.map(|from| from..units.len()));
    runs
}

/// Removes the units at `places`, which rise.
pub(super) fn remove(units: &mut Vec<Unit>, places: &[usize]) {
    let mut places = places.iter().copied().peekable();
    let mut at = 0;
    units.retain(|_| {
        let gone = places.next_if_eq(&at).is_some();
        at += 1;
        !gone
    });
}

/// A folded text whose map leads from the units to the original.
pub(super) fn mapped(
    units: &[Unit],
    standard: &NormalizedText,
    original_len: usize,
) -> NormalizedText {
    let mut folded = NormalizedText::with_capacity(standard.text().len());
    let mut pending = String::new();
    let (mut start, mut end) = (0, 0);
    let append = |folded: &mut NormalizedText, pending: &str, len: usize| {
        let mut chars = pending.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) if one.len_utf8() == len => folded.push_linear_char(one),
            _ => folded.push(pending, len),
        }
    };
    let mut spans = standard.rising_spans();
    for unit in units {
        let span = spans.next(Span::new(unit.start, unit.end)).range();
        // Units that share a block of the standard view cannot be told apart in the original.
        if span.start >= end {
            append(&mut folded, &pending, end - start);
            pending.clear();
            folded.push("", span.start - end);
            start = span.start;
        }
        pending.push(unit.ch);
        end = end.max(span.end);
    }
    append(&mut folded, &pending, end - start);
    folded.push("", original_len - end);
    folded
}
