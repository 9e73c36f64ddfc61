//! `tidegate bundle list|show|rollback`: the last bundles, and the way back to one of them.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{
    PartArgs,
    exit::{Exit, Failure},
    sources,
};
use crate::reload::{Kept, Pin, Store, StoreError, build_kept};

/// How much of a hash is shown in lists; it is enough to name one of twenty.
const SHORT: usize = 12;

#[derive(Debug, Subcommand)]
pub(super) enum BundleCommand {
    /// The last bundles that were in force, the latest first
    List(ListArgs),
    /// What one of them is made of
    Show(ShowArgs),
    /// Put one of them in force, at once and at every start, until it is released
    Rollback(RollbackArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    state: StateArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Its hash, or the beginning of it
    hash: String,
    #[command(flatten)]
    state: StateArgs,
}

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// Its hash, or the beginning of it
    #[arg(required_unless_present = "release")]
    hash: Option<String>,
    /// End the rollback: what the folders hold comes into force again
    #[arg(long, conflicts_with = "hash")]
    release: bool,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    parts: PartArgs,
}

/// Where bundles are kept.
#[derive(Debug, Args)]
pub(super) struct StateArgs {
    /// The configuration file whose state.dir is meant; searched: ./tidegate.yaml,
    /// /etc/tidegate/tidegate.yaml
    #[cfg(feature = "kafka")]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder itself
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
}

impl StateArgs {
    #[cfg(feature = "kafka")]
    fn store(&self) -> Result<Store, Failure> {
        let configured = || -> Result<PathBuf, Failure> {
            let (_, config) = super::config_command::read(self.config.as_deref())?;
            Ok(config.state_dir)
        };
        Ok(Store::below(&self.state.clone().map_or_else(configured, Ok)?))
    }

    #[cfg(not(feature = "kafka"))]
    fn store(&self) -> Result<Store, Failure> {
        let missing = || Failure::new(Exit::NoInput, "say where bundles are kept: --state FOLDER");
        Ok(Store::below(self.state.as_deref().ok_or_else(missing)?))
    }
}

pub(super) fn run(command: &BundleCommand) -> Result<Exit, Failure> {
    match command {
        BundleCommand::List(args) => list(args),
        BundleCommand::Show(args) => show(args),
        BundleCommand::Rollback(args) => rollback(args),
    }
}

fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let store = args.state.store()?;
    let (list, broken) = store.list()?;
    let in_force = store.in_force()?;
    let pin = store.pin()?;
    let mut text = String::new();
    for kept in &list {
        let now = in_force.as_ref() == Some(&kept.hash);
        let _ = writeln!(
            text,
            "{} {:SHORT$}  {}  {:>4} rules  {:>3} regions  {}",
            if now { '*' } else { ' ' },
            &kept.hash[..SHORT],
            kept.last_in_force.strftime("%Y-%m-%d %H:%M:%SZ"),
            kept.rules,
            kept.regions,
            fate(kept, now, pin.as_ref()),
        );
    }
    anstream::print!("{text}");
    if list.is_empty() {
        anstream::eprintln!(
            "no bundle is kept here yet: a worker keeps each that it puts in force"
        );
    }
    if let Some(pin) = pin.filter(|pin| in_force.as_ref() != Some(&pin.bundle)) {
        anstream::eprintln!("a rollback to {:.SHORT$} waits for a worker", pin.bundle);
    }
    for problem in &broken {
        anstream::eprintln!("{problem}");
    }
    Ok(if broken.is_empty() { Exit::Done } else { Exit::BadData })
}

/// Why a bundle is where it is.
fn fate(kept: &Kept, in_force: bool, pin: Option<&Pin>) -> String {
    match kept.left {
        _ if in_force && pin.is_some_and(|pin| pin.bundle == kept.hash) => {
            "in force, by a rollback".to_owned()
        }
        _ if in_force => "in force".to_owned(),
        Some(left) => format!("{} {}", left.why.as_str(), left.at.strftime("%Y-%m-%d %H:%M:%SZ")),
        None => "not in force".to_owned(),
    }
}

fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let store = args.state.store()?;
    let kept = store.find(&args.hash)?;
    let mut text = format!(
        "bundle    {}\nengine    {}\nin force  first {}, last {}\nholds     {} rules, {} regions\n",
        kept.hash, kept.engine, kept.first_in_force, kept.last_in_force, kept.rules, kept.regions
    );
    for model in &kept.models {
        let _ =
            writeln!(text, "model     {}@{} sha256 {}", model.name, model.version, model.sha256);
    }
    if !kept.shipped_rules {
        text.push_str("left out  the packs and lists of the first folder\n");
    }
    for layer in &kept.layers {
        let _ = writeln!(text, "\n{}", layer.root.display());
        for file in &layer.files {
            let _ = writeln!(text, "  {:.SHORT$} {:>9}  {}", file.blake3, file.bytes, file.path);
        }
    }
    anstream::print!("{text}");
    Ok(Exit::Done)
}

fn rollback(args: &RollbackArgs) -> Result<Exit, Failure> {
    let store = args.state.store()?;
    let Some(hash) = args.hash.as_ref().filter(|_| !args.release) else {
        let there_was = store.release()?;
        anstream::println!("{}", if there_was { "the rollback ends" } else { "no rollback held" });
        return Ok(Exit::Done);
    };
    let kept = store.find(hash)?;
    // What does not load must not be pinned: a worker would refuse it, and a start would fail.
    build_kept(&sources::watched(&args.parts)?, &store, &kept).map_err(sources::refusal)?;
    let pin = Pin { bundle: kept.hash.clone(), since: Timestamp::now() };
    store.set_pin(&pin)?;
    anstream::println!(
        "{:.SHORT$} comes into force, and stays until `tidegate bundle rollback --release`",
        kept.hash
    );
    Ok(Exit::Done)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::Unknown(_) | StoreError::Ambiguous(..) => Exit::NoInput,
            StoreError::Damaged { .. } => Exit::BadData,
            StoreError::Io { .. } | StoreError::Busy(_) => Exit::Io,
        };
        Self::new(exit, error.to_string())
    }
}
