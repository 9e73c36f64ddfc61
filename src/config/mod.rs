//! The configuration: read once at start, every mistake reported at once.
//!
//! Nothing else reads the environment. Values stay texts with their origin ([`RawConfig`]) until they
//! become a [`Config`] in which everything that is there is valid.

pub mod kafka;
mod raw;
mod settings;
mod validated;

pub use raw::{Origin, RawConfig, Value};
pub use settings::{SETTINGS, Setting, find, variable};
pub use validated::{BreakerSettings, Config, HttpConfig, Topics};
