//! The description of the door for machines, as it is shipped.

use axum::{http::header, response::IntoResponse};

/// `docs/openapi.json`, in the form of `OpenAPI` 3.1.
pub const DOCUMENT: &str = include_str!("../../docs/openapi.json");

pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
