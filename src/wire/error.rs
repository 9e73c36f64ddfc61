//! What is wrong with a record or a request: the same codes on every door and in dead letters.

use serde::Serialize;

/// Why input was not decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// More bytes than `limits.record_bytes`; it was not parsed.
    TooLarge,
    /// Not UTF-8.
    InvalidUtf8,
    /// Not JSON.
    InvalidJson,
    /// Nested deeper than `limits.json_depth`.
    TooDeep,
    /// JSON, but no post: a missing or wrong value.
    InvalidSchema,
    /// A record without a value.
    Empty,
    /// An edit or delete that does not say which revision it is.
    MissingRevision,
    /// A bug: the engine panicked over this post.
    Panic,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::TooLarge,
        Self::InvalidUtf8,
        Self::InvalidJson,
        Self::TooDeep,
        Self::InvalidSchema,
        Self::Empty,
        Self::MissingRevision,
        Self::Panic,
    ];

    /// The name on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::InvalidJson => "invalid_json",
            Self::TooDeep => "too_deep",
            Self::InvalidSchema => "invalid_schema",
            Self::Empty => "empty",
            Self::MissingRevision => "missing_revision",
            Self::Panic => "panic",
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing wrong with one input. The message never holds text of the post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct WireError {
    /// The kind.
    pub code: ErrorCode,
    /// One sentence without a full stop.
    pub message: String,
    /// Where in the JSON, such as `author.trust`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line of the input, from 1, where the input has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The post's id, when it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_id: Option<String>,
}

impl WireError {
    /// An error with nothing but its kind and a sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: None, line: None, post_id: None }
    }

    /// The same with the place in the JSON.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The error object of every door: `{"error": {…}}`.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a WireError,
        }
        serde_json::to_string(&Body { error: self }).expect("an error object is plain JSON")
    }
}
