//! Diagnostics as a person reads them: the line, a caret, what is wrong and how to mend it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{self, Diagnostic, Diagnostics};

/// All diagnostics, the last line a summary. `colour` for terminals.
pub(super) fn render(diagnostics: &Diagnostics, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics.sorted() {
        text.push_str(&renderer.render(&[group(diagnostic)]));
        text.push_str("\n\n");
    }
    text.push_str(&summary(diagnostics));
    text.push('\n');
    text
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.level {
        diagnostic::Level::Error => Level::ERROR,
        diagnostic::Level::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = Group::with_title(title);
    if let Some(location) = &diagnostic.location {
        let text = location.file.text.as_str();
        let end = location.range.end.clamp(location.range.start, text.len());
        let annotation = AnnotationKind::Primary.span(location.range.start.min(end)..end);
        let snippet =
            Snippet::source(text).path(location.file.path.as_str()).annotation(annotation);
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

fn summary(diagnostics: &Diagnostics) -> String {
    let all = diagnostics.sorted();
    let errors = all.iter().filter(|d| d.level == diagnostic::Level::Error).count();
    let warnings = all.len() - errors;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let shown = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
    match diagnostics.dropped() {
        0 => shown,
        more => format!("{shown}, and {more} more that are not shown"),
    }
}
