//! `tidegate serve`: moderation over HTTP, without Kafka.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, sync::Arc, thread};

use clap::Args;

use super::{
    PartArgs, config_command,
    exit::{Exit, Failure},
    sources,
};
use crate::{
    bundle::Live,
    config::Config,
    direct::DirectSettings,
    http::{Admin, AdminSettings, BundleDeciders, Door, DoorSettings},
    reload::{self, Hangup, Reloader, Status},
    stop::StopSignal,
    telemetry::{Instruments, LogFormat, ModelStatus, init_logging},
};

/// Where it listens unless it is told.
const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Where to listen; otherwise http.listen of the configuration, else 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The configuration file; searched: ./tidegate.yaml, /etc/tidegate/tidegate.yaml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    parts: PartArgs,
}

pub(super) fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    // Before anything that takes time: a stop request must not find the process without ears.
    let stop = StopSignal::on_termination()
        .map_err(|error| Failure::new(Exit::Internal, format!("signals: {error}")))?;
    let hangup = Hangup::listen()
        .map_err(|error| Failure::new(Exit::Internal, format!("signals: {error}")))?;
    let (_, config) = config_command::read(args.config.as_deref())?;
    init_logging(Some(&config.log_level), LogFormat::for_stderr());
    let instruments = Arc::new(Instruments::new());
    let watched = sources::watched(&args.parts.over(&config))?;
    let (reloader, report) =
        Reloader::open(watched, reload_settings(&config), Arc::clone(&instruments))
            .map_err(sources::refusal)?;
    if stop.is_requested() {
        return Ok(Exit::Done);
    }
    let bundle = reloader.live().now().bundle;
    let versions = Arc::clone(bundle.versions());
    tracing::info!(
        version = crate::engine::VERSION,
        bundle = versions.bundle,
        rules = report.rules.iter().sum::<usize>(),
        models = ?versions.models,
        "tidegate starts"
    );
    instruments.set_bundle(&versions.bundle);
    instruments.set_model_status(match bundle.model() {
        Some(_) => ModelStatus::Scoring,
        None => ModelStatus::NotRouted,
    });
    let listen = args.listen.or(config.http.listen).unwrap_or(LISTEN);
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let settings = door_settings(&config, listen, cores)?;
    let deciding =
        Deciding { live: Arc::clone(reloader.live()), status: Some(Arc::clone(reloader.status())) };
    let _reloading = reloader.start(hangup);
    let door = open(&config, &settings, &deciding, &instruments)?;
    let token = sources::token(config.admin_token_file.as_deref())?;
    let admin = AdminSettings { listen: config.admin_listen, token };
    // It answers until the door is closed.
    let _admin = Admin::start(&admin, door.probes(), &instruments)?;
    door.run(&stop).map(|()| Exit::Done).map_err(Failure::from)
}

/// What decides, and what is told of it.
pub(super) struct Deciding {
    /// What is in force.
    pub(super) live: Arc<Live>,
    /// What operators see of it, where it can change.
    pub(super) status: Option<Arc<Status>>,
}

/// How the configuration wants files to be followed.
pub(super) fn reload_settings(config: &Config) -> reload::Settings {
    reload::Settings {
        watch: config.reload_watch,
        every: config.reload_every,
        settle: config.reload_settle,
        state: config.state_dir.clone(),
    }
}

/// How the configuration wants a door; `threads` where it does not say how many.
pub(super) fn door_settings(
    config: &Config,
    listen: SocketAddr,
    threads: NonZeroUsize,
) -> Result<DoorSettings, Failure> {
    let threads = config.http.threads.unwrap_or(threads);
    Ok(DoorSettings {
        token: sources::token(config.http.token_file.as_deref())?,
        in_flight: config.http.in_flight,
        drain: config.drain_deadline,
        ..DoorSettings::new(listen, threads, config.http.deadline)
    })
}

/// Opens a door that decides under what is in force.
pub(super) fn open(
    config: &Config,
    settings: &DoorSettings,
    deciding: &Deciding,
    instruments: &Arc<Instruments>,
) -> Result<Door, Failure> {
    let direct =
        DirectSettings { limits: config.limits, include_text: config.include_text, at: None };
    let deciders = BundleDeciders::new(Arc::clone(&deciding.live), direct, Arc::clone(instruments))
        .reporting(deciding.status.clone());
    Door::open(settings, Arc::new(deciders), Arc::clone(instruments)).map_err(Failure::from)
}
