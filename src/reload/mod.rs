//! The bundle that follows its files while posts are decided.
//!
//! A thread looks at the rules folders, the models and the rollback file, at every interval and on
//! SIGHUP. What has changed and was then left alone is built aside through every gate, and put in
//! force whole: judges follow between two chunks of a batch. Whatever is refused leaves the old bundle
//! in force, is logged once, counted, and shown to operators. Emergency files are read apart from the
//! bundle and come into force even where the bundle beside them is refused.
//!
//! It knows nothing of Kafka or HTTP: a door gets a [`Live`] to look at and a [`Status`] to show.

mod fingerprint;
mod kept;
mod reloader;
mod settle;
mod status;
mod store;
mod watched;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub use kept::{Kept, KeptFile, KeptLayer, KeptModel, Left, Pin, Why};
pub use reloader::{Refusal, Reloader, Running, build_kept};
pub use status::{Emergency, OverrideView, Pinned, Problem, Refused, Status, View};
pub use store::{BUNDLES_MAX, Store, StoreError};
pub use watched::{Watched, read_overrides};

#[cfg(doc)]
use crate::bundle::Live;

/// How files are watched.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether changed files are noticed without SIGHUP. A rollback and the emergency files always
    /// are.
    pub watch: bool,
    /// How often files are looked at.
    pub every: Duration,
    /// How long they must have been left alone.
    pub settle: Duration,
    /// Where bundles are kept.
    pub state: PathBuf,
}

/// The operator's wish for a reload at once: SIGHUP.
#[derive(Debug, Clone, Default)]
pub struct Hangup(Arc<AtomicBool>);

impl Hangup {
    /// Listens to SIGHUP, which would end the process otherwise.
    pub fn listen() -> io::Result<Self> {
        let hangup = Self::default();
        signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&hangup.0))?;
        Ok(hangup)
    }

    /// Whether it was asked for since the last time somebody looked.
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests;
