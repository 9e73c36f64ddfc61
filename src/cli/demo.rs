//! `tidegate demo`: a wave of posts through the real worker on a broker of its own.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use clap::Args;

use super::{
    PartArgs,
    exit::{Exit, Failure},
    following::Deciding,
    run, sources,
};
use crate::{
    bundle::Live,
    config::{Config, RawConfig},
    demo::{Player, PlayerError, Summary, Wave},
    diagnostic::Diagnostics,
    telemetry::Instruments,
    worker::{
        StopSignal,
        embedded::{EmbeddedBroker, Topic, serve},
    },
};

/// Partitions of each topic.
const PARTITIONS: i32 = 4;
/// How long the whole wave may take.
const DEADLINE: Duration = Duration::from_mins(2);

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How many posts the wave has
    #[arg(long, default_value = "4000")]
    posts: NonZeroUsize,
    /// The wave's seed: the same seed gives the same wave
    #[arg(long, default_value_t = 20_250_113)]
    seed: u64,
    /// Go on with a steady stream after the wave, until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// Posts a second of that stream
    #[arg(long, default_value = "200", requires = "serve")]
    rate: NonZeroUsize,
    #[command(flatten)]
    parts: PartArgs,
}

pub(super) fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let (loaded, _) = sources::load_bundle(&args.parts)?;
    let bundle = Arc::new(loaded.bundle);
    let topics = ["posts", "decisions", "posts.dead-letters"];
    let broker = EmbeddedBroker::start(&topics.map(|name| Topic { name, partitions: PARTITIONS }))
        .map_err(|error| Failure::new(Exit::Unavailable, error.to_string()))?;
    let config = configuration(broker.brokers())?;
    let mut player = Player::new(broker.brokers(), topics[0], &topics[1..], PARTITIONS)
        .map_err(|error| Failure::new(Exit::Unavailable, error.to_string()))?;

    let count = args.posts.get();
    let rules = bundle.rules().scanned().count();
    anstream::println!("Tidegate: {rules} rules, models {:?}", bundle.versions().models);
    anstream::println!("A wave of {count} posts by newcomers and locals arrives …");
    let stop = StopSignal::on_termination()
        .map_err(|error| Failure::new(Exit::Internal, format!("signals: {error}")))?;
    let worker = {
        let (config, stop) = (config.clone(), stop.clone());
        let instruments = Arc::new(Instruments::new());
        let live = Arc::new(Live::new(bundle));
        let deciding = Deciding { live, status: None };
        thread::spawn(move || run::start(&config, "demo".to_owned(), deciding, instruments, stop))
    };
    let ended = || stop.is_requested() || worker.is_finished();
    let played = play(args, &mut player, &ended, &config);
    let interrupted = stop.is_requested();
    stop.request();
    // A worker that failed says why; what the player then missed follows from it.
    let exit = worker.join().map_err(|_| Failure::new(Exit::Internal, "the worker panicked"))??;
    match played {
        Err(error) if !interrupted => Err(Failure::new(Exit::Internal, error.to_string())),
        _ => Ok(exit),
    }
}

/// Is the embedded broker of a demonstration.
pub(super) fn hold_broker(topics: &[String]) -> Result<Exit, Failure> {
    serve(topics).map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    Ok(Exit::Done)
}

/// The worker's configuration: the defaults, and the embedded broker.
fn configuration(brokers: &str) -> Result<Config, Failure> {
    let mut out = Diagnostics::default();
    let brokers = [("TIDEGATE__KAFKA__BROKERS".to_owned(), brokers.to_owned())];
    let raw = RawConfig::read(None, brokers, &mut out);
    let config = Config::validate(&raw, &mut out);
    config.ok_or_else(|| Failure::new(Exit::Internal, "the default configuration is not valid"))
}

fn play(
    args: &DemoArgs,
    player: &mut Player,
    ended: &dyn Fn() -> bool,
    config: &Config,
) -> Result<(), PlayerError> {
    let mut wave = Wave::new(args.seed);
    let mut texts = BTreeMap::new();
    for post in wave.by_ref().take(args.posts.get()) {
        player.send(&post)?;
        texts.insert(post.id, post.text);
    }
    player.flush()?;
    let mut summary = Summary::default();
    let add = |output: &[u8]| summary.add(output, |id| texts.get(id).map(String::as_str));
    player.receive_all(DEADLINE, add, ended)?;
    anstream::println!("\n{summary}");
    anstream::println!("{}", where_next(config, args.serve));
    if args.serve { stream(args, wave, player, ended) } else { Ok(()) }
}

/// A steady stream, with a line every few seconds.
fn stream(
    args: &DemoArgs,
    mut wave: Wave,
    player: &mut Player,
    ended: &dyn Fn() -> bool,
) -> Result<(), PlayerError> {
    let pause = Duration::from_secs(1) / u32::try_from(args.rate.get()).unwrap_or(u32::MAX);
    let (mut due, mut said) = (Instant::now(), Instant::now());
    let mut summary = Summary::default();
    while !ended() {
        while due <= Instant::now() {
            due += pause;
            let post = wave.next().expect("the wave is endless");
            player.send(&post)?;
        }
        if let Some(output) = player.receive()? {
            summary.add(&output, |_| None);
        }
        if said.elapsed() >= Duration::from_secs(5) {
            said = Instant::now();
            anstream::println!("{} more posts decided", summary.decisions());
        }
    }
    Ok(())
}

fn where_next(config: &Config, serving: bool) -> String {
    let metrics = match config.admin_listen {
        Some(address) if serving => format!("metrics now      http://{address}/metrics"),
        _ => {
            "watch it         make demo ARGS=--serve, then http://127.0.0.1:9464/metrics".to_owned()
        }
    };
    format!(
        "Where to look next\n\
         \x20 {metrics}\n\
         \x20 try a post       printf '{{\"id\":\"1\",\"text\":\"加 微 信 abc123 带你投资\"}}\\n' | \
         target/release/tidegate moderate\n\
         \x20 change a rule    rules/packs/scam_fraud.yaml, then tidegate rules check\n\
         \x20 change a law     rules/policies/de.yaml\n\
         \x20 plug it in       README.md, “Plugging it in”"
    )
}
