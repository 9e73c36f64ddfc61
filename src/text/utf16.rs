//! From UTF-8 bytes to UTF-16 code units, the offsets that browsers count in.

use super::span::{Original, Span, Utf16, offset};

/// Converts spans of one text. Spans whose starts rise cost one pass over the text altogether; a span
/// that starts before the last one is right too and costs a new pass.
#[derive(Clone)]
pub struct Utf16Cursor<'a> {
    original: &'a str,
    is_ascii: bool,
    bytes: usize,
    units: usize,
}

impl<'a> Utf16Cursor<'a> {
    /// A cursor at the start of `original`.
    pub fn new(original: &'a str) -> Self {
        Self { original, is_ascii: original.is_ascii(), bytes: 0, units: 0 }
    }

    /// The same place in UTF-16 code units.
    ///
    /// # Panics
    /// When the span does not lie inside the text, on character boundaries.
    pub fn span(&mut self, span: Span<Original>) -> Span<Utf16> {
        let range = span.range();
        let inside = &self.original[range.clone()];
        if self.is_ascii {
            return Span::new(span.start(), span.end());
        }
        if range.start < self.bytes {
            (self.bytes, self.units) = (0, 0);
        }
        self.units += units(&self.original[self.bytes..range.start]);
        self.bytes = range.start;
        Span::new(offset(self.units), offset(self.units + units(inside)))
    }
}

/// Every character is one unit, and those beyond U+FFFF, which begin with a byte from F0 on, are two.
fn units(text: &str) -> usize {
    text.bytes().map(|byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_span_is_what_the_standard_library_counts() {
        for text in ["plain", "加微信 abc", "a😀b👍🏽c", "é\u{301}ß", ""] {
            let places: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut cursor = Utf16Cursor::new(text);
            for &start in &places {
                for &end in places.iter().filter(|&&end| end >= start) {
                    let count = |part: &str| offset(part.encode_utf16().count());
                    let expected = (count(&text[..start]), count(&text[..end]));
                    let found = cursor.span(Span::from_range(start..end));
                    assert_eq!((found.start(), found.end()), expected, "{text} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn a_span_before_the_last_one_is_right_too() {
        let mut cursor = Utf16Cursor::new("信微a");
        assert_eq!(cursor.span(Span::new(6, 7)), Span::new(2, 3));
        assert_eq!(cursor.span(Span::new(0, 3)), Span::new(0, 1));
    }
}
