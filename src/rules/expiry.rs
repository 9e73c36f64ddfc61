//! Dates from which rules, lists and entries act no longer than a shadow.
//!
//! Whether a date has come is asked when a post is decided, against the post's own time. What is told
//! when files are loaded is told against the time of loading, which the caller says.

use std::ops::Range;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    diagnostic::{Diagnostic, Location},
    yaml::{Node, Reader},
};

/// Days before an expiry in which it is told.
const WARNED_DAYS: i64 = 14;
/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// A date with its place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryFile {
    /// The first day (of UTC) on which it has expired.
    pub date: Date,
    /// The place.
    pub range: Range<usize>,
}

/// Something that expires.
#[derive(Debug, Clone)]
pub(super) struct Expiring {
    /// What it is, for people: "the rule scams/lure".
    pub(super) what: String,
    pub(super) date: Date,
    pub(super) location: Location,
}

/// Reads `expires`.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Option<ExpiryFile> {
    let text = reader.filled(node)?;
    let date = date(text);
    if date.is_none() {
        let message = format!("`{text}` is no date");
        reader.error_help(&node.range, "R082", message, "write a day such as 2027-01-01");
    }
    Some(ExpiryFile { date: date?, range: node.range.clone() })
}

/// A day as it is written.
pub(super) fn date(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// When a day begins, in UTC.
pub(super) fn begins(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

impl Expiring {
    /// What is to be told at `now`: nothing before the last days.
    pub(super) fn told(&self, now: Timestamp) -> Option<Diagnostic> {
        let seconds = begins(self.date)?.duration_since(now).as_secs();
        if seconds > WARNED_DAYS * DAY {
            return None;
        }
        let (what, date) = (&self.what, self.date);
        let message = match (seconds + DAY - 1) / DAY {
            days if days <= 0 => format!("{what} has expired on {date}: it acts as shadow"),
            1 => format!("{what} expires tomorrow, on {date}: it will act as shadow"),
            days => format!("{what} expires in {days} days, on {date}: it will act as shadow"),
        };
        let help = "look whether it is still right, and give it a later date, or remove it";
        Some(Diagnostic::warning("R081", self.location.clone(), message).help(help))
    }
}
