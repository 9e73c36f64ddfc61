//! `tidegate rules schema`: the published schemas, for editors and consumers without the repository.

use clap::{Args, ValueEnum};

use super::exit::Exit;

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    of: Schema,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Schema {
    /// A rule pack
    Pack,
    /// A policy
    Policy,
    /// bundle.yaml
    Bundle,
    /// taxonomy.yaml
    Taxonomy,
    /// A post
    Post,
    /// A decision
    Decision,
    /// An error
    Error,
    /// The headers of a dead letter
    DeadLetter,
    /// The report of `rules check --format json`
    Report,
    /// The rules of `rules show --format json`
    Shown,
}

impl Schema {
    fn text(self) -> &'static str {
        match self {
            Self::Pack => include_str!("../../docs/schema/pack.json"),
            Self::Policy => include_str!("../../docs/schema/policy.json"),
            Self::Bundle => include_str!("../../docs/schema/bundle.json"),
            Self::Taxonomy => include_str!("../../docs/schema/taxonomy.json"),
            Self::Post => include_str!("../../docs/schema/post.json"),
            Self::Decision => include_str!("../../docs/schema/decision.json"),
            Self::Error => include_str!("../../docs/schema/error.json"),
            Self::DeadLetter => include_str!("../../docs/schema/dead-letter.json"),
            Self::Report => include_str!("../../docs/schema/report.json"),
            Self::Shown => include_str!("../../docs/schema/shown.json"),
        }
    }
}

/// Prints one schema.
pub(super) fn run(args: &SchemaArgs) -> Exit {
    anstream::print!("{}", args.of.text());
    Exit::Done
}
