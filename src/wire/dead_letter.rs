//! The dead letter: an input that cannot be processed, kept whole, with what is wrong beside it.
//!
//! The bytes, the key and the headers stay as they came. What is wrong stands in headers of our own
//! and in those of Kafka Connect, which existing tools read. An input too large to be copied leaves
//! a *claim check* instead: no value, and headers that say where the original is and how to know it.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::{
    delivery::{Header, Record},
    wire::error::WireError,
};

/// Bytes set aside for our own headers when a dead letter's size is compared with its limit.
const OWN_HEADERS_BYTES_MAX: usize = 8192;
/// Longest path that stands in a header.
const PATH_BYTES_MAX: usize = 512;
/// Header names that only Tidegate writes; on an input they come from an earlier failure.
const OWN_PREFIXES: [&str; 6] = [
    "tidegate.error.",
    "tidegate.source.",
    "tidegate.claim.",
    "tidegate.engine.",
    "tidegate.bundle",
    "__connect.errors.",
];

/// The header of a post that was sent again: how often.
pub const ATTEMPTS_HEADER: &str = "tidegate.attempts";
/// The header of a post that was sent again: which dead letter it was, as `topic:partition:offset`.
pub const REPLAYED_HEADER: &str = "tidegate.replayed-from";

/// Whether Tidegate alone writes a header of this name into dead letters.
pub fn is_own_header(name: &str) -> bool {
    OWN_PREFIXES.iter().any(|own| name.starts_with(own))
}

/// The checksum of a value as claim checks write it.
pub fn sha256(value: &[u8]) -> String {
    hex(&Sha256::digest(value))
}

/// Where the processing stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the record.
    Decode,
    /// Deciding about the post.
    Decide,
    /// Writing the decision.
    Publish,
}

impl Stage {
    /// The name in headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Decide => "decide",
            Self::Publish => "publish",
        }
    }
}

/// Why a record becomes a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What is wrong.
    pub error: WireError,
    /// Where that was found.
    pub stage: Stage,
}

/// What every dead letter of a worker says about its origin.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The configured name of the source.
    pub source: &'a str,
    /// The posts topic.
    pub topic: &'a str,
    /// The hash of the bundle that was in force.
    pub bundle: &'a str,
}

/// How much of the input is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// As much as fits into so many bytes: everything; else key and headers; else nothing.
    UpTo(usize),
    /// Nothing but the claim check, for a broker that refused more.
    Nothing,
}

/// A dead letter as it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The input's key.
    pub key: Option<Vec<u8>>,
    /// The input's value; none for a claim check and for an input without one.
    pub value: Option<Vec<u8>>,
    /// The input's headers, then ours.
    pub headers: Vec<Header>,
}

impl DeadLetter {
    /// The dead letter of `record`.
    pub fn write(&self, record: &Record, origin: Origin<'_>, copy: Copy) -> Letter {
        let budget = match copy {
            Copy::UpTo(bytes) => bytes.saturating_sub(OWN_HEADERS_BYTES_MAX),
            Copy::Nothing => 0,
        };
        let value_bytes = record.value.as_ref().map_or(0, Vec::len);
        let all = record.size();
        let keeps_value = all <= budget;
        let keeps_rest = keeps_value || all - value_bytes <= budget;

        let mut headers = if keeps_rest { kept_headers(record) } else { Vec::new() };
        self.write_error(&mut headers);
        write_source(&mut headers, record, origin);
        self.write_connect(&mut headers, record, origin);
        if !keeps_value {
            write_claim(&mut headers, record, origin);
        }
        Letter {
            key: record.key.clone().filter(|_| keeps_rest),
            value: record.value.clone().filter(|_| keeps_value),
            headers,
        }
    }

    fn write_error(&self, headers: &mut Vec<Header>) {
        headers.push(Header::text("tidegate.error.code", self.error.code.as_str()));
        headers.push(Header::text("tidegate.error.message", &*self.error.message));
        if let Some(path) = &self.error.path {
            let end = path.floor_char_boundary(PATH_BYTES_MAX);
            headers.push(Header::text("tidegate.error.path", &path[..end]));
        }
    }

    fn write_connect(&self, headers: &mut Vec<Header>, record: &Record, origin: Origin<'_>) {
        let mut write = |name: &str, value: String| {
            headers.push(Header::text(&format!("__connect.errors.{name}"), value));
        };
        write("topic", origin.topic.to_owned());
        write("partition", record.place.partition.to_string());
        write("offset", record.place.offset.to_string());
        write("stage", self.stage.as_str().to_owned());
        write("exception.class.name", self.error.code.as_str().to_owned());
        write("exception.message", self.error.message.clone());
    }
}

fn kept_headers(record: &Record) -> Vec<Header> {
    record.headers.iter().filter(|header| !is_own_header(&header.name)).cloned().collect()
}

fn write_source(headers: &mut Vec<Header>, record: &Record, origin: Origin<'_>) {
    headers.push(Header::text("tidegate.source.name", origin.source));
    headers.push(Header::text("tidegate.source.topic", origin.topic));
    headers.push(Header::text("tidegate.source.partition", record.place.partition.to_string()));
    headers.push(Header::text("tidegate.source.offset", record.place.offset.to_string()));
    if let Some(timestamp) = record.timestamp {
        headers.push(Header::text("tidegate.source.timestamp", timestamp.to_string()));
    }
    headers.push(Header::text("tidegate.engine.version", env!("CARGO_PKG_VERSION")));
    headers.push(Header::text("tidegate.bundle", origin.bundle));
}

