//! A folded text together with the way back to the original.
//!
//! The map is a list of runs that cover both texts completely and in order. A run is either *linear*
//! (byte for byte the same length, so a position inside maps by addition) or a *block* (a span of
//! folded bytes stands for a span of original bytes as a whole). Plain text is one linear run, so the
//! map costs next to nothing where nothing was folded.

use std::fmt;

use super::span::{Normalized, Original, Span, offset};

/// A folded text and its map to the original.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct NormalizedText {
    text: String,
    runs: Vec<Run>,
    original_len: u32,
}

/// Folded bytes from `normal` on stand for original bytes from `original` on, up to the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    normal: u32,
    original: u32,
    linear: bool,
}

impl NormalizedText {
    /// An empty text with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), runs: Vec::new(), original_len: 0 }
    }

    /// A text that equals its original.
    pub fn identity(text: &str) -> Self {
        let mut it = Self::with_capacity(text.len());
        it.push_same(text);
        it
    }

    /// Appends text that stands for itself.
    pub fn push_same(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.open_run(true);
        self.text.push_str(text);
        self.original_len += offset(text.len());
    }

    /// Appends ASCII text that stands for itself, its letters in lower case.
    pub(super) fn push_ascii_lower(&mut self, text: &str) {
        let start = self.text.len();
        self.push_same(text);
        self.text[start..].make_ascii_lowercase();
    }

    /// Appends one character that stands for one of the same length.
    pub(super) fn push_linear_char(&mut self, folded: char) {
        self.open_run(true);
        self.text.push(folded);
        self.original_len += offset(folded.len_utf8());
    }

    /// The same text with a space in the place of every white space of ASCII.
    pub(super) fn with_ascii_spaces(mut self) -> Self {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        let is_space = |byte: &&mut u8| byte.is_ascii() && char::from(**byte).is_whitespace();
        bytes.iter_mut().filter(is_space).for_each(|byte| *byte = b' ');
        self.text = String::from_utf8(bytes).expect("ASCII in the place of ASCII");
        self
    }

    /// Appends `folded` for the next `original_len` bytes of the original: one for one, one for many,
    /// many for one, or (with an empty `folded`) a deletion.
    pub fn push(&mut self, folded: &str, original_len: usize) {
        if folded.is_empty() && original_len == 0 {
            return;
        }
        self.open_run(false);
        self.text.push_str(folded);
        self.original_len += offset(original_len);
    }

    /// The folded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The length of the original in bytes.
    pub fn original_len(&self) -> u32 {
        self.original_len
    }

    /// The smallest span of the original that covers what `span` stands for. Text that was deleted at
    /// an edge of the span is left out.
    ///
    /// # Panics
    /// When the span does not lie inside the folded text.
    pub fn original_span(&self, span: Span<Normalized>) -> Span<Original> {
        assert!(span.range().end <= self.text.len(), "the span lies inside the folded text");
        if span.is_empty() {
            let at = self.original_start(span.start());
            return Span::new(at, at);
        }
        let start = self.original_start(span.start());
        Span::new(start, self.original_end(span.end()).max(start))
    }

    /// What [`Self::original_span`] says of spans that rise, without searching for each.
    pub(super) fn rising_spans(&self) -> RisingSpans<'_> {
        RisingSpans { text: self, run: 0 }
    }

    /// The original offset at which the folded byte `at` begins.
    fn original_start(&self, at: u32) -> u32 {
        // The last run that begins at or before `at`: a deletion just before shares its folded offset
        // and comes earlier in the list, so it is skipped.
        let index = self.runs.partition_point(|run| run.normal <= at);
        let Some(run) = index.checked_sub(1).map(|i| self.runs[i]) else { return 0 };
        if run.linear { run.original + (at - run.normal) } else { run.original }
    }

    /// The original offset at which the folded byte before `at` ends.
    fn original_end(&self, at: u32) -> u32 {
        // The run that holds byte `at - 1`: the last one that begins before `at`.
        let index = self.runs.partition_point(|run| run.normal < at);
        let Some(last) = index.checked_sub(1) else { return 0 };
        let run = self.runs[last];
        if run.linear {
            run.original + (at - run.normal)
        } else {
            self.runs.get(last + 1).map_or(self.original_len, |next| next.original)
        }
    }

    fn open_run(&mut self, linear: bool) {
        if linear && self.runs.last().is_some_and(|run| run.linear) {
            return;
        }
        let run = Run { normal: offset(self.text.len()), original: self.original_len, linear };
        self.runs.push(run);
    }
}

/// Answers for spans that are not empty, each beginning where the one before ends or later.
pub(super) struct RisingSpans<'a> {
    text: &'a NormalizedText,
    run: usize,
}

impl RisingSpans<'_> {
    /// The original of the next span.
    pub(super) fn next(&mut self, span: Span<Normalized>) -> Span<Original> {
        let runs = &self.text.runs;
        while runs.get(self.run + 1).is_some_and(|next| next.normal <= span.start()) {
            self.run += 1;
        }
        let run = runs[self.run];
        let ends_inside = runs.get(self.run + 1).is_none_or(|next| span.end() <= next.normal);
        if run.linear && ends_inside {
            let shift = |at: u32| run.original + (at - run.normal);
            return Span::new(shift(span.start()), shift(span.end()));
        }
        self.text.original_span(span)
    }
}

/// Never shows the text: it is a user's.
impl fmt::Debug for NormalizedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NormalizedText({} bytes, {} runs)", self.text.len(), self.runs.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &NormalizedText, start: u32, end: u32) -> (u32, u32) {
        let original = text.original_span(Span::new(start, end));
        (original.start(), original.end())
    }

    #[test]
    fn plain_text_maps_to_itself() {
        let text = NormalizedText::identity("abc");
        assert_eq!(span(&text, 1, 2), (1, 2));
        assert_eq!(span(&text, 3, 3), (3, 3));
    }

    #[test]
    fn deletions_at_the_edges_are_left_out_and_inside_are_covered() {
        let mut text = NormalizedText::default();
        text.push("", 3);
        text.push_same("ab");
        text.push("", 2);
        text.push_same("c");
        text.push("", 4);
        assert_eq!(text.text(), "abc");
        assert_eq!(span(&text, 0, 2), (3, 5));
        assert_eq!(span(&text, 0, 3), (3, 8));
        assert_eq!(span(&text, 2, 3), (7, 8));
        assert_eq!(text.original_len(), 12);
    }

    #[test]
    fn a_block_is_covered_as_a_whole() {
        let mut text = NormalizedText::default();
        text.push("ffi", 3);
        text.push("a", 4);
        text.push_same("z");
        assert_eq!(span(&text, 1, 2), (0, 3));
        assert_eq!(span(&text, 2, 4), (0, 7));
        assert_eq!(span(&text, 4, 5), (7, 8));
    }
}
