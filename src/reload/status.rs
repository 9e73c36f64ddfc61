//! What operators see of the bundle in force: which, since when, and what was refused.
//!
//! Holds what rule files and their authors say, never a post's text; every list and text has a limit.

use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Level},
    overrides::Overrides,
};

/// Most problems that are shown of one refusal.
const PROBLEMS_MAX: usize = 20;
/// Most bytes of a message or a help that are shown.
const TEXT_BYTES_MAX: usize = 400;

/// Shared with whoever answers operators.
#[derive(Debug)]
pub struct Status(Mutex<View>);

/// Everything at one moment, as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// The hash of the bundle in force.
    pub in_force: String,
    /// Since when.
    pub since: Timestamp,
    /// The rollback that holds it there.
    pub pinned: Option<Pinned>,
    /// Why the bundle that should be in force is not.
    pub refused: Option<Refused>,
    /// What emergency files say.
    pub emergency: Emergency,
    /// Why bundles are not kept for a rollback.
    pub history_trouble: Option<String>,
}

/// A rollback in force.
#[derive(Debug, Clone, Serialize)]
pub struct Pinned {
    /// Since when.
    pub since: Timestamp,
    /// When files changed that wait for its release.
    pub changes_wait_since: Option<Timestamp>,
}

/// A refusal.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// What is wrong, errors only.
    pub problems: Vec<Problem>,
    /// How many more errors there are.
    pub more: usize,
}

/// One error.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// The code.
    pub code: &'static str,
    /// File, line and column, where it has a place.
    pub place: Option<String>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// What emergency files say.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Emergency {
    /// The overrides of the last files that were accepted.
    pub overrides: Vec<OverrideView>,
    /// Why later files were not.
    pub refused: Option<Refused>,
}

/// An override as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct OverrideView {
    rule: String,
    at_most: &'static str,
    from: Timestamp,
    until: Timestamp,
    by: String,
    reason: String,
}

impl Status {
    /// Nothing is known but the bundle in force.
    pub(super) fn new(in_force: &str, since: Timestamp) -> Self {
        Self(Mutex::new(View {
            in_force: in_force.to_owned(),
            since,
            pinned: None,
            refused: None,
            emergency: Emergency::default(),
            history_trouble: None,
        }))
    }

    /// Everything at once.
    pub fn view(&self) -> View {
        self.0.lock().expect("no thread panics while it holds this").clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut View)) {
        change(&mut self.0.lock().expect("no thread panics while it holds this"));
    }
}

impl Refused {
    pub(super) fn new(diagnostics: &Diagnostics, at: Timestamp) -> Self {
        let sorted = diagnostics.sorted();
        let errors: Vec<_> = sorted.into_iter().filter(|d| d.level == Level::Error).collect();
        let problems: Vec<Problem> =
            errors.iter().take(PROBLEMS_MAX).map(|diagnostic| Problem::new(diagnostic)).collect();
        let more = errors.len() - problems.len() + diagnostics.dropped();
        Self { at, problems, more }
    }

    /// A line for each problem.
    pub(super) fn lines(&self) -> String {
        let line = |problem: &Problem| {
            let place =
                problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            format!("{place}{} {}", problem.code, problem.message)
        };
        let mut lines: Vec<String> = self.problems.iter().map(line).collect();
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        lines.join("\n")
    }
}

impl Problem {
    fn new(diagnostic: &Diagnostic) -> Self {
        let place = diagnostic.location.as_ref().map(|location| {
            let (line, column) = location.line_column();
            format!("{}:{line}:{column}", location.file.path)
        });
        Self {
            code: diagnostic.code,
            place,
            message: cut(&diagnostic.message),
            help: diagnostic.help.as_deref().map(cut),
        }
    }
}

pub(super) fn overrides_view(overrides: &Overrides) -> Vec<OverrideView> {
    let view = |one: &crate::overrides::Override| OverrideView {
        rule: one.rule.as_str().to_owned(),
        at_most: one.at_most.as_str(),
        from: one.from,
        until: one.until,
        by: one.by.clone(),
        reason: one.reason.clone(),
    };
    overrides.iter().map(view).collect()
}

fn cut(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(TEXT_BYTES_MAX)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_some_errors_of_some_length_and_counts_the_others() {
        let mut out = Diagnostics::default();
        for _ in 0..PROBLEMS_MAX + 5 {
            out.push(Diagnostic::global("B001", "é".repeat(TEXT_BYTES_MAX)).help("mend it"));
        }
        let refused = Refused::new(&out, Timestamp::UNIX_EPOCH);
        assert_eq!((refused.problems.len(), refused.more), (PROBLEMS_MAX, 5));
        assert!(refused.problems[0].message.len() <= TEXT_BYTES_MAX + "…".len());
        assert!(refused.lines().ends_with("and 5 more"));
    }
}
