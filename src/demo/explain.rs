//! A decision in plain words.

use std::fmt::Write as _;

use serde_json::Value;

use super::summary::array;
use crate::explain::words::{Follows, Saw};

/// A kind of story that a decision tells.
struct Story {
    title: &'static str,
    tells: fn(&Value) -> bool,
}

/// The stories worth telling, the best first.
const STORIES: [Story; 6] = [
    Story { title: "One post, three laws", tells: |d| actions(d).len() == 3 },
    Story {
        title: "Seen through disguise",
        tells: |d| any_hit(d, |hit| hit["obfuscated"] == true),
    },
    Story {
        title: "Withheld in one country, shown elsewhere",
        tells: |d| !array(&d["withheld_in"]).is_empty() && actions(d).contains(&"allow"),
    },
    Story {
        title: "A warning that quotes the scam, and is left alone",
        tells: |d| d["action"] == "allow" && any_hit(d, |hit| hit["cancelled_by"].is_string()),
    },
    Story {
        title: "Help instead of silence",
        tells: |d| {
            array(&d["verdicts"]).iter().any(|v| array(&v["effects"]).contains(&"show_help".into()))
        },
    },
    Story { title: "Blocked everywhere", tells: |d| d["action"] == "block" },
];

/// The place of the best story that a decision tells; the lower the better.
pub(super) fn tells(decision: &Value) -> Option<usize> {
    STORIES.iter().position(|story| (story.tells)(decision))
}

/// The decision as a short text of several lines.
pub(super) fn explain(decision: &Value, text: &str) -> String {
    let title = tells(decision).map_or("A decision", |story| STORIES[story].title);
    let mut out = format!("{title}\n   “{text}”\n");
    let languages: Vec<&str> = array(&decision["languages"])
        .iter()
        .filter_map(|share| share["language"].as_str())
        .collect();
    if !languages.is_empty() {
        let _ = writeln!(out, "   languages: {}", languages.join(", "));
    }
    for hit in array(&decision["signals"]["rules"]) {
        let _ = writeln!(out, "   {}", seen(hit, text));
    }
    for verdict in array(&decision["verdicts"]) {
        let _ = writeln!(out, "   {}", follows(verdict));
    }
    out.trim_end().to_owned()
}

/// What a rule saw.
fn seen(hit: &Value, text: &str) -> String {
    let span = &hit["spans"][0];
    let place = |key: &str| span[key].as_u64().and_then(|at| usize::try_from(at).ok());
    let quoted = match (place("start"), place("end")) {
        (Some(start), Some(end)) => text.get(start..end).unwrap_or_default(),
        _ => "",
    };
    let saw = Saw {
        rule: hit["rule"].as_str().unwrap_or("?"),
        quoted,
        obfuscated: hit["obfuscated"] == true,
        language_mismatch: hit["language_mismatch"] == true,
        cancelled_by: hit["cancelled_by"].as_str(),
    };
    saw.to_string()
}

/// What follows where, by which row.
fn follows(verdict: &Value) -> String {
    let words = |key: &str| array(&verdict[key]).iter().filter_map(Value::as_str).collect();
    let reason = &verdict["reasons"][0];
    let act = reason["legal"]["act"].as_str();
    let follows = Follows {
        regions: words("regions"),
        action: verdict["action"].as_str().unwrap_or("?"),
        hold: verdict["hold"] == true,
        effects: words("effects"),
        row: reason["row"].as_str(),
        legal: act.map(|act| (act, reason["legal"]["article"].as_str().unwrap_or_default())),
    };
    follows.to_string()
}

/// The different actions of a decision's verdicts.
fn actions(decision: &Value) -> Vec<&str> {
    let mut actions: Vec<&str> =
        array(&decision["verdicts"]).iter().filter_map(|v| v["action"].as_str()).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

fn any_hit(decision: &Value, test: impl Fn(&Value) -> bool) -> bool {
    array(&decision["signals"]["rules"]).iter().any(test)
}
