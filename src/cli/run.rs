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
    serve, sources,
};
use crate::{
    bundle::{Bundle, Live},
    config::Config,
    delivery::BatchLimits,
    telemetry::{Instruments, LogFormat, init_logging},
    worker::{
        self, AdminSettings, Deadlines, ModerationSettings, ModeratorFactory, Stop, StopSignal,
        WorkerSettings,
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
    // Before anything that takes time: a stop request must not find the process without ears.
    let stop = StopSignal::on_termination()
        .map_err(|error| Failure::new(Exit::Internal, format!("signals: {error}")))?;
    let (_, config) = config_command::read(args.config.as_deref())?;
    let Some(source) = config.source_name.clone() else {
        let message = "source.name is missing: it is part of every decision's id; \
                       write `source: {name: my-platform}` into tidegate.yaml";
        return Err(Failure::new(Exit::Configuration, message));
    };
    init_logging(Some(&config.log_level), LogFormat::for_stderr());
    let parts = args.parts.over(&config);
    let loaded = sources::load_bundle(&parts)?;
    let bundle = Arc::new(loaded.bundle);
    tracing::info!(
        version = crate::engine::VERSION,
        bundle = bundle.versions().bundle,
        rules = loaded.report.rules.iter().sum::<usize>(),
        models = ?bundle.versions().models,
        "tidegate starts"
    );
    start(&config, source, bundle, Arc::new(Instruments::new()), stop)
}

/// Threads of the door beside a worker, which needs the cores itself.
const DOOR_THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

/// Runs the worker of a configuration until it is told to stop, with a door beside it where one is
/// configured.
pub(super) fn start(
    config: &Config,
    source: String,
    bundle: Arc<Bundle>,
    instruments: Arc<Instruments>,
    stop: StopSignal,
) -> Result<Exit, Failure> {
    let token = sources::token(config.admin_token_file.as_deref())?;
    let settings = worker_settings(config, source, token);
    let moderation = ModerationSettings {
        source: settings.source.clone(),
        topic: settings.topics.posts.clone(),
        limits: config.limits,
        include_text: config.include_text,
    };
    let live = Arc::new(Live::new(bundle));
    let door = door(config, &live, &instruments, &stop)?;
    let judges = ModeratorFactory::new(live, moderation, Arc::clone(&instruments));
    let end = stop.clone();
    let worker = worker::run(settings, Arc::new(judges), instruments, stop);
    end.request();
    let door = door.map_or(Ok(()), |door| door.join().expect("a door does not panic"));
    worker.and(door).map(|()| Exit::Done).map_err(Failure::from)
}

/// Opens a door on a thread of its own, where one is configured. One that fails ends the worker too.
fn door(
    config: &Config,
    live: &Arc<Live>,
    instruments: &Arc<Instruments>,
    stop: &StopSignal,
) -> Result<Option<JoinHandle<Result<(), Stop>>>, Failure> {
    let Some(listen) = config.http.listen else { return Ok(None) };
    let settings = serve::door_settings(config, listen, DOOR_THREADS)?;
    let door = serve::open(config, &settings, live, instruments)?;
    let stop = stop.clone();
    let run = move || {
        let ended = door.run(&stop);
        stop.request();
        ended
    };
    let thread = thread::Builder::new().name("door".into()).spawn(run);
    Ok(Some(thread.expect("the system starts threads")))
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
        threads: config
            .threads
            .or_else(|| thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN),
        give_up: config.publish_give_up,
        dead_letter_bytes: config.dead_letter_max_bytes,
        admin: AdminSettings { listen: config.admin_listen, token },
        deadlines: Deadlines {
            start: config.startup_deadline,
            revoke: config.drain_deadline,
            drain: config.drain_deadline,
            ..Deadlines::default()
        },
    }
}
