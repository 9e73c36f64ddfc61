//! `tidegate dead-letters list|show|replay`: what could not be decided about, and how it comes back.

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{
    Format, config_command, dead_letters_shown as shown,
    exit::{Exit, Failure},
};
use crate::{
    config::Config,
    worker::letters::{
        Counts, Filter, LetterTopic, LettersError, Replay, Replayed, Skipped, Stored,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum DeadLettersCommand {
    /// Count dead letters by code and reason, and show the latest
    List(ListArgs),
    /// Show one dead letter: its headers, and on request its value
    Show(ShowArgs),
    /// Send posts to the posts topic once more, each a limited number of times
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// The configuration file; searched: ./tidegate.yaml, /etc/tidegate/tidegate.yaml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Which dead letters are meant.
#[derive(Debug, Args)]
struct FilterArgs {
    /// Only those with this code, such as `invalid_schema`
    #[arg(long)]
    code: Option<String>,
    /// Only those of this partition of the dead-letter topic
    #[arg(long)]
    partition: Option<i32>,
    /// Only those written at this time or later, such as 2026-11-22T10:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only those written before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// How many of the latest are shown one by one
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = up_to_ten_thousand)]
    last: usize,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Its place in the dead-letter topic
    #[arg(value_name = "PARTITION:OFFSET", value_parser = place)]
    place: (i32, i64),
    #[command(flatten)]
    config: ConfigArgs,
    /// Print its key and value too: an author's id and words
    #[arg(long)]
    value: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// Only this one, by its place in the dead-letter topic
    #[arg(long, value_name = "PARTITION:OFFSET", value_parser = place)]
    place: Option<(i32, i64)>,
    /// How often a post is sent again at most
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    max_attempts: u32,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(command: &DeadLettersCommand) -> Result<Exit, Failure> {
    match command {
        DeadLettersCommand::List(args) => list(args),
        DeadLettersCommand::Show(args) => show(args),
        DeadLettersCommand::Replay(args) => replay(args),
    }
}

fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let (topic, _) = open(&args.config)?;
    let filter = filter(&args.filter);
    let mut counts = Counts::default();
    let mut latest: VecDeque<Stored> = VecDeque::new();
    let take = |letter: Stored| {
        if filter.fits(&letter) {
            counts.add(&letter);
            // Only what is shown is kept, and none of the values.
            let bytes = letter.value.as_ref().map(Vec::len);
            latest.push_back(Stored { value: None, ..shown::with_size(letter, bytes) });
            if latest.len() > args.last.max(1) * PARTITIONS_HELD {
                shrink(&mut latest, args.last);
            }
        }
        Ok(())
    };
    topic.each(take).map_err(Failure::from)?;
    shrink(&mut latest, args.last);
    let text = match args.format {
        Format::Human => shown::human(topic.name(), &counts, &latest),
        Format::Json => shown::json(topic.name(), &counts, &latest),
    };
    anstream::print!("{text}");
    Ok(Exit::Done)
}

/// The topic is walked through partition by partition; the latest of all are sorted out in between.
const PARTITIONS_HELD: usize = 2;

/// Keeps the latest `last`, the oldest first.
fn shrink(latest: &mut VecDeque<Stored>, last: usize) {
    let time = |letter: &Stored| (letter.timestamp, letter.partition, letter.offset);
    latest.make_contiguous().sort_by_key(time);
    latest.drain(..latest.len().saturating_sub(last));
}

fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let (topic, _) = open(&args.config)?;
    let letter = one(&topic, args.place)?;
    anstream::print!("{}", shown::one(topic.name(), &letter, args.value));
    Ok(Exit::Done)
}

fn replay(args: &ReplayArgs) -> Result<Exit, Failure> {
    let (topic, config) = open(&args.config)?;
    let replay = Replay::open(&config.kafka, &config.topics, args.max_attempts);
    let replay = replay.map_err(Failure::from)?;
    let filter = filter(&args.filter);
    let (mut sent, mut skipped) = (0_usize, BTreeMap::<Skipped, usize>::new());
    let mut take = |letter: Stored| {
        if !filter.fits(&letter) {
            return Ok(());
        }
        let replayed = if args.dry_run {
            let post = replay.post(&letter, topic.name())?;
            post.map_or_else(Replayed::Skipped, |_| Replayed::Sent)
        } else {
            replay.send(&letter, topic.name())?
        };
        match replayed {
            Replayed::Sent => sent += 1,
            Replayed::Skipped(why) => *skipped.entry(why).or_default() += 1,
        }
        Ok(())
    };
    match args.place {
        Some(place) => take(one(&topic, place)?),
        None => topic.each(take),
    }
    .map_err(Failure::from)?;
    let stored = replay.finish().map_err(Failure::from)?;
    debug_assert!(args.dry_run || stored == sent, "every record that was taken is reported");
    let posts = &config.topics.posts;
    let verb = if args.dry_run { "would be sent" } else { "sent" };
    anstream::println!("{sent} posts {verb} to {posts} once more");
    for (why, count) in &skipped {
        anstream::println!("{count} left where they are: {why}");
    }
    Ok(if skipped.is_empty() { Exit::Done } else { Exit::BadData })
}

fn open(args: &ConfigArgs) -> Result<(LetterTopic, Config), Failure> {
    let (_, config) = config_command::read(args.config.as_deref())?;
    let topic = LetterTopic::open(&config.kafka, &config.topics.dead_letters);
    Ok((topic.map_err(Failure::from)?, config))
}

fn one(topic: &LetterTopic, (partition, offset): (i32, i64)) -> Result<Stored, Failure> {
    topic.at(partition, offset).map_err(Failure::from)?.ok_or_else(|| {
        let sentence =
            format!("there is no dead letter at {partition}:{offset} of {}", topic.name());
        Failure::new(Exit::NoInput, sentence)
    })
}

fn filter(args: &FilterArgs) -> Filter {
    Filter {
        code: args.code.clone(),
        partition: args.partition,
        from: args.from,
        until: args.until,
    }
}

impl From<LettersError> for Failure {
    fn from(error: LettersError) -> Self {
        let exit = match error {
            LettersError::NoTopic(_) => Exit::Configuration,
            LettersError::Kafka { .. } | LettersError::Silent(_) | LettersError::NotSent(_) => {
                Exit::Unavailable
            }
        };
        Self::new(exit, error.to_string())
    }
}

fn place(text: &str) -> Result<(i32, i64), String> {
    let parsed = text
        .split_once(':')
        .and_then(|(partition, offset)| Some((partition.parse().ok()?, offset.parse().ok()?)));
    parsed.ok_or_else(|| "a place is PARTITION:OFFSET, such as 0:1234".to_owned())
}

fn up_to_ten_thousand(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number| number <= 10_000);
    number.ok_or_else(|| "a number up to 10000".to_owned())
}
