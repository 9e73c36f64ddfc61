//! The skeleton view: disguise undone.
//!
//! What is found only here is weak evidence, so the steps may err towards folding too much; they may
//! not make words of plain text, and what plain text they touch they touch alike in literals.

use super::{
    confusables, diacritics, kana, leet, numerals,
    plain::is_plain,
    separators, standard, table, traditional,
    units::{self, Unit},
};
use crate::text::{Normalized, NormalizedText, Span, offset, scripts::is_letter};

/// The skeleton of a text: runs of a letter are squeezed to one letter, and how long each run was is
/// kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    view: NormalizedText,
    lengths: Vec<u8>,
    /// Where in the view each character begins; empty for ASCII, where place and number are equal.
    starts: Vec<u32>,
}

impl Skeleton {
    /// The folded text, mapped to the original.
    pub fn view(&self) -> &NormalizedText {
        &self.view
    }

    /// How long the run of each character inside `span` was; 255 stands for longer ones too.
    ///
    /// # Panics
    /// When the span does not lie inside the view.
    pub fn runs(&self, span: Span<Normalized>) -> &[u8] {
        if self.starts.is_empty() {
            return &self.lengths[span.range()];
        }
        let place = |at: u32| self.starts.partition_point(|&start| start < at);
        &self.lengths[place(span.start())..place(span.end())]
    }
}

/// A literal of a rule in the skeleton view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkeletonLiteral {
    /// The text to look for.
    pub text: String,
    /// How long the run of each of its characters was.
    pub runs: Vec<u8>,
}

impl SkeletonLiteral {
    /// The literal with every letter of its runs.
    pub fn unsqueezed(&self) -> String {
        let letters = self.text.chars().zip(&self.runs);
        letters.flat_map(|(ch, &run)| std::iter::repeat_n(ch, run.into())).collect()
    }

    /// Whether runs of these lengths spell the literal: all equal its own, or none is shorter and one
    /// is longer by repetition that no spelling has, three or more.
    pub fn matches_runs(&self, found: &[u8]) -> bool {
        let long_enough = || self.runs.iter().zip(found).all(|(own, found)| found >= own);
        found.len() == self.runs.len()
            && (found == self.runs || (long_enough() && found.iter().any(|&run| run >= 3)))
    }
}

/// The skeleton of a text; nothing when it says no more than the standard view.
///
/// # Panics
/// When `standard` is not the standard view of `original`.
pub fn skeleton(original: &str, standard: &NormalizedText) -> Option<Skeleton> {
    if is_plain(standard.text()) { None } else { disguised(original, standard) }
}

/// The same without a quick look before.
pub(super) fn disguised(original: &str, standard: &NormalizedText) -> Option<Skeleton> {
    let mut units = units::of(standard);
    let undone = undo_disguise(&mut units, original, standard);
    let lengths = squeeze(&mut units);
    if !undone && lengths.iter().all(|&length| length < 3) {
        return None;
    }
    let view = units::mapped(&units, standard, original.len());
    let starts = match view.text() {
        text if text.is_ascii() => Vec::new(),
        text => text.char_indices().map(|(at, _)| offset(at)).collect(),
    };
    Some(Skeleton { view, lengths, starts })
}

/// A literal as the skeleton view shows it.
pub fn skeleton_literal(literal: &str) -> SkeletonLiteral {
    let standard = standard::standard(literal);
    let mut units = units::of(&standard);
    undo_disguise(&mut units, literal, &standard);
    let runs = squeeze(&mut units);
    SkeletonLiteral { text: units.iter().map(|unit| unit.ch).collect(), runs }
}

/// Every step but squeezing, in order; whether any of them changed anything.
fn undo_disguise(units: &mut Vec<Unit>, original: &str, standard: &NormalizedText) -> bool {
    let folded = [
        diacritics::undo(units),
        simplify(units),
        separators::undo(units),
        confusables::undo(units, original, standard),
        leet::undo(units),
        numerals::undo(units),
        kana::undo(units),
    ];
    folded.contains(&true)
}

/// Traditional characters that the standard view kept because kana stand among them.
fn simplify(units: &mut [Unit]) -> bool {
    let mut changed = false;
    for unit in units.iter_mut().filter(|unit| table::entry(unit.ch).is_traditional) {
        if let Some(simple) = traditional::simplified(unit.ch) {
            unit.ch = simple;
            changed = true;
        }
    }
    changed
}

/// Leaves one letter of every run of the same letter; the lengths of the runs.
fn squeeze(units: &mut Vec<Unit>) -> Vec<u8> {
    let mut lengths: Vec<u8> = Vec::with_capacity(units.len());
    let mut kept = 0_usize;
    for at in 0..units.len() {
        let unit = units[at];
        match kept.checked_sub(1) {
            Some(last) if units[last].ch == unit.ch && is_letter(unit.ch) => {
                units[last] = units[last].up_to(unit);
                lengths[last] = lengths[last].saturating_add(1);
            }
            _ => {
                units[kept] = unit;
                lengths.push(1);
                kept += 1;
            }
        }
    }
    units.truncate(kept);
    lengths
}
