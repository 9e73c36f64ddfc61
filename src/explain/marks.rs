//! A text with carets below the places that rules saw.
//!
//! Columns are those of a terminal: wide characters take two, combining marks none.

use std::{fmt::Write as _, ops::Range};

use super::shown::{Shown, shown};

/// Columns of a line; longer ones are broken.
const COLUMNS: usize = 92;
/// Most lines that are shown of one text.
const LINES_MAX: usize = 12;
/// Most rows of carets below a line.
const ROWS_MAX: usize = 6;

/// A place with the number that stands for what saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    /// The number.
    pub(super) number: usize,
}

/// A line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Of the text.
    Text(String),
    /// Carets below the line before.
    Carets(String),
    /// So many lines were left out.
    LeftOut(usize),
}

/// The text with its marks: lines with marks first, and as many others as there is room for, all in
/// their order.
pub(super) fn marked(text: &str, marks: &[Mark]) -> Vec<Line> {
    let lines = broken(text);
    let of_line: Vec<Vec<&Mark>> = lines.iter().map(|line| marks_in(line, marks)).collect();
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|&at| (of_line[at].is_empty(), at));
    order.truncate(LINES_MAX);
    order.sort_unstable();
    let mut out = Vec::new();
    let mut next = 0;
    for at in order {
        if at > next {
            out.push(Line::LeftOut(at - next));
        }
        next = at + 1;
        out.push(Line::Text(lines[at].iter().map(|shown| &*shown.text).collect()));
        out.extend(carets(&lines[at], &of_line[at]).into_iter().map(Line::Carets));
    }
    if lines.len() > next {
        out.push(Line::LeftOut(lines.len() - next));
    }
    out
}

/// The lines of a text, the long ones broken.
fn broken(text: &str) -> Vec<Vec<Shown<'_>>> {
    let mut lines: Vec<Vec<Shown<'_>>> = vec![Vec::new()];
    let mut width = 0;
    for cluster in shown(text) {
        let ends = text[cluster.start..cluster.end].ends_with('\n');
        if width + cluster.width > COLUMNS {
            lines.push(Vec::new());
            width = 0;
        }
        width += cluster.width;
        lines.last_mut().expect("there is always a line").push(cluster);
        if ends {
            lines.push(Vec::new());
            width = 0;
        }
    }
    // What ends with a line's end has no line after it.
    if lines.len() > 1 && lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

/// The marks that begin on a line or reach into it.
fn marks_in<'m>(line: &[Shown<'_>], marks: &'m [Mark]) -> Vec<&'m Mark> {
    let (Some(first), Some(last)) = (line.first(), line.last()) else { return Vec::new() };
    let here = |mark: &&Mark| mark.range.start < last.end && first.start < mark.range.end;
    marks.iter().filter(here).collect()
}

/// Rows of carets, each with the numbers of its marks.
fn carets(line: &[Shown<'_>], marks: &[&Mark]) -> Vec<String> {
    let mut rows: Vec<(usize, String)> = Vec::new();
    let mut dropped = 0_usize;
    for mark in marks {
        let Some((start, end)) = columns(line, &mark.range) else { continue };
        let free = rows.iter().position(|(filled, _)| *filled <= start);
        let at = match free {
            Some(at) => at,
            None if rows.len() < ROWS_MAX => {
                rows.push((0, String::new()));
                rows.len() - 1
            }
            None => {
                dropped += 1;
                continue;
            }
        };
        let (filled, row) = &mut rows[at];
        let written = filled.saturating_sub(1);
        let label = mark.number.to_string();
        let (gap, carets) = (" ".repeat(start - written), "^".repeat(end - start));
        let _ = write!(row, "{gap}{carets} {label}");
        *filled = end + 1 + label.len() + 1;
    }
    let mut rows: Vec<String> = rows.into_iter().map(|(_, row)| row).collect();
    if dropped > 0 {
        rows.push(format!("and {dropped} more"));
    }
    rows
}

/// The columns of a place on a line, at least one.
fn columns(line: &[Shown<'_>], range: &Range<usize>) -> Option<(usize, usize)> {
    let mut column = 0;
    let (mut start, mut end) = (None, 0);
    for cluster in line {
        if cluster.start < range.end && range.start < cluster.end {
            start.get_or_insert(column);
            end = column + cluster.width;
        }
        column += cluster.width;
    }
    let start = start?;
    Some((start, end.max(start + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, marks: &[(Range<usize>, usize)]) -> String {
        let marks: Vec<Mark> = marks
            .iter()
            .map(|(range, number)| Mark { range: range.clone(), number: *number })
            .collect();
        let lines = marked(text, &marks).into_iter().map(|line| match line {
            Line::Text(text) | Line::Carets(text) => text,
            Line::LeftOut(lines) => format!("({lines} lines)"),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn carets_stand_below_wide_characters_and_combining_marks() {
        assert_eq!(drawn("加微信 ok", &[(0..9, 1)]), "加微信 ok\n^^^^^^ 1");
        assert_eq!(
            drawn("e\u{301}e\u{301}x bad", &[(8..11, 2)]),
            "e\u{301}e\u{301}x bad\n    ^^^ 2"
        );
        assert_eq!(drawn("a\u{200b}b", &[(0..5, 1)]), "a⟨200b⟩b\n^^^^^^^^ 1");
        assert_eq!(drawn("👩\u{200d}💻 x", &[(12..13, 1)]), "👩\u{200d}💻 x\n   ^ 1");
    }

    #[test]
    fn marks_share_a_row_where_there_is_room_and_overlap_below() {
        let text = "one two three four";
        let marks = [(0..3, 1), (0..7, 2), (14..18, 3)];
        assert_eq!(drawn(text, &marks), "one two three four\n^^^ 1         ^^^^ 3\n^^^^^^^ 2");
    }

    #[test]
    fn lines_with_marks_are_shown_before_others() {
        let text = format!("{}here\n{}", "nothing\n".repeat(40), "nothing\n".repeat(40));
        let drawn = drawn(&text, &[(320..324, 1)]);
        assert_eq!(drawn.lines().count(), 15, "{drawn}");
        assert!(drawn.contains("here␊\n^^^^ 1\n(40 lines)"), "{drawn}");
    }
}
