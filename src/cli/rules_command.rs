//! `tidegate rules check|test`: what policy people run before they hand a file over.

use std::{fmt::Write as _, io::IsTerminal};

use clap::{Args, Subcommand};

use super::{
    PartArgs,
    exit::{Exit, Failure},
    report, sources,
};
use crate::{
    bundle::{Loaded, Report},
    signal::Status,
};

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Load everything through every gate and say what each rule leads to
    Check(CheckArgs),
    /// Run the tests of rules and policies and the benign corpora
    Test(TestArgs),
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    parts: PartArgs,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    parts: PartArgs,
}

pub(super) fn run(command: &RulesCommand) -> Result<Exit, Failure> {
    match command {
        RulesCommand::Check(args) => check(args),
        RulesCommand::Test(args) => test(args),
    }
}

fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let (loaded, _) = sources::load_bundle(&args.parts)?;
    let warned = show_warnings(&loaded);
    anstream::print!("{}{}", reach(&loaded.report), summary(&loaded.report));
    Ok(if warned && args.strict { Exit::Findings } else { Exit::Done })
}

fn test(args: &TestArgs) -> Result<Exit, Failure> {
    // A failing test is a diagnostic that refuses the bundle; it leaves through the failure.
    let (loaded, _) = sources::load_bundle(&args.parts)?;
    anstream::print!("{}", tests(&loaded.report));
    Ok(Exit::Done)
}

fn show_warnings(loaded: &Loaded) -> bool {
    let warned = !loaded.warnings.is_empty();
    if warned {
        let colour = std::io::stderr().is_terminal();
        anstream::eprint!("{}", report::render(&loaded.warnings, colour));
    }
    warned
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
    format!(
        "\n{rules} rules ({}), {} entries\n{}",
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
    if examples.done > 0 {
        let _ = writeln!(text, "{} `todo` texts hit by now: move them to `hit`", examples.done);
    }
    text
}
