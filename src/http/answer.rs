//! How a request is refused: the status of its code and the error object of every door.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::wire::{ErrorCode, WireError};

/// Seconds after which a client that was turned away may try again.
const RETRY_AFTER: &str = "1";

/// A request that is not answered with decisions.
pub(super) struct Refusal(pub(super) WireError);

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(WireError::new(code, message))
    }
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    /// The response, with the code as an extension for whoever counts.
    fn into_response(self) -> Response {
        let Self(error) = self;
        let mut response = json(error.to_json().into_bytes());
        *response.status_mut() =
            StatusCode::from_u16(error.code.http_status()).expect("the table holds statuses");
        if let Some((name, value)) = header_of(error.code) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response.extensions_mut().insert(error.code);
        response
    }
}

/// A whole JSON text as a response; its line end is for people at a terminal.
pub(super) fn json(mut text: Vec<u8>) -> Response {
    text.push(b'\n');
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// What a client needs to know beside the code.
fn header_of(code: ErrorCode) -> Option<(HeaderName, &'static str)> {
    match code {
        ErrorCode::Overloaded | ErrorCode::DeadlineExceeded => {
            Some((header::RETRY_AFTER, RETRY_AFTER))
        }
        ErrorCode::Unauthorized => Some((header::WWW_AUTHENTICATE, "Bearer")),
        ErrorCode::UnsupportedMediaType => Some((header::ACCEPT, "application/json")),
        // The rest of the body was not read, so the next request cannot be found.
        ErrorCode::TooLarge | ErrorCode::RequestTimeout => Some((header::CONNECTION, "close")),
        _ => None,
    }
}
