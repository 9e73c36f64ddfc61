//! HTTP: moderation for who asks instead of streaming, metrics and probes for operators.
//!
//! ```text
//! connections ─request→ door ─job→ pool of deciders ─answers→ door ─response→ connections
//! ```
//!
//! A client may be slow, rude or gone: heads, bodies, connections, requests in flight and waiting all
//! have limits, and what is beyond is answered with a status and the error object of every door. A
//! request whose client has left or whose time is over is not begun any more. Nothing here knows
//! Kafka; nothing is published, no budget is spent.

mod admin;
mod answer;
mod body;
mod decide;
mod door;
mod moderate;
mod openapi;
mod pool;
mod server;
mod token;

pub use admin::{Admin, AdminSettings, Probes};
pub use body::{BODY_BYTES_MAX, POSTS_MAX};
pub use decide::{BundleDeciders, Decider, DeciderError, DeciderFactory};
pub use door::{Door, DoorSettings};
pub use openapi::DOCUMENT;
pub use server::ClientLimits;
