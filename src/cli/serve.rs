//! `tidegate serve`: moderation over HTTP, without Kafka.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, sync::Arc, thread};

use clap::Args;

use super::{
    PartArgs, config_command,
    exit::{Exit, Failure},
    following::{self, Deciding, Signals},
    sources,
};
use crate::{
    config::Config,
    direct::DirectSettings,
    http::{Admin, AdminSettings, BundleDeciders, Door, DoorSettings},
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
    let Signals { stop, hangup } = Signals::listen()?;
    let (_, config) = config_command::read(args.config.as_deref())?;
    init_logging(Some(&config.log_level), LogFormat::for_stderr());
    let instruments = Arc::new(Instruments::new());
    let (reloader, report) = following::open(&config, &args.parts, &instruments)?;
    if stop.is_requested() {
        return Ok(Exit::Done);
    }
    let deciding = Deciding::following(&reloader);
    following::announce(&deciding, &report);
    let routed = deciding.live.now().bundle.model().is_some();
    instruments.set_model_status(ModelStatus::at_start(routed));
    let listen = args.listen.or(config.http.listen).unwrap_or(LISTEN);
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let settings = door_settings(&config, listen, cores)?;
    let _reloading = reloader.start(hangup);
    let door = open(&config, &settings, &deciding, &instruments)?;
    let token = sources::token(config.admin_token_file.as_deref())?;
    let admin = AdminSettings { listen: config.admin_listen, token };
    // It answers until the door is closed.
    let _admin = Admin::start(&admin, door.probes(), &instruments)?;
    door.run(&stop).map(|()| Exit::Done).map_err(Failure::from)
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
