//! The body of a request: read within its limits, and cut into posts without decoding them.

use std::{fmt, future::poll_fn, ops::Range, pin::pin, time::Duration};

use axum::{body::Body, http::HeaderMap};
use hyper::body::Body as _;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use tokio::time::timeout;

use crate::wire::{ErrorCode, WireError};

/// Most bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most posts of a request.
pub const POSTS_MAX: usize = 256;
/// So much of a body that is too large is read and thrown away: a client that is still sending would
/// otherwise see a broken connection instead of its answer.
const DISCARD_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// The posts of a request, not decoded.
pub(super) struct Posts {
    body: Vec<u8>,
    /// Where each post stands in the body.
    places: Vec<Range<usize>>,
    /// Whether the answer is a list as well.
    pub(super) is_list: bool,
}

impl Posts {
    /// Every post's JSON.
    pub(super) fn all(&self) -> Vec<&[u8]> {
        self.places.iter().map(|place| &self.body[place.clone()]).collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

/// Whether a request says that its body is JSON, as it is.
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), WireError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text("content-type").and_then(|kind| kind.split(';').next()).map(str::trim);
    let coding = text("content-encoding").unwrap_or("identity");
    let is_json = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    if is_json && coding.eq_ignore_ascii_case("identity") {
        return Ok(());
    }
    let message = "posts come as `Content-Type: application/json`, without a content coding";
    Err(WireError::new(ErrorCode::UnsupportedMediaType, message))
}

/// Reads a body of at most [`BODY_BYTES_MAX`] within `time`.
pub(super) async fn read(body: Body, time: Duration) -> Result<Vec<u8>, WireError> {
    let slow = || {
        let message = format!("the body did not arrive within {} s", time.as_secs_f32());
        WireError::new(ErrorCode::RequestTimeout, message)
    };
    timeout(time, collect(body)).await.unwrap_or_else(|_| Err(slow()))
}

async fn collect(body: Body) -> Result<Vec<u8>, WireError> {
    let declared = body.size_hint().lower();
    if declared > u64::try_from(DISCARD_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut body = pin!(body);
    let (mut kept, mut seen) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let broken = |_| WireError::new(ErrorCode::InvalidJson, "the body broke off");
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        seen += data.len();
        if seen <= BODY_BYTES_MAX {
            kept.extend_from_slice(&data);
        } else if seen > DISCARD_BYTES_MAX {
            break;
        } else {
            kept = Vec::new();
        }
    }
    if seen > BODY_BYTES_MAX { Err(too_large()) } else { Ok(kept) }
}

fn too_large() -> WireError {
    let message = format!("a request has at most {BODY_BYTES_MAX} bytes: send several");
    WireError::new(ErrorCode::TooLarge, message)
}

/// Cuts a body into posts: one object, or a list of them.
pub(super) fn split(body: Vec<u8>) -> Result<Posts, WireError> {
    let text = std::str::from_utf8(&body).map_err(|error| {
        let message = format!("byte {} is not UTF-8", error.valid_up_to());
        WireError::new(ErrorCode::InvalidUtf8, message)
    })?;
    let first = text.trim_ascii_start().bytes().next();
    let Some(first) = first else {
        return Err(WireError::new(ErrorCode::Empty, "the request has no body"));
    };
    if first != b'[' {
        let places = std::iter::once(0..body.len()).collect();
        return Ok(Posts { body, places, is_list: false });
    }
    let list: List<'_> = serde_json::from_str(text).map_err(|error| {
        // What the parser says of syntax holds no values.
        WireError::new(ErrorCode::InvalidJson, error.to_string())
    })?;
    if list.count > POSTS_MAX {
        let message =
            format!("{} posts, {POSTS_MAX} are allowed: send several requests", list.count);
        return Err(WireError::new(ErrorCode::TooManyPosts, message));
    }
    let places = list.posts.iter().map(|post| place_of(post.get(), text)).collect();
    Ok(Posts { body, places, is_list: true })
}

/// Where a part of a text lies in it.
fn place_of(part: &str, whole: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// A list of JSON values, the first [`POSTS_MAX`] of them kept as they are.
struct List<'a> {
    posts: Vec<&'a RawValue>,
    count: usize,
}

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;

        impl<'de> Visitor<'de> for ListVisitor {
            type Value = List<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<'de>, A::Error> {
                let mut posts = Vec::new();
                while posts.len() < POSTS_MAX {
                    match seq.next_element()? {
                        Some(post) => posts.push(post),
                        None => return Ok(List { count: posts.len(), posts }),
                    }
                }
                let mut count = posts.len();
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(List { posts, count })
            }
        }

        deserializer.deserialize_seq(ListVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorCode, POSTS_MAX, split};

    fn parts(body: &str) -> Result<(bool, Vec<String>), ErrorCode> {
        let posts = split(Vec::from(body)).map_err(|error| error.code)?;
        let text = |post: &&[u8]| String::from_utf8_lossy(post).into_owned();
        Ok((posts.is_list, posts.all().iter().map(text).collect()))
    }

    #[test]
    fn a_body_is_one_post_or_a_list_and_nothing_is_lost_between() {
        let cases = [
            (r#"{"id":"1"}"#, Ok((false, vec![r#"{"id":"1"}"#]))),
            ("\"a text\"", Ok((false, vec!["\"a text\""]))),
            ("[]", Ok((true, vec![]))),
            (
                " [ {\"id\" : \"长\"} ,7, [[]] ]\n",
                Ok((true, vec![r#"{"id" : "长"}"#, "7", "[[]]"])),
            ),
            (r#"["\ud800"]"#, Ok((true, vec![r#""\ud800""#]))),
            ("", Err(ErrorCode::Empty)),
            (" \n", Err(ErrorCode::Empty)),
            ("[{}", Err(ErrorCode::InvalidJson)),
            ("[{},]", Err(ErrorCode::InvalidJson)),
            ("[] []", Err(ErrorCode::InvalidJson)),
        ];
        for (body, expected) in cases {
            let owned = |(is_list, posts): (bool, Vec<&str>)| {
                (is_list, posts.into_iter().map(str::to_owned).collect::<Vec<_>>())
            };
            assert_eq!(parts(body), expected.map(owned), "{body}");
        }
    }

    #[test]
    fn nesting_without_end_is_no_stack_overflow() {
        let deep = |pairs: usize| format!("{}{}", "[".repeat(pairs), "]".repeat(pairs));
        assert_eq!(parts(&deep(300_000)).map(|(_, posts)| posts.len()), Ok(1));
        assert_eq!(parts(&"[".repeat(300_000)), Err(ErrorCode::InvalidJson));
    }

    #[test]
    fn posts_beyond_the_limit_are_counted_and_refused() {
        let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(parts(&list(POSTS_MAX)).map(|(_, posts)| posts.len()), Ok(POSTS_MAX));
        assert_eq!(parts(&list(POSTS_MAX + 1)), Err(ErrorCode::TooManyPosts));
        let invalid = list(POSTS_MAX + 1).replace(']', ",}");
        assert_eq!(parts(&invalid), Err(ErrorCode::InvalidJson), "wherever the mistake is");
    }
}
