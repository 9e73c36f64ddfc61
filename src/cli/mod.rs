//! The command line: arguments in, an exit code out, one file a subcommand.
//!
//! Data goes to standard output, talk to standard error. Exit codes are those of `sysexits.h`.

mod bundle_command;
#[cfg(feature = "http")]
mod config_command;
mod exit;
mod explain_command;
mod fmt_command;
#[cfg(feature = "http")]
mod following;
mod import_command;
mod locate;
#[cfg(feature = "onnx")]
mod model_command;
mod moderate;
mod report;
mod rules_command;
mod schema_command;
mod shell_command;
mod show_command;
mod sources;

#[cfg(feature = "kafka")]
mod dead_letters_command;
#[cfg(feature = "kafka")]
mod dead_letters_shown;
#[cfg(feature = "kafka")]
mod demo;
#[cfg(feature = "kafka")]
mod run;
#[cfg(feature = "http")]
mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use exit::{Exit, Failure};

/// Content moderation for a stream of posts.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Moderate posts from Kafka, until told to stop
    #[cfg(feature = "kafka")]
    Run(run::RunArgs),
    /// Moderate posts from a file or standard input, one JSON object a line
    Moderate(moderate::ModerateArgs),
    /// Moderate posts over HTTP, without Kafka, until told to stop
    #[cfg(feature = "http")]
    Serve(serve::ServeArgs),
    /// See a wave of posts go through the real worker, on a broker of its own
    #[cfg(feature = "kafka")]
    Demo(demo::DemoArgs),
    /// Check and test rules and policies
    #[command(subcommand)]
    Rules(rules_command::RulesCommand),
    /// See what could not be decided about, and send it once more
    #[cfg(feature = "kafka")]
    #[command(subcommand)]
    DeadLetters(dead_letters_command::DeadLettersCommand),
    /// See the last bundles, and go back to one of them
    #[command(subcommand)]
    Bundle(bundle_command::BundleCommand),
    /// Look into a model folder
    #[cfg(feature = "onnx")]
    #[command(subcommand)]
    Model(model_command::ModelCommand),
    /// See the effective configuration
    #[cfg(feature = "http")]
    #[command(subcommand)]
    Config(config_command::ConfigCommand),
    /// Print what lets a shell complete the arguments
    Completions(shell_command::CompletionsArgs),
    /// Print the manual page, or write all of them
    Man(shell_command::ManArgs),
    /// Hold an embedded broker until standard input closes
    #[cfg(feature = "kafka")]
    #[command(hide = true)]
    EmbeddedBroker {
        /// Its topics
        #[arg(value_name = "TOPIC:PARTITIONS")]
        topics: Vec<String>,
    },
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For tools
    Json,
}

/// Where the parts are found; the same for every subcommand that decides.
#[derive(Debug, Clone, Args)]
pub struct PartArgs {
    /// Folder with `rules` and `models`; searched: ., <program>/../share/tidegate
    #[arg(long, env = "TIDEGATE_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// A folder with rules and policies of your own, over the shipped ones; may be repeated
    #[arg(long = "rules", value_name = "FOLDER")]
    overlays: Vec<PathBuf>,
    /// Leave the shipped rule packs out
    #[arg(long)]
    no_default_rules: bool,
    /// Folder with the model folders; nothing: <home>/models
    #[arg(long, value_name = "FOLDER")]
    models: Option<PathBuf>,
    /// Decide without a classifier
    #[arg(long)]
    no_model: bool,
    /// ONNX Runtime's shared library
    #[arg(long, env = "ORT_DYLIB_PATH", value_name = "FILE")]
    onnx_library: Option<PathBuf>,
}

#[cfg(feature = "http")]
impl PartArgs {
    /// The arguments over what the configuration says.
    fn over(&self, config: &crate::config::Config) -> Self {
        let overlays = config.overlays.iter().chain(&self.overlays).cloned().collect();
        let no_default_rules = self.no_default_rules || !config.shipped_rules;
        Self { overlays, no_default_rules, ..self.clone() }
    }
}

impl Cli {
    /// Does what the arguments say.
    pub fn run(self) -> Result<Exit, Failure> {
        match self.command {
            #[cfg(feature = "kafka")]
            Command::Run(args) => run::run(&args),
            Command::Moderate(args) => moderate::run(&args),
            #[cfg(feature = "http")]
            Command::Serve(args) => serve::run(&args),
            #[cfg(feature = "kafka")]
            Command::Demo(args) => demo::run(&args),
            Command::Rules(command) => rules_command::run(&command),
            #[cfg(feature = "kafka")]
            Command::DeadLetters(command) => dead_letters_command::run(&command),
            Command::Bundle(command) => bundle_command::run(&command),
            #[cfg(feature = "onnx")]
            Command::Model(command) => model_command::run(&command),
            #[cfg(feature = "http")]
            Command::Config(command) => config_command::run(&command),
            Command::Completions(args) => Ok(shell_command::completions(&args)),
            Command::Man(args) => shell_command::man(&args),
            #[cfg(feature = "kafka")]
            Command::EmbeddedBroker { topics } => demo::hold_broker(&topics),
        }
    }
}
