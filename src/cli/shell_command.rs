//! `tidegate completions` and `tidegate man`: for shells and readers, made of the arguments' own
//! description.

use std::{io, path::PathBuf};

use clap::{Args, CommandFactory, ValueEnum};

use super::{
    Cli,
    exit::{Exit, Failure},
};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write a page for every subcommand into this folder; without it the first page is printed
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Prints the completions of one shell.
pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut visible(Cli::command()), "tidegate", &mut io::stdout());
    Exit::Done
}

/// Prints or writes the manual.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let command = visible(Cli::command());
    let written = match &args.folder {
        Some(folder) => clap_mangen::generate_to(command, folder),
        None => clap_mangen::Man::new(command).render(&mut io::stdout()),
    };
    written.map_err(|error| Failure::new(Exit::Io, error.to_string()))?;
    Ok(Exit::Done)
}

/// The command without its hidden parts, which generators would list.
fn visible(command: clap::Command) -> clap::Command {
    let hidden = command.get_subcommands().any(clap::Command::is_hide_set);
    if !hidden {
        return command;
    }
    let subcommands: Vec<clap::Command> =
        command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned().collect();
    let mut shown = clap::Command::new("tidegate").subcommands(subcommands);
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    shown.version(env!("CARGO_PKG_VERSION")).propagate_version(true)
}
