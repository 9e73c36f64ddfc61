//! The report as one JSON object; `docs/schema/report.json` is its promise.

use serde_json::{Map, Value, json};

use super::Outcome;
use crate::{
    bundle::Report,
    diagnostic::{Diagnostic, Diagnostics, Level},
    signal::Status,
};

/// Diagnostics, and what the bundle holds when it loaded.
pub(super) fn render(diagnostics: &Diagnostics, report: Option<&Report>) -> String {
    let sorted = diagnostics.sorted();
    let errors = sorted.iter().filter(|found| found.level == Level::Error).count();
    let mut object = json!({
        "outcome": Outcome::of(diagnostics).as_str(),
        "errors": errors,
        "warnings": sorted.len() - errors,
        "more": diagnostics.dropped(),
        "diagnostics": sorted.into_iter().map(diagnostic).collect::<Value>(),
    });
    if let Some(report) = report {
        object["bundle"] = bundle(report);
    }
    format!("{object:#}\n")
}

fn diagnostic(found: &Diagnostic) -> Value {
    let level = match found.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let mut object = json!({"level": level, "code": found.code, "message": found.message});
    if let Some(help) = &found.help {
        object["help"] = json!(help);
    }
    if let Some(location) = &found.location {
        let ((line, column), (end_line, end_column)) =
            (location.line_column(), location.end_line_column());
        object["file"] = json!(location.file.path);
        object["line"] = json!(line);
        object["column"] = json!(column);
        object["end_line"] = json!(end_line);
        object["end_column"] = json!(end_column);
    }
    object
}

fn bundle(report: &Report) -> Value {
    let rules: Map<String, Value> = Status::ALL
        .iter()
        .zip(report.rules)
        .map(|(status, count)| (status.as_str().to_owned(), json!(count)))
        .collect();
    let examples = &report.examples;
    let benign: Map<String, Value> = report
        .benign_hits
        .iter()
        .map(|(rule, hits)| (rule.as_str().to_owned(), json!(hits)))
        .collect();
    let reach: Map<String, Value> = report
        .reach
        .iter()
        .map(|(rule, reach)| {
            let reach = json!({
                "blocks": reach.blocks,
                "reviews": reach.reviews,
                "restrains": reach.restrains,
                "nothing": reach.nothing,
            });
            (rule.as_str().to_owned(), reach)
        })
        .collect();
    let weakened: Value = report
        .weakened
        .iter()
        .map(
            |one| json!({"rule": one.rule, "by": one.by, "reason": one.reason, "until": one.until}),
        )
        .collect();
    json!({
        "weakened": weakened,
        "rules": rules,
        "entries": report.entries,
        "tests": {
            "hits": examples.hits,
            "misses": examples.misses,
            "todo": examples.todo,
            "done": examples.done.len(),
            "failed": examples.failed,
        },
        "policy_tests": report.policy_tests.passed,
        "benign": {"posts": report.benign_lines, "hits": benign},
        "reach": reach,
    })
}
