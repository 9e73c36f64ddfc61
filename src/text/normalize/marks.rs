//! Letters with their combining marks: composed where Unicode composes them, and freed of marks that
//! no writing puts there.
//!
//! Marks of a script of its own (Thai, Indic, Khmer, …) always stay. Of the marks that scripts share,
//! Latin, Greek, Cyrillic, Han, Hangul letters, digits and signs keep what composes with them; the
//! other scripts keep two a letter; kana keep their voice marks.

use unicode_normalization::UnicodeNormalization;
use unicode_script::Script;

use super::letters::{self, Letter};
use crate::text::scripts::{is_kana, is_mark, is_shared_mark, script};

/// Shared marks that a letter of the other scripts may carry.
const MARKS_MAX: usize = 2;

/// The fold of a short text, letter by letter and mark by mark, until folding it again changes nothing.
pub(super) fn settle(text: &str) -> String {
    let mut settled = once(text);
    // Two rounds are the rule and three the most seen; the bound is for certainty.
    for _ in 0..6 {
        let next = once(&settled);
        if next == settled {
            break;
        }
        settled = next;
    }
    settled
}

fn once(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for ch in text.nfkc().flat_map(char::to_lowercase) {
        match letters::fold(ch) {
            Letter::Nothing => {}
            Letter::One(ch) => folded.push(ch),
            Letter::Many(several) => folded.push_str(several),
        }
    }
    without_strange_marks(folded.nfkc()).nfkc().collect()
}

/// The characters without the marks that their letters do not keep.
fn without_strange_marks(chars: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut base = None;
    let mut kept = 0;
    chars.filter(move |&ch| {
        if !is_mark(ch) {
            base = Some(ch);
            kept = 0;
            return true;
        }
        let keeps = keeps(base, ch, kept);
        kept += usize::from(keeps && is_shared_mark(ch));
        keeps
    })
}

fn keeps(base: Option<char>, mark: char, kept: usize) -> bool {
    let Some(base) = base else { return !is_shared_mark(mark) };
    if matches!(mark, '\u{3099}' | '\u{309A}') {
        return is_kana(base) && kept < MARKS_MAX;
    }
    match script(base) {
        Script::Latin | Script::Greek | Script::Cyrillic => false,
        Script::Common | Script::Han | Script::Hangul | Script::Hiragana | Script::Katakana => {
            !is_shared_mark(mark)
        }
        _ => !is_shared_mark(mark) || kept < MARKS_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_where_a_writing_puts_them() {
        for (text, expected) in [
            ("e\u{301}", "é"),
            ("u\u{308}", "ü"),
            ("o\u{302}\u{300}", "ồ"),
            ("и\u{306}", "й"),
            ("f\u{336}", "f"),
            ("a\u{300}\u{301}\u{302}\u{303}", "à"),
            ("微\u{336}", "微"),
            ("か\u{3099}", "が"),
            ("あ\u{3099}", "あ\u{3099}"),
            ("ก็\u{e47}\u{e47}", "ก็\u{e47}\u{e47}"),
            ("क्षि", "क्षि"),
            ("ᄀ\u{1161}\u{11a8}", "각"),
            ("İ", "i"),
            ("ẞ", "ss"),
            ("ﷺ", "صلي الله عليه وسلم"),
            ("1\u{20e3}", "1"),
            ("\u{301}", ""),
        ] {
            assert_eq!(settle(text), expected, "{text}");
        }
    }
}
