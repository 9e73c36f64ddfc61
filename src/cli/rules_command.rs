//! `tidegate rules`: what policy people run before they hand a file over.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::{
    PartArgs,
    exit::{Exit, Failure},
    explain_command, fmt_command, import_command,
    report::{self, Format, Outcome},
    schema_command, show_command, sources,
};
use crate::{bundle::Report, signal::Status};

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Load everything through every gate and say what each rule leads to
    Check(CheckArgs),
    /// Run the tests of rules and policies and the benign corpora
    Test(TestArgs),
    /// Say why a post is decided as it is: what hit, what nearly hit, what each policy made of it
    Explain(explain_command::ExplainArgs),
    /// Print rules: all of them, those of a pack, or one, with what later folders changed
    Show(show_command::ShowArgs),
    /// Make a pack of word lists and rules of other tools
    Import(import_command::ImportArgs),
    /// Bring files into one layout, comments and words as they are
    Fmt(fmt_command::FmtArgs),
    /// Print the JSON Schema of a file or of the wire
    Schema(schema_command::SchemaArgs),
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    parts: PartArgs,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
    /// How the report is written
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    parts: PartArgs,
    /// How the report is written
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(command: &RulesCommand) -> Result<Exit, Failure> {
    match command {
        RulesCommand::Check(args) => check(args),
        RulesCommand::Test(args) => test(args),
        RulesCommand::Explain(args) => explain_command::run(args),
        RulesCommand::Show(args) => show_command::run(args),
        RulesCommand::Import(args) => import_command::run(args),
        RulesCommand::Fmt(args) => fmt_command::run(args),
        RulesCommand::Schema(args) => Ok(schema_command::run(args)),
    }
}

fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let show = |report: &Report| format!("{}{}", reach(report), summary(report));
    let (exit, outcome) = load_and_show(&args.parts, args.format, show)?;
    Ok(if outcome == Outcome::Warned && args.strict { Exit::Findings } else { exit })
}

fn test(args: &TestArgs) -> Result<Exit, Failure> {
    // A failing test is a diagnostic that refuses the bundle.
    load_and_show(&args.parts, args.format, tests).map(|(exit, _)| exit)
}

/// Loads everything and shows what was found, for people with what `show` makes of the report.
fn load_and_show(
    parts: &PartArgs,
    format: Format,
    show: impl FnOnce(&Report) -> String,
) -> Result<(Exit, Outcome), Failure> {
    let loaded = match sources::try_load(parts)? {
        Ok((loaded, _)) => loaded,
        Err(unloaded) if format == Format::Human => return Err(unloaded.into()),
        Err(unloaded) => {
            let exit = unloaded.exit();
            let problems = unloaded.into_diagnostics();
            anstream::print!("{}", report::for_tools(format, &problems, None).unwrap_or_default());
            return Ok((exit, Outcome::Refused));
        }
    };
    let (warnings, found) = (&loaded.warnings, &loaded.report);
    if let Some(text) = report::for_tools(format, warnings, Some(found)) {
        anstream::print!("{text}");
    } else {
        if !warnings.is_empty() {
            anstream::eprint!("{}", report::for_people(warnings));
        }
        anstream::print!("{}", show(found));
    }
    Ok((Exit::Done, Outcome::of(warnings)))
}

/// What each enforced rule leads to.
fn reach(report: &Report) -> String {
    let lines = report.reach.iter().map(|(rule, reach)| format!("{}: {reach}\n", rule.as_str()));
    lines.collect()
}

fn summary(report: &Report) -> String {
    let counts: Vec<String> = Status::ALL
        .iter()
        .zip(report.rules)
        .filter(|&(_, count)| count > 0)
        .map(|(status, count)| format!("{count} {}", status.as_str()))
        .collect();
    let rules: usize = report.rules.iter().sum();
    let mut weakened = String::new();
    for one in &report.weakened {
        let (by, until, rule, reason) = (&one.by, &one.until, &one.rule, &one.reason);
        let _ = writeln!(weakened, "weakened by {by} until {until}: {rule} ({reason})");
    }
    format!(
        "\n{rules} rules ({}), {} entries\n{weakened}{}",
        counts.join(", "),
        report.entries,
        tests(report)
    )
}

fn tests(report: &Report) -> String {
    let examples = &report.examples;
    let hits: usize = report.benign_hits.values().sum();
    let mut text = format!(
        "rule tests: {} hits and {} misses as written, {} known misses\n\
         policy tests: {} passed\n\
         benign posts: {} of {} hit by an enforced rule\n",
        examples.hits,
        examples.misses,
        examples.todo,
        report.policy_tests.passed,
        hits,
        report.benign_lines,
    );
    for (rule, hits) in &report.benign_hits {
        let _ = writeln!(text, "  {}: {hits}", rule.as_str());
    }
    if !examples.done.is_empty() {
        text.push_str("`todo` texts that hit by now: move them to `hit`\n");
    }
    for place in &examples.done {
        let (line, column) = place.line_column();
        let _ = writeln!(text, "  {}:{line}:{column}", place.file.path);
    }
    text
}
