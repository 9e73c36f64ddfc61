//! Addresses, mentions and hashtags, as authors type them into a text.

use std::ops::Range;

/// Longest scheme of an address.
const SCHEME_MAX: usize = 16;

/// The byte ranges of addresses and mentions: in order, apart from one another. Linear, and nothing
/// for most texts.
pub fn addresses_and_mentions(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in starts(text) {
        // What an address holds is part of it; this also keeps a text made of `www.` linear.
        if found.last().is_some_and(|last| start < last.end) {
            continue;
        }
        let rest = &text[start..];
        let range = if rest.starts_with('@') { mention(text, start) } else { address(text, start) };
        found.extend(range);
    }
    found
}

/// Whether `span` lies inside one of the ranges, which are in order and apart.
pub fn lies_inside(ranges: &[Range<usize>], span: &Range<usize>) -> bool {
    let after = ranges.partition_point(|range| range.start <= span.start);
    after.checked_sub(1).is_some_and(|last| span.end <= ranges[last].end)
}

/// How many addresses a text has.
pub fn count_addresses(text: &str) -> usize {
    let found = addresses_and_mentions(text);
    found.iter().filter(|range| !text[range.start..].starts_with('@')).count()
}

/// How many hashtags a text has: `#` before a letter or digit, not inside a word or an address.
pub fn count_hashtags(text: &str) -> usize {
    let addresses = addresses_and_mentions(text);
    let is_tag = |&(at, sign): &(usize, &str)| {
        let named = text[at + sign.len()..].starts_with(char::is_alphanumeric);
        let apart = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        named && apart && !lies_inside(&addresses, &(at..at + sign.len()))
    };
    text.match_indices(['#', '＃']).filter(is_tag).count()
}

/// Where an address or a mention may be seen, in order.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let of = |pattern: &'static str| text.match_indices(pattern).map(|(at, _)| at);
    let mut starts: Vec<usize> = of("://").chain(of("www.")).chain(of("@")).collect();
    starts.sort_unstable();
    starts.into_iter()
}

/// The address around `://` or from `www.` on: it has a scheme, or a host with a further dot.
fn address(text: &str, start: usize) -> Option<Range<usize>> {
    let (before, rest) = text.split_at(start);
    let length = rest.bytes().take_while(|&byte| is_address_byte(byte)).count();
    if let Some(host) = rest.strip_prefix("www.") {
        let host = &host[..length - "www.".len()];
        return host.trim_end_matches('.').contains('.').then_some(start..start + length);
    }
    let letters = before.bytes().rev().take(SCHEME_MAX).take_while(u8::is_ascii_alphanumeric);
    let scheme = letters.count();
    (scheme > 0 && length > "://".len()).then_some(start - scheme..start + length)
}

/// The mention that starts at `@`, unless it stands inside a word, as in a mail address.
fn mention(text: &str, start: usize) -> Option<Range<usize>> {
    let inside_word = text[..start].ends_with(|c: char| c.is_alphanumeric());
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let length = text[start + 1..].bytes().take_while(is_name).count();
    (length > 0 && !inside_word).then_some(start..start + 1 + length)
}

/// Bytes an address goes on with; text that follows without a space in another script ends it.
fn is_address_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b')' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_hashtags_are_counted_apart_from_mentions() {
        let text = "#sale https://a.example/x#part www.b.example @some_one a#b ＃促销 # 1";
        assert_eq!((count_addresses(text), count_hashtags(text)), (2, 2));
    }

    #[test]
    fn addresses_and_mentions_are_found_and_mail_addresses_are_not() {
        let found = |text| {
            let ranges = addresses_and_mentions(text);
            ranges.into_iter().map(|range| &text[range]).collect::<Vec<_>>()
        };
        assert_eq!(found("see https://a.example/x?y=1 now"), ["https://a.example/x?y=1"]);
        assert_eq!(found("看http://a.example/x微信"), ["http://a.example/x"]);
        assert_eq!(found("hi @some_one, www.b.example."), ["@some_one", "www.b.example."]);
        assert_eq!(found("://word www.word"), [""; 0], "neither has a host");
        assert_eq!(found("mail me: a@b.example"), [""; 0]);
        assert_eq!(found("nothing here @ all"), [""; 0]);
    }
}
