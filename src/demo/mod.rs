//! The demonstration: a wave of posts through the real worker, and what became of it in plain words.

mod explain;
mod player;
mod summary;
mod wave;

pub use player::{Player, PlayerError};
pub use summary::Summary;
pub use wave::{Wave, WavePost};
