//! What a run tells: a line for each fault as it ends, a table, and `target/faults.json`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::checker::Findings;
use crate::faults::Fault;

/// The end of one fault.
pub(crate) struct Outcome {
    pub(crate) fault: &'static Fault,
    pub(crate) findings: Findings,
    /// Why it could not even be judged.
    pub(crate) died: Option<String>,
    pub(crate) seconds: f64,
}

impl Outcome {
    pub(crate) fn survived(&self) -> bool {
        self.died.is_none() && self.findings.broken.is_empty()
    }

    fn verdict(&self) -> &'static str {
        if self.survived() { "survived" } else { "FAILED" }
    }

    /// Everything that is wrong, one line each.
    pub(crate) fn complaints(&self) -> String {
        let mut text = String::new();
        for (invariant, what) in &self.findings.broken {
            writeln!(text, "       {invariant}: {what}").expect("a string takes any text");
        }
        if let Some(why) = &self.died {
            writeln!(text, "       {why}").expect("a string takes any text");
        }
        text
    }
}

/// A control: whether the checker caught what was done on purpose.
pub(crate) struct Control {
    pub(crate) name: &'static str,
    pub(crate) caught: bool,
}

/// The table that people read.
pub(crate) fn table(outcomes: &[Outcome], controls: &[Control]) -> String {
    let mut text = String::from(
        "\n   #  fault                                                on     records  lost  repeated  \
         order  verdict\n",
    );
    for outcome in outcomes {
        let Outcome { fault, findings, seconds, .. } = outcome;
        let line = format!(
            "  {:>2}  {:<52} {:<6} {:>7} {:>5} {:>9} {:>6}  {} ({seconds:.0} s)",
            fault.number,
            fault.name,
            fault.on(),
            findings.records,
            findings.lost,
            findings.repeated,
            findings.order_breaks,
            outcome.verdict(),
        );
        writeln!(text, "{line}").expect("a string takes any text");
    }
    text.push('\n');
    for control in controls {
        let verdict = if control.caught { "caught" } else { "NOT CAUGHT" };
        writeln!(text, "  control: {:<58} {verdict}", control.name)
            .expect("a string takes any text");
    }
    text.push('\n');
    // Said once more at the end, where who reads only a summary finds it.
    for outcome in outcomes.iter().filter(|outcome| !outcome.survived()) {
        let Fault { number, name, .. } = outcome.fault;
        write!(text, "fault {number} ... FAILED: {name}\n{}", outcome.complaints())
            .expect("a string takes any text");
    }
    text
}

/// The figures, for machines.
pub(crate) fn json(outcomes: &[Outcome], controls: &[Control]) -> serde_json::Value {
    let sum = |of: fn(&Findings) -> usize| -> usize {
        outcomes.iter().map(|outcome| of(&outcome.findings)).sum()
    };
    json!({
        "faults_run": outcomes.len(),
        "faults_survived": outcomes.iter().filter(|outcome| outcome.survived()).count(),
        "records": sum(|found| found.records),
        "lost": sum(|found| found.lost),
        "repeated": sum(|found| found.repeated),
        "repeated_beyond_bound": sum(|found| found.repeated_beyond_bound),
        "order_breaks": sum(|found| found.order_breaks),
        "controls_run": controls.len(),
        "controls_caught": controls.iter().filter(|control| control.caught).count(),
    })
}

/// Writes the figures to `faults.json` in the build folder.
pub(crate) fn write(value: &serde_json::Value) {
    let text = serde_json::to_string_pretty(value).expect("numbers serialise") + "\n";
    println!("\n  {}", write_beside_build("faults.json", &text).display());
}

/// Keeps what the workers of a fault said that was not survived.
pub(crate) fn keep(fault: &Fault, said: &[String]) {
    let path = write_beside_build(&format!("fault-{}.log", fault.number), &said.join("\n"));
    println!("     what was said: {}", path.display());
}

fn write_beside_build(name: &str, text: &str) -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = tmp.parent().expect("it lies in the build folder").join(name);
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}
