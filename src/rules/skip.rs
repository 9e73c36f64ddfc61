//! Addresses and mentions, which literals skip: `@dickvandyke` insults nobody.

use std::ops::Range;

/// The byte ranges of addresses and mentions, in order. Linear, and nothing for most texts.
pub(super) fn addresses_and_mentions(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, _) in text.match_indices("://").chain(text.match_indices("www.")) {
        let scheme = text[..start].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
        let length = text[start..].bytes().take_while(|&byte| is_address_byte(byte)).count();
        found.push(start - scheme..start + length);
    }
    for (start, _) in text.match_indices('@') {
        let inside_word = text[..start].ends_with(|c: char| c.is_alphanumeric());
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let length = text[start + 1..].bytes().take_while(is_name).count();
        if length > 0 && !inside_word {
            found.push(start..start + 1 + length);
        }
    }
    found.sort_by_key(|range| (range.start, range.end));
    found
}

/// Whether `span` lies inside one of the ranges.
pub(super) fn lies_inside(ranges: &[Range<usize>], span: &Range<usize>) -> bool {
    ranges.iter().any(|range| range.start <= span.start && span.end <= range.end)
}

/// Bytes an address goes on with; text that follows without a space in another script ends it.
fn is_address_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b')' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_mentions_are_found_and_mail_addresses_are_not() {
        let found = |text| {
            let ranges = addresses_and_mentions(text);
            ranges.into_iter().map(|range| &text[range]).collect::<Vec<_>>()
        };
        assert_eq!(found("see https://a.example/x?y=1 now"), ["https://a.example/x?y=1"]);
        assert_eq!(found("看http://a.example/x微信"), ["http://a.example/x"]);
        assert_eq!(found("hi @some_one, www.b.example."), ["@some_one", "www.b.example."]);
        assert_eq!(found("mail me: a@b.example"), [""; 0]);
        assert_eq!(found("nothing here @ all"), [""; 0]);
    }
}
