//! What was measured: a table for people, a flat JSON object for machines.

use std::{fmt::Write as _, fs, io, path::Path};

use serde_json::{Map, Value, json};

/// Figures in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Report {
    lines: String,
    figures: Map<String, Value>,
}

impl Report {
    /// A heading of the table.
    pub(crate) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.lines, "\n{text}");
    }

    /// Microseconds of one core that a post costs in one stage.
    pub(crate) fn stage(&mut self, name: &str, microseconds: f64) {
        let _ = writeln!(self.lines, "  {name:<34} {microseconds:>10.2} µs/post");
        let key = format!("stage_{}_us", name.replace([',', ' '], "_").replace("__", "_"));
        self.figures.insert(key, json!(rounded(microseconds)));
    }

    /// Posts a second.
    pub(crate) fn rate(&mut self, name: &str, key: &str, rate: f64) {
        let _ = writeln!(self.lines, "  {name:<34} {rate:>10.0} posts/s");
        self.figures.insert(key.into(), json!(rate.round()));
    }

    /// How much faster one thing is than another.
    pub(crate) fn ratio(&mut self, name: &str, key: &str, ratio: f64) {
        let _ = writeln!(self.lines, "  {name:<34} {ratio:>10.2} ×");
        self.figures.insert(key.into(), json!(rounded(ratio)));
    }

    /// A figure of another kind.
    pub(crate) fn figure(&mut self, name: &str, key: &str, value: f64, unit: &str) {
        let _ = writeln!(self.lines, "  {name:<34} {value:>10.1} {unit}");
        self.figures.insert(key.into(), json!(rounded(value)));
    }

    /// The table.
    pub(crate) fn table(&self) -> &str {
        &self.lines
    }

    /// Writes the flat object.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_string_pretty(&self.figures)? + "\n")
    }
}

/// To three digits behind the point: more would be noise.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
