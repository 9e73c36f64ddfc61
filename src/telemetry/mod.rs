//! What operators see: metrics and logs. Never a post's text, key or author.

mod counts;
mod instruments;
mod labels;
mod logging;
mod models;

pub use counts::Counts;
pub use instruments::Instruments;
pub use labels::{ModelStatus, OpinionResult, Reload, Stage, TransactionEnd, TrialResult};
pub use logging::{LogFormat, init as init_logging};
pub use models::model_observer;
