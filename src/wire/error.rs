//! Why a record or a request could not be decided about, in the one form of every door.

use serde::Serialize;

/// Most bytes of an error's message; it never holds a post's text.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// What is wrong with an input. The names are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// The record is over `limits.record_bytes`.
    TooLarge,
    /// Its bytes are no UTF-8.
    InvalidUtf8,
    /// It is no JSON.
    InvalidJson,
    /// It is JSON, but no post.
    InvalidSchema,
    /// Its JSON is nested beyond `limits.json_depth`.
    TooDeep,
    /// It has no value.
    Empty,
    /// An edit or a delete without a revision of 1 or more.
    MissingRevision,
    /// Tidegate failed on it: a bug.
    Panic,
    /// The broker does not take a decision of its size.
    DecisionTooLarge,
    /// A request brings no token, or the wrong one.
    Unauthorized,
    /// Nothing answers at the path of a request.
    NotFound,
    /// The path of a request answers other methods.
    MethodNotAllowed,
    /// The body of a request took too long to arrive.
    RequestTimeout,
    /// The body of a request is not declared to be JSON.
    UnsupportedMediaType,
    /// A request brings more posts than one may.
    TooManyPosts,
    /// As many requests as may be are in flight.
    Overloaded,
    /// A request could not be answered within its deadline.
    DeadlineExceeded,
}

impl ErrorCode {
    /// What a record can be a dead letter for.
    pub const OF_RECORDS: [Self; 9] = [
        Self::TooLarge,
        Self::InvalidUtf8,
        Self::InvalidJson,
        Self::InvalidSchema,
        Self::TooDeep,
        Self::Empty,
        Self::MissingRevision,
        Self::Panic,
        Self::DecisionTooLarge,
    ];

    /// What a request can be refused for, beside what is wrong with its posts.
    pub const OF_REQUESTS: [Self; 8] = [
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::UnsupportedMediaType,
        Self::TooManyPosts,
        Self::Overloaded,
        Self::DeadlineExceeded,
    ];

    /// The name on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::InvalidJson => "invalid_json",
            Self::InvalidSchema => "invalid_schema",
            Self::TooDeep => "too_deep",
            Self::Empty => "empty",
            Self::MissingRevision => "missing_revision",
            Self::Panic => "panic",
            Self::DecisionTooLarge => "decision_too_large",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooManyPosts => "too_many_posts",
            Self::Overloaded => "overloaded",
            Self::DeadlineExceeded => "deadline_exceeded",
        }
    }

    /// The status of an HTTP answer that says this of a whole request.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidUtf8 | Self::InvalidJson | Self::TooDeep | Self::Empty => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::TooLarge | Self::TooManyPosts => 413,
            Self::UnsupportedMediaType => 415,
            Self::InvalidSchema | Self::MissingRevision => 422,
            Self::Panic | Self::DecisionTooLarge => 500,
            Self::Overloaded | Self::DeadlineExceeded => 503,
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct WireError {
    /// What is wrong.
    pub code: ErrorCode,
    /// The same in words, at most [`MESSAGE_BYTES_MAX`], without a post's text.
    pub message: String,
    /// The place in the JSON, as `audience[2]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line of the input, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The post, when its id could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_id: Option<String>,
}

impl WireError {
    /// An error without a place; its message is cut to [`MESSAGE_BYTES_MAX`].
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        Self { code, message, path: None, line: None, post_id: None }
    }

    /// The same with its place in the JSON.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The error as a door answers it: `{"error": {…}}`.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Envelope<'a> {
            error: &'a WireError,
        }
        serde_json::to_string(&Envelope { error: self }).expect("strings and numbers serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorCode, MESSAGE_BYTES_MAX, WireError};

    #[test]
    fn an_error_reads_the_same_at_every_door() {
        let mut error = WireError::new(ErrorCode::InvalidSchema, "expected a string");
        error.path = Some("audience[2]".into());
        assert_eq!(
            error.to_json(),
            r#"{"error":{"code":"invalid_schema","message":"expected a string","path":"audience[2]"}}"#
        );
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let error = WireError::new(ErrorCode::Panic, "長".repeat(1000));
        assert!(error.message.len() <= MESSAGE_BYTES_MAX);
        assert!(error.message.chars().all(|c| c == '長'));
    }
}
