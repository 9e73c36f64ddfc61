//! What `run` and `serve` share: ears for signals, and a bundle that follows its files.

use std::sync::Arc;

use super::{
    PartArgs,
    exit::{Exit, Failure},
    sources,
};
use crate::{
    bundle::{Live, Report},
    config::Config,
    reload::{Hangup, Reloader, Settings, Status},
    stop::StopSignal,
    telemetry::Instruments,
};

/// The signals that a program which stays listens to.
pub(super) struct Signals {
    /// SIGTERM and SIGINT.
    pub(super) stop: StopSignal,
    /// SIGHUP.
    pub(super) hangup: Hangup,
}

impl Signals {
    /// Listens. Before anything that takes time: a signal must not find the process without ears.
    pub(super) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::new(Exit::Internal, format!("signals: {error}"));
        let stop = StopSignal::on_termination().map_err(failed)?;
        let hangup = Hangup::listen().map_err(failed)?;
        Ok(Self { stop, hangup })
    }
}

/// What decides, and what is told of it.
pub(super) struct Deciding {
    /// What is in force.
    pub(super) live: Arc<Live>,
    /// What operators see of it, where it can change.
    pub(super) status: Option<Arc<Status>>,
}

impl Deciding {
    /// What a reloader keeps in force.
    pub(super) fn following(reloader: &Reloader) -> Self {
        let status = Some(Arc::clone(reloader.status()));
        Self { live: Arc::clone(reloader.live()), status }
    }
}

/// Loads what the configuration and the arguments describe, ready to be followed.
pub(super) fn open(
    config: &Config,
    parts: &PartArgs,
    instruments: &Arc<Instruments>,
) -> Result<(Reloader, Report), Failure> {
    let settings = Settings {
        watch: config.reload_watch,
        every: config.reload_every,
        settle: config.reload_settle,
        state: config.state_dir.clone(),
    };
    let watched = sources::watched(&parts.over(config))?;
    Reloader::open(watched, settings, Arc::clone(instruments)).map_err(sources::refusal)
}

/// The first line of the log: what decides.
pub(super) fn announce(deciding: &Deciding, report: &Report) {
    let versions = Arc::clone(deciding.live.now().bundle.versions());
    tracing::info!(
        version = crate::engine::VERSION,
        bundle = versions.bundle,
        rules = report.rules.iter().sum::<usize>(),
        models = ?versions.models,
        "tidegate starts"
    );
}
