//! What operators see: metrics and logs. Never a post's text, key or author.

mod counts;
mod instruments;
mod labels;
mod logging;

pub use counts::Counts;
pub use instruments::Instruments;
pub use labels::{ModelStatus, Reload, Stage};
pub use logging::{LogFormat, init as init_logging};
