//! Host names, as authors write them to be read and as they write them to be overlooked.
//!
//! A host is looked for like any literal, once for every way to write its dots. It stands for its
//! subdomains too, so what is before it may be a further label; what follows must not go on.

use super::patterns::Problem;
use crate::text::standard_literal;

/// How dots are written in the standard view, the plain one first.
const DOTS: [&str; 13] = [
    ".", "[.]", "(.)", "{.}", "[dot]", "(dot)", "{dot}", " [.] ", " [dot] ", " (dot) ", " dot ",
    " . ", "。",
];
/// Most letters of a host name and of one of its labels (RFC 1035).
const HOST_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// The host name that an entry means, folded, or what is wrong with it.
pub(super) fn host(written: &str) -> Result<String, Problem> {
    let folded = standard_literal(written.trim());
    if is_host(&folded) {
        return Ok(folded);
    }
    let bare = folded.split_once("://").map_or(folded.as_str(), |(_, rest)| rest);
    let bare = bare.split(['/', '?', '#', ':', ' ']).next().unwrap_or_default();
    let bare = bare.trim_start_matches("*.").trim_matches('.');
    let help = if is_host(bare) {
        format!("write `{bare}`: its subdomains, and other ways to write it, are found too")
    } else {
        "write a host alone, such as `shop.example`".to_owned()
    };
    Err(Problem { code: "R009", message: format!("`{written}` is no host name"), help })
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let letters = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        (1..=LABEL_MAX).contains(&label.len())
            && letters
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= HOST_MAX && host.contains('.') && host.split('.').all(label)
}

/// Every way to write a host.
pub(super) fn literals(host: &str) -> impl Iterator<Item = String> {
    DOTS.into_iter().map(|dot| host.replace('.', dot))
}

/// Whether a host that stands between the two texts is one of its own or a subdomain's end, not a part
/// of another: `evil.com` is in `www.evil.com`, not in `not-evil.com` or `evil.com.example`.
pub(super) fn stands_alone(before: &str, after: &str) -> bool {
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    let mut follows = after.chars();
    let continued = match follows.next() {
        Some('-' | '_' | '.') => goes_on(follows.as_str()),
        _ => false,
    };
    !before.ends_with(['-', '_']) && !continued
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_host_alone() {
        assert_eq!(host("Evil.Com"), Ok("evil.com".to_owned()));
        assert_eq!(host("пример.рф"), Ok("пример.рф".to_owned()));
        for (written, meant) in [
            ("https://evil.com/login?x=1", "`evil.com`"),
            ("*.evil.com", "`evil.com`"),
            ("evil.com:8080", "`evil.com`"),
            ("localhost", "a host alone"),
            ("-evil.com", "a host alone"),
            ("evil..com", "a host alone"),
        ] {
            let refused = host(written).expect_err("it is no host");
            assert!(refused.help.contains(meant), "{written}: {}", refused.help);
        }
    }

    #[test]
    fn a_host_ends_where_its_name_ends() {
        for (before, after, expected) in [
            ("see www.", "/x", true),
            ("https://", ":80", true),
            ("", ". Next", true),
            ("my-", "", false),
            ("", ".br/x", false),
            ("", "-shop.example", false),
            ("", " - cheap", true),
        ] {
            assert_eq!(stands_alone(before, after), expected, "{before}|{after}");
        }
    }
}