fn write_claim(headers: &mut Vec<Header>, record: &Record, origin: Origin<'_>) {
    let value = record.value.as_deref().unwrap_or_default();
    headers.push(Header::text("tidegate.claim.topic", origin.topic));
    headers.push(Header::text("tidegate.claim.partition", record.place.partition.to_string()));
    headers.push(Header::text("tidegate.claim.offset", record.place.offset.to_string()));
    headers.push(Header::text("tidegate.claim.size", value.len().to_string()));
    headers.push(Header::text("tidegate.claim.sha256", sha256(value)));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{Copy, DeadLetter, Letter, Origin, Stage};
    use crate::{
        delivery::{Header, Offset, Partition, Place, Positions, Record},
        wire::error::{ErrorCode, WireError},
    };

    const ORIGIN: Origin<'_> = Origin { source: "tides", topic: "posts", bundle: "b1" };

    fn record(value: Option<&[u8]>) -> Record {
        let epoch = Positions::default().assign(Partition(2));
        Record {
            place: Place { partition: Partition(2), offset: Offset(41), epoch },
            timestamp: Some("2026-11-22T10:00:00Z".parse().expect("a time")),
            key: Some(b"author".to_vec()),
            value: value.map(<[u8]>::to_vec),
            headers: vec![
                Header::text("traceparent", "00-ab-cd-01"),
                Header::text("tidegate.error.code", "of an earlier run"),
            ],
        }
    }

    fn dead_letter() -> DeadLetter {
        let mut error = WireError::new(ErrorCode::InvalidSchema, "expected a string");
        error.path = Some("id".into());
        DeadLetter { error, stage: Stage::Decode }
    }

    fn shown(letter: &Letter) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let optional = |bytes: &Option<Vec<u8>>| bytes.as_deref().map_or("none".into(), text);
        let mut shown =
            format!("key: {}\nvalue: {}\n", optional(&letter.key), optional(&letter.value));
        for header in &letter.headers {
            let value = optional(&header.value);
            writeln!(shown, "{}: {value}", header.name).expect("a string takes any text");
        }
        shown.replace(env!("CARGO_PKG_VERSION"), "[version]")
    }

    #[test]
    fn keeps_the_input_and_says_what_is_wrong() {
        let letter = dead_letter().write(&record(Some(b"\xff{")), ORIGIN, Copy::UpTo(900 << 10));
        assert_eq!(letter.value.as_deref(), Some(&b"\xff{"[..]), "bytes untouched");
        insta::assert_snapshot!(shown(&letter), @r"
        key: author
        value: �{
        traceparent: 00-ab-cd-01
        tidegate.error.code: invalid_schema
        tidegate.error.message: expected a string
        tidegate.error.path: id
        tidegate.source.name: tides
        tidegate.source.topic: posts
        tidegate.source.partition: 2
        tidegate.source.offset: 41
        tidegate.source.timestamp: 2026-11-22T10:00:00Z
        tidegate.engine.version: [version]
        tidegate.bundle: b1
        __connect.errors.topic: posts
        __connect.errors.partition: 2
        __connect.errors.offset: 41
        __connect.errors.stage: decode
        __connect.errors.exception.class.name: invalid_schema
        __connect.errors.exception.message: expected a string
        ");
    }

    #[test]
    fn leaves_a_claim_check_where_the_input_is_too_large() {
        let letter =
            dead_letter().write(&record(Some(&[b'x'; 9000])), ORIGIN, Copy::UpTo(16 << 10));
        assert_eq!(letter.key.as_deref(), Some(&b"author"[..]), "key and headers still fit");
        insta::assert_snapshot!(shown(&letter), @r"
        key: author
        value: none
        traceparent: 00-ab-cd-01
        tidegate.error.code: invalid_schema
        tidegate.error.message: expected a string
        tidegate.error.path: id
        tidegate.source.name: tides
        tidegate.source.topic: posts
        tidegate.source.partition: 2
        tidegate.source.offset: 41
        tidegate.source.timestamp: 2026-11-22T10:00:00Z
        tidegate.engine.version: [version]
        tidegate.bundle: b1
        __connect.errors.topic: posts
        __connect.errors.partition: 2
        __connect.errors.offset: 41
        __connect.errors.stage: decode
        __connect.errors.exception.class.name: invalid_schema
        __connect.errors.exception.message: expected a string
        tidegate.claim.topic: posts
        tidegate.claim.partition: 2
        tidegate.claim.offset: 41
        tidegate.claim.size: 9000
        tidegate.claim.sha256: e797e2af6f05c24cdd064793ce60a9d01302d9a3b0e5dff5bb0c046b87f2f668
        ");
    }

    #[test]
    fn is_small_even_where_key_and_headers_are_not() {
        let mut hostile = record(Some(b"{}"));
        hostile.headers.push(Header { name: "x".into(), value: Some(vec![0; 1 << 20]) });
        hostile.key = Some(vec![0; 1 << 20]);
        for copy in [Copy::UpTo(900 << 10), Copy::Nothing] {
            let letter = dead_letter().write(&hostile, ORIGIN, copy);
            assert_eq!((letter.key, letter.value), (None, None));
            let bytes: usize = letter.headers.iter().map(Header::size).sum();
            assert!(bytes < super::OWN_HEADERS_BYTES_MAX, "{bytes} bytes of headers");
        }
    }

    #[test]
    fn a_tombstone_is_no_claim_check() {
        let letter = dead_letter().write(&record(None), ORIGIN, Copy::UpTo(900 << 10));
        assert!(letter.headers.iter().all(|header| !header.name.starts_with("tidegate.claim")));
    }
}
