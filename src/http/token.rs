//! The bearer token that a server may ask for.

use axum::http::{HeaderMap, header};

/// The BLAKE3 hash of a token: comparing hashes takes the same time for every guess.
#[derive(Clone)]
pub(super) struct Token(blake3::Hash);

impl Token {
    pub(super) fn new(token: &str) -> Self {
        Self(blake3::hash(token.as_bytes()))
    }

    /// Whether a request brings this token.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.split_once(' '));
        given.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && blake3::hash(token.trim().as_bytes()) == self.0
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Token;

    #[test]
    fn only_the_whole_token_opens() {
        let token = Token::new("s3cret");
        let cases = [
            ("Bearer s3cret", true),
            ("bearer s3cret", true),
            ("Bearer s3cre", false),
            ("Bearer", false),
            ("s3cret", false),
            ("Basic s3cret", false),
        ];
        for (value, opens) in cases {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
            assert_eq!(token.is_in(&headers), opens, "{headers:?}");
        }
        assert!(!token.is_in(&HeaderMap::new()));
    }
}
