//! A post's text made harmless for a terminal: what cannot be seen is spelled out, and nothing in it
//! can move the cursor, change colours or turn the line around.

use std::{borrow::Cow, fmt::Write as _};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Most combining marks that are shown on one base.
const MARKS_MAX: usize = 4;

/// One user-perceived character as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown<'a> {
    /// Where it begins in the text.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// What is printed.
    pub(super) text: Cow<'a, str>,
    /// Columns it takes.
    pub(super) width: usize,
}

/// The characters of a text as they are shown.
pub(super) fn shown(text: &str) -> impl Iterator<Item = Shown<'_>> {
    text.grapheme_indices(true).map(|(start, cluster)| {
        let shown = harmless(cluster);
        let width = shown.width();
        Shown { start, end: start + cluster.len(), text: shown, width }
    })
}

/// A text on one line, cut to so many columns.
pub(super) fn line(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut width = 0;
    for cluster in shown(text) {
        if width + cluster.width > columns {
            out.push('…');
            return out;
        }
        width += cluster.width;
        out.push_str(&cluster.text);
    }
    out
}

fn harmless(cluster: &str) -> Cow<'_, str> {
    let printable = |b: u8| (b' '..=b'~').contains(&b);
    if cluster.bytes().all(printable) {
        return Cow::Borrowed(cluster);
    }
    let mut out = String::with_capacity(cluster.len());
    let (mut before, mut marks) = ('\0', 0_usize);
    for ch in cluster.chars() {
        let joins = matches!(ch, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}');
        if let Some(picture) = picture(ch) {
            out.push(picture);
        } else if is_unseen(ch) && (!joins || before.is_ascii()) {
            let _ = write!(out, "⟨{:x}⟩", u32::from(ch));
        } else {
            let is_mark = unicode_width::UnicodeWidthChar::width(ch) == Some(0) && !joins;
            marks += usize::from(is_mark);
            if !is_mark || marks <= MARKS_MAX {
                out.push(ch);
            }
        }
        before = ch;
    }
    if marks > MARKS_MAX {
        let _ = write!(out, "⟨+{}⟩", marks - MARKS_MAX);
    }
    Cow::Owned(out)
}

/// The picture of a control character.
fn picture(ch: char) -> Option<char> {
    match ch {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(ch)),
        '\x7f' => Some('␡'),
        '\u{80}'..='\u{9f}' => Some('�'),
        _ => None,
    }
}

/// Whether nothing of it can be seen, or it turns the line around.
fn is_unseen(ch: char) -> bool {
    matches!(ch,
        '\u{AD}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_post_reaches_the_terminal_as_a_command() {
        for (text, expected) in [
            ("plain", "plain"),
            ("\x1b[31mred", "␛[31mred"),
            ("a\u{202e}b", "a⟨202e⟩b"),
            ("加\u{200b}微", "加⟨200b⟩微"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            ("a\u{200d}b", "a⟨200d⟩b"),
            ("e\u{301}", "e\u{301}"),
            ("Z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}", "Z\u{301}\u{302}\u{303}\u{304}⟨+2⟩"),
            ("one\r\ntwo\u{9b}", "one␍␊two�"),
        ] {
            assert_eq!(line(text, 80), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_before_the_column() {
        assert_eq!(line("加微信加微信", 7), "加微信…");
    }
}
