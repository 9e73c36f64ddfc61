//! `tidegate config show`: the effective values and where each came from.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{
    exit::{Exit, Failure},
    locate, report, sources,
};
use crate::{
    config::{Config, RawConfig, find},
    diagnostic::Diagnostics,
    files::read_text,
};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every setting with its value and origin, secrets hidden
    Show(ShowArgs),
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The configuration file; searched: ./tidegate.yaml, /etc/tidegate/tidegate.yaml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(command: &ConfigCommand) -> Result<Exit, Failure> {
    let ConfigCommand::Show(args) = command;
    let (raw, _) = read(args.config.as_deref())?;
    for (key, value) in raw.iter() {
        // What is handed through to librdkafka may be a password under any name.
        let secret = find(key).is_none_or(|setting| setting.secret);
        let shown = match value.text.as_str() {
            "" => "-".to_owned(),
            _ if secret => "(hidden)".to_owned(),
            text => text.replace('\n', ", "),
        };
        anstream::println!("{key:<28} {shown:<28} {}", value.origin);
    }
    Ok(Exit::Done)
}

/// Reads file and environment; a failure says everything that is wrong.
pub(super) fn read(file: Option<&Path>) -> Result<(RawConfig, Config), Failure> {
    let file = locate::configuration(file).map(|path| read_text(&path)).transpose();
    let file = file.map_err(|error| sources::unreadable(&error))?;
    let mut out = Diagnostics::default();
    let raw = RawConfig::read(file.as_ref(), std::env::vars(), &mut out);
    let config = Config::validate(&raw, &mut out);
    config.map(|config| (raw, config)).ok_or_else(|| {
        let text = report::for_people(&out);
        Failure::new(Exit::Configuration, format!("{text}the configuration was refused"))
    })
}
