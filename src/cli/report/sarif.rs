//! The report as SARIF 2.1.0 (OASIS, 2020), for code scanning.
//!
//! Rules of SARIF are our codes. Columns count characters, which SARIF calls `unicodeCodePoints`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Level, Location};

/// One run with all diagnostics.
pub(super) fn render(diagnostics: &Diagnostics) -> String {
    let sorted = diagnostics.sorted();
    let mut codes: Vec<&str> = sorted.iter().map(|found| found.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results: Value = sorted.iter().map(|found| result(found, &codes)).collect();
    let rules: Value = codes.iter().map(|code| json!({"id": code})).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tidegate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": !diagnostics.has_errors()}],
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(found: &Diagnostic, codes: &[&str]) -> Value {
    let level = match found.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let help = found.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let mut result = json!({
        "ruleId": found.code,
        "ruleIndex": codes.binary_search(&found.code).unwrap_or_default(),
        "level": level,
        "message": {"text": found.message.clone() + &help},
    });
    if let Some(location) = &found.location {
        result["locations"] = json!([{"physicalLocation": place(location)}]);
    }
    result
}

fn place(location: &Location) -> Value {
    let ((line, column), (end_line, end_column)) =
        (location.line_column(), location.end_line_column());
    json!({
        "artifactLocation": {"uri": uri(&location.file.path)},
        "region": {
            "startLine": line,
            "startColumn": column,
            "endLine": end_line,
            "endColumn": end_column,
        },
    })
}

/// A path as a URI reference: relative ones stay relative to where the program was started.
fn uri(path: &str) -> String {
    let relative = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in relative.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("./rules/packs/a b.yaml"), "rules/packs/a%20b.yaml");
        assert_eq!(uri("/etc/ü.yaml"), "file:///etc/%C3%BC.yaml");
        assert_eq!(uri("a:b#c"), "a%3Ab%23c");
    }
}
