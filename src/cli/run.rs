//! `tidegate run`: the worker on Kafka.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};

use clap::Args;

use super::{
    PartArgs, config_command,
    exit::{Exit, Failure},
    following::{self, Deciding, Signals},
    serve, sources,
};
use crate::{
    config::Config,
    delivery::{BatchLimits, TransactionLimits},
    http::Probes,
    telemetry::{Instruments, LogFormat, init_logging},
    worker::{
        self, AdminSettings, Beside, Deadlines, ModerationSettings, ModeratorFactory, Stop,
        StopSignal, WorkerSettings,
    },
};

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The configuration file; searched: ./tidegate.yaml, /etc/tidegate/tidegate.yaml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    parts: PartArgs,
}

pub(super) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let Signals { stop, hangup } = Signals::listen()?;
    let (_, config) = config_command::read(args.config.as_deref())?;
    let Some(source) = config.source_name.clone() else {
        let message = "source.name is missing: it is part of every decision's id; \
                       write `source: {name: my-platform}` into tidegate.yaml";
        return Err(Failure::new(Exit::Configuration, message));
    };
    init_logging(Some(&config.log_level), LogFormat::for_stderr());
    let instruments = Arc::new(Instruments::new());
    let (reloader, report) = following::open(&config, &args.parts, &instruments)?;
    let deciding = Deciding::following(&reloader);
    following::announce(&deciding, &report);
    let _reloading = reloader.start(hangup);
    start(&config, source, deciding, instruments, stop)
}

/// Threads of the door beside a worker, which needs the cores itself.
const DOOR_THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

/// Runs the worker of a configuration until it is told to stop, with a door beside it where one is
/// configured.
pub(super) fn start(
    config: &Config,
    source: String,
    deciding: Deciding,
    instruments: Arc<Instruments>,
    stop: StopSignal,
) -> Result<Exit, Failure> {
    let token = sources::token(config.admin_token_file.as_deref())?;
    let mut settings = worker_settings(config, source, token);
    let moderation = ModerationSettings {
        source: settings.source.clone(),
        topic: settings.topics.posts.clone(),
        limits: config.limits,
        include_text: config.include_text,
    };
    let door = door(config, &deciding, &instruments, &stop)?;
    settings.beside = Beside(door.as_ref().map(|(_, probes)| Arc::clone(probes)));
    let judges = ModeratorFactory::new(deciding.live, moderation, Arc::clone(&instruments))
        .on_threads(settings.threads);
    let judges = match deciding.status {
        Some(status) => judges.reporting(status),
        None => judges,
    };
    let end = stop.clone();
    let worker = worker::run(settings, Arc::new(judges), instruments, stop);
    end.request();
    let door = door.map_or(Ok(()), |(door, _)| door.join().expect("a door does not panic"));
    worker.and(door).map(|()| Exit::Done).map_err(Failure::from)
}

/// A door on a thread of its own, and what it tells about itself.
type Opened = (JoinHandle<Result<(), Stop>>, Arc<dyn Probes>);

/// Opens a door, where one is configured. One that fails ends the worker too.
fn door(
    config: &Config,
    deciding: &Deciding,
    instruments: &Arc<Instruments>,
    stop: &StopSignal,
) -> Result<Option<Opened>, Failure> {
    let Some(listen) = config.http.listen else { return Ok(None) };
    let settings = serve::door_settings(config, listen, DOOR_THREADS)?;
    let door = serve::open(config, &settings, deciding, instruments)?;
    let (stop, probes) = (stop.clone(), door.probes());
    let run = move || {
        let ended = door.run(&stop);
        stop.request();
        ended
    };
    let thread = thread::Builder::new().name("door".into()).spawn(run);
    Ok(Some((thread.expect("the system starts threads"), probes)))
}

fn worker_settings(config: &Config, source: String, token: Option<String>) -> WorkerSettings {
    WorkerSettings {
        source,
        kafka: config.kafka.clone(),
        topics: config.topics.clone(),
        batch: BatchLimits {
            max_records: config.batch_max_records.get(),
            max_bytes: config.batch_max_bytes,
            linger: config.batch_linger,
        },
        batches_in_flight: config.batches_in_flight,
        transaction: TransactionLimits::default(),
        threads: config
            .threads
            .or_else(|| thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN),
        give_up: config.publish_give_up,
        dead_letter_bytes: config.dead_letter_max_bytes,
        breaker: config.breaker,
        admin: AdminSettings { listen: config.admin_listen, token },
        beside: Beside::default(),
        deadlines: Deadlines {
            start: config.startup_deadline,
            revoke: config.drain_deadline,
            drain: config.drain_deadline,
            ..Deadlines::default()
        },
    }
}
