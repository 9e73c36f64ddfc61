//! Annotations of GitHub Actions: one workflow command a diagnostic, shown beside the line in a pull
//! request.
//!
//! The form and its escapes: "Workflow commands for GitHub Actions", section "Setting an error
//! message"; the escapes are those of the toolkit's `command.ts`.

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Diagnostics, Level};

/// All diagnostics, one a line.
pub(super) fn render(diagnostics: &Diagnostics) -> String {
    let mut text: String = diagnostics.sorted().into_iter().map(command).collect();
    if diagnostics.dropped() > 0 {
        let _ = writeln!(text, "::error::{} more are not shown", diagnostics.dropped());
    }
    text
}

fn command(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let mut properties = Vec::new();
    if let Some(location) = &diagnostic.location {
        let ((line, column), (end_line, end_column)) =
            (location.line_column(), location.end_line_column());
        properties.push(("file", location.file.path.clone()));
        properties.push(("line", line.to_string()));
        properties.push(("endLine", end_line.to_string()));
        // Columns are read only where the place is within one line.
        if line == end_line {
            properties.push(("col", column.to_string()));
            properties.push(("endColumn", end_column.to_string()));
        }
    }
    properties.push(("title", diagnostic.code.to_owned()));
    let properties: Vec<String> = properties
        .into_iter()
        .map(|(name, value)| format!("{name}={}", property(&value)))
        .collect();
    let help = diagnostic.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    format!("::{level} {}::{}\n", properties.join(","), data(&(diagnostic.message.clone() + &help)))
}

/// What stands after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value: a colon or a comma would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Location, SourceFile};

    #[test]
    fn what_would_end_a_command_is_escaped() {
        let file = SourceFile { path: "a,b:c%.yaml".into(), text: "one\ntwo\n".into() };
        let location = Location { file: Arc::new(file), range: 4..7 };
        let found = Diagnostic::error("R010", location.clone(), "50 %: a,b\r\nc").help("d");
        assert_eq!(
            command(&found),
            "::error file=a%2Cb%3Ac%25.yaml,line=2,endLine=2,col=1,endColumn=4,title=R010\
             ::50 %25: a,b%0D%0Ac%0Ad\n"
        );
        let long = Diagnostic::warning("R024", Location { range: 1..6, ..location }, "x");
        assert_eq!(
            command(&long),
            "::warning file=a%2Cb%3Ac%25.yaml,line=1,endLine=2,title=R024::x\n"
        );
        assert_eq!(command(&Diagnostic::global("B003", "x")), "::error title=B003::x\n");
    }
}
