//! Diagnostics for people and for tools: one report, four ways to write it.
//!
//! People read theirs on standard error. What tools read goes to standard output, complete whatever
//! the outcome, so that a pipeline needs no second way for a refused bundle.

mod github;
mod human;
mod json;
mod sarif;

use std::io::IsTerminal;

use clap::ValueEnum;

use crate::{bundle::Report, diagnostic::Diagnostics};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// One JSON object, see `tidegate rules schema report`
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing was found.
    Passed,
    /// Somebody should look.
    Warned,
    /// The bundle does not load.
    Refused,
}

impl Outcome {
    pub(super) fn of(diagnostics: &Diagnostics) -> Self {
        if diagnostics.has_errors() {
            Self::Refused
        } else if diagnostics.is_empty() {
            Self::Passed
        } else {
            Self::Warned
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Refused => "refused",
        }
    }
}

/// All diagnostics for people who look at standard error, the last line a summary.
pub(super) fn for_people(diagnostics: &Diagnostics) -> String {
    human::render(diagnostics, std::io::stderr().is_terminal())
}

/// The whole report for tools; nothing where people read, who get it in parts. `report` is there when
/// the bundle loaded.
pub(super) fn for_tools(
    format: Format,
    diagnostics: &Diagnostics,
    report: Option<&Report>,
) -> Option<String> {
    match format {
        Format::Human => None,
        Format::Json => Some(json::render(diagnostics, report)),
        Format::Github => Some(github::render(diagnostics)),
        Format::Sarif => Some(sarif::render(diagnostics)),
    }
}
