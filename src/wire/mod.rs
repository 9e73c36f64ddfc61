//! The contract with the platform: posts in, decisions and dead letters out, as JSON of version 1.
//!
//! Core types do not derive a format, because a derived format becomes a promise; the promises are
//! here, one file each.

pub mod dead_letter;
mod decision_id;
mod decision_v1;
pub mod error;
mod post_v1;

pub use decision_id::{DecisionId, Origin, canonical};
pub use decision_v1::{Published, encode_decision};
pub use error::{ErrorCode, WireError};
pub use post_v1::{Decoded, Limits, decode_post, decode_value};
