//! Dead letters as people and tools read them. Keys and values are shown on request only.

use std::{collections::VecDeque, fmt::Write as _};

use serde_json::json;

use crate::{
    delivery::Header,
    worker::letters::{Counts, Stored},
};

/// Where the size of a value stands once the value itself was dropped.
const SIZE: &str = "tidegate.shown.bytes";

/// A dead letter that keeps the size of its value beside its headers.
pub(super) fn with_size(mut letter: Stored, bytes: Option<usize>) -> Stored {
    if let Some(bytes) = bytes {
        letter.headers.push(Header::text(SIZE, bytes.to_string()));
    }
    letter
}

/// Counts and the latest, for people.
pub(super) fn human(topic: &str, counts: &Counts, latest: &VecDeque<Stored>) -> String {
    let mut text = format!("{topic}: {} dead letters\n", counts.total);
    let mut line = |parts: std::fmt::Arguments<'_>| {
        writeln!(text, "{parts}").expect("a string takes any text");
    };
    for (code, reason, count) in counts.kinds() {
        line(format_args!("{count:>8}  {code:<18} {reason}"));
    }
    if !latest.is_empty() {
        line(format_args!(
            "\n{:<12} {:<20} {:<18} {:>8}  {:<16} reason",
            "place", "written", "code", "attempts", "from"
        ));
    }
    for letter in latest {
        line(format_args!(
            "{:<12} {:<20} {:<18} {:>8}  {:<16} {}",
            place(letter),
            time(letter),
            letter.text("tidegate.error.code"),
            letter.attempts(),
            source(letter),
            letter.reason(),
        ));
    }
    text
}

/// The same for tools, one JSON object.
pub(super) fn json(topic: &str, counts: &Counts, latest: &VecDeque<Stored>) -> String {
    let kinds = counts.kinds();
    let by_reason: Vec<_> = kinds
        .iter()
        .map(|(code, reason, count)| json!({"code": code, "reason": reason, "count": count}))
        .collect();
    let letters: Vec<_> = latest
        .iter()
        .map(|letter| {
            json!({
                "place": place(letter),
                "written": letter.timestamp.map(|at| at.to_string()),
                "code": letter.text("tidegate.error.code"),
                "reason": letter.reason(),
                "attempts": letter.attempts(),
                "from": source(letter),
                "bytes": letter.text(SIZE).parse::<u64>().ok(),
            })
        })
        .collect();
    let whole =
        json!({"topic": topic, "total": counts.total, "by_reason": by_reason, "latest": letters});
    serde_json::to_string_pretty(&whole).expect("texts and numbers serialise") + "\n"
}

/// One dead letter: every header, and key and value where they are asked for.
pub(super) fn one(topic: &str, letter: &Stored, with_value: bool) -> String {
    let mut text = format!("{topic} {}\n", place(letter));
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name}: {value}").expect("a string takes any text");
    };
    line("written", &time(letter));
    for header in &letter.headers {
        let value = header.value.as_deref().map(String::from_utf8_lossy);
        line(&plain(&header.name), &plain(value.as_deref().unwrap_or("none")));
    }
    let parts = [("key", &letter.key), ("value", &letter.value)];
    for (name, bytes) in parts {
        match bytes {
            None => line(name, "none"),
            Some(bytes) if with_value => line(name, &plain(&String::from_utf8_lossy(bytes))),
            Some(bytes) => line(name, &format!("{} bytes (--value shows them)", bytes.len())),
        }
    }
    text
}

/// A text without what a terminal would obey: authors choose these bytes.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn place(letter: &Stored) -> String {
    format!("{}:{}", letter.partition, letter.offset)
}

fn source(letter: &Stored) -> String {
    let of = |name: &str| letter.text(&format!("tidegate.source.{name}"));
    format!("{} {}:{}", of("topic"), of("partition"), of("offset"))
}

fn time(letter: &Stored) -> String {
    letter.timestamp.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"))
}
