//! The skeleton view: disguise undone.
//!
//! What is found only here is weak evidence, so the steps may err towards folding too much; they may
//! not make words of plain text, and what plain text they touch they touch alike in literals.

use std::ops::Range;

use super::{
    clusters::is_one_letter_word,
    confusables, diacritics, hangul,
    joined::{self, Gap, Joined, Kind},
    kana, leet, numerals,
    plain::is_plain,
    reading::Reading,
    reversed, separators, signs,
    splits::{self, Read},
    standard, table, thai, traditional, turned,
    units::{self, Unit},
};
use crate::text::{
    Normalized, NormalizedText, Span, offset,
    scripts::{is_letter, is_syllable, is_written_without_spaces},
};

/// The skeleton of a text: runs of a letter are squeezed to one letter, and how long each run was is
/// kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    view: NormalizedText,
    lengths: Vec<u8>,
    /// The gap before each character, where words are run together.
    gaps: Option<Vec<Gap>>,
    /// Where in the view each character begins; empty for ASCII, where place and number are equal.
    starts: Vec<u32>,
}

impl Skeleton {
    /// The skeleton of these units, unless its text is not worth the way back to the original.
    fn of(
        units: &[Unit],
        lengths: Vec<u8>,
        gaps: Option<Vec<Gap>>,
        source: &Source<'_>,
    ) -> Option<Self> {
        if !(source.worth)(&units.iter().map(|unit| unit.ch).collect::<String>()) {
            return None;
        }
        let view = units::mapped(units, source.standard, source.original.len());
        let starts = match view.text() {
            text if text.is_ascii() => Vec::new(),
            text => text.char_indices().map(|(at, _)| offset(at)).collect(),
        };
        Some(Self { view, lengths, gaps, starts })
    }

    /// The folded text, mapped to the original.
    pub fn view(&self) -> &NormalizedText {
        &self.view
    }

    /// Whether words are run together, so that the view has no spaces.
    pub fn is_joined(&self) -> bool {
        self.gaps.is_some()
    }

    /// How long the run of each character inside `span` was; 255 stands for longer ones too.
    ///
    /// # Panics
    /// When the span does not lie inside the view.
    pub fn runs(&self, span: Span<Normalized>) -> &[u8] {
        &self.lengths[self.places(span)]
    }

    /// Whether the literal, whose characters stand in `span`, is spelled there as it may be.
    ///
    /// # Panics
    /// When the span does not lie inside the view, or `original` is not the view's original.
    pub fn spells(
        &self,
        literal: &SkeletonLiteral,
        form: Form,
        span: Span<Normalized>,
        original: &str,
    ) -> bool {
        let places = self.places(span);
        let text = &self.view.text()[span.range()];
        let joined = literal.joined.iter().find(|joined| joined.text == text);
        let (runs, own) = match joined.filter(|_| form == Form::Joined) {
            Some(joined) => (&joined.runs, Some(&joined.gaps)),
            None => (&literal.runs, None),
        };
        let text = text.chars();
        if !match_runs(runs, &self.lengths[places.clone()], text.clone()) {
            return false;
        }
        let all = self.gaps.as_deref();
        if all.is_none() && form == Form::Written {
            return true;
        }
        let own = own.map(Vec::as_slice).unwrap_or_default().iter().copied();
        let found = all.and_then(|gaps| gaps.get(places.clone())).unwrap_or_default();
        let gaps = own.chain(std::iter::repeat(Gap::default()));
        let gaps = gaps.zip(found.iter().copied().chain(std::iter::repeat(Gap::default())));
        let reads = text.zip(&self.lengths[places.clone()]).zip(gaps);
        let reads: Vec<Read> =
            reads.map(|((ch, &run), (own, found))| Read { ch, run, found, own }).collect();
        let edge = Gap { kind: Kind::Barrier, ..Gap::default() };
        let after = all.and_then(|gaps| gaps.get(places.end).copied()).unwrap_or(edge);
        let written = || &original[self.view.original_span(span).range()];
        splits::may_be_read(&reads, after, || written().chars().any(joined::separates))
    }

    /// Whether `span` begins or ends inside a word whose letters all stand apart, as `pakis` would in
    /// `P A K I S T A N`. A word of one letter before or after it is no part of it: `a f u c k`.
    ///
    /// # Panics
    /// When the span does not lie inside the view, or `original` is not the view's original.
    pub fn cuts(&self, span: Span<Normalized>, original: &str) -> bool {
        let (text, range) = (self.view.text(), span.range());
        let place = |at: usize, len: usize| {
            self.view.original_span(Span::<Normalized>::from_range(at..at + len)).range()
        };
        let gap = |first: Range<usize>, second: Range<usize>| {
            original.get(first.end..second.start).filter(|gap| gap.contains(joined::separates))
        };
        let mut inside = text[range.clone()].char_indices();
        let (Some((_, first)), Some((second, ch))) = (inside.next(), inside.next()) else {
            return false;
        };
        let start = place(range.start, first.len_utf8());
        let Some(own) = gap(start.clone(), place(range.start + second, ch.len_utf8())) else {
            return false;
        };
        let goes_on = |near: Option<char>, beyond: Option<char>| {
            near.is_some_and(|near| {
                is_letter(near)
                    && !is_syllable(near)
                    && !is_written_without_spaces(near)
                    && (!is_one_letter_word(near) || beyond.is_some_and(is_letter))
            })
        };
        // Where words run together, what stands behind a gap is another word.
        let places = self.places(span);
        let same_word = |at: usize| match &self.gaps {
            Some(gaps) => gaps.get(at).is_some_and(|gap| gap.kind == Kind::None),
            None => true,
        };
        let mut before = text[..range.start].chars().rev();
        let mut after = text[range.end..].chars();
        let (left, right) = (before.next(), after.next());
        let same_left = left.is_some_and(|ch| {
            gap(place(range.start - ch.len_utf8(), ch.len_utf8()), start) == Some(own)
        });
        let same_right = right.is_some_and(|ch| {
            let end = self.view.original_span(span).range();
            gap(end, place(range.end, ch.len_utf8())) == Some(own)
        });
        (same_left && same_word(places.start) && goes_on(left, before.next()))
            || (same_right && same_word(places.end) && goes_on(right, after.next()))
    }

    fn places(&self, span: Span<Normalized>) -> Range<usize> {
        if self.starts.is_empty() {
            return span.range();
        }
        let place = |at: u32| self.starts.partition_point(|&start| start < at);
        place(span.start())..place(span.end())
    }
}

/// Which form of a literal was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With the gaps between its words.
    Written,
    /// With its words run together.
    Joined,
}

/// A literal of a rule in the skeleton view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkeletonLiteral {
    /// The text to look for.
    pub text: String,
    /// How long the run of each of its characters was.
    pub runs: Vec<u8>,
    /// The same with its words run together, in one spelling or two; nothing for a single word.
    pub joined: Vec<JoinedLiteral>,
}

/// A literal of several words, run together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedLiteral {
    /// The text to look for.
    pub text: String,
    runs: Vec<u8>,
    gaps: Vec<Gap>,
}

impl SkeletonLiteral {
    /// The literal with every letter of its runs.
    pub fn unsqueezed(&self) -> String {
        let letters = self.text.chars().zip(&self.runs);
        letters.flat_map(|(ch, &run)| std::iter::repeat_n(ch, run.into())).collect()
    }
}

/// Whether runs of these lengths spell a literal: all equal its own, or none is shorter and one is
/// longer by repetition that no spelling has, three or more. Where words run together, the first and
/// the last may go on: the same character ends one word and begins the next.
fn match_runs(own: &[u8], found: &[u8], text: impl Iterator<Item = char>) -> bool {
    let enough = || own.iter().zip(found).all(|(own, found)| found >= own);
    if found.len() != own.len() || !enough() {
        return false;
    }
    if found == own || found.iter().any(|&run| run >= 3) {
        return true;
    }
    let last = own.len() - 1;
    let mut letters = own.iter().zip(found).zip(text).enumerate();
    letters.all(|(at, ((own, found), ch))| {
        own == found || ((at == 0 || at == last) && is_written_without_spaces(ch))
    })
}

/// A text that is taken apart, and which folded texts are worth it.
struct Source<'a> {
    original: &'a str,
    standard: &'a NormalizedText,
    worth: &'a dyn Fn(&str) -> bool,
}

/// The skeletons of a text: with its gaps where it hides something, and with its words run together
/// where that says more. Most texts have none. Those that are not `worth` it by their folded text are
/// left out, which spares the way back to the original.
///
/// # Panics
/// When `standard` is not the standard view of `original`.
pub fn skeletons(
    original: &str,
    standard: &NormalizedText,
    worth: &dyn Fn(&str) -> bool,
) -> Vec<Skeleton> {
    let source = Source { original, standard, worth };
    if is_plain(original, standard.text()) {
        let joined = joined::join_plain(original, standard);
        return joined.and_then(|joined| run_together(joined, &source)).into_iter().collect();
    }
    disguised(&source)
}

fn disguised(source: &Source<'_>) -> Vec<Skeleton> {
    let mut found = Vec::new();
    let mut reading = Reading::FIRST;
    read(source, &mut reading, &mut found);
    if reading.ambiguous {
        let mut second = Reading::SECOND;
        read(source, &mut second, &mut found);
    }
    found
}

/// All skeletons, without a quick look before.
#[cfg(test)]
pub(super) fn all(original: &str, standard: &NormalizedText) -> Vec<Skeleton> {
    disguised(&Source { original, standard, worth: &|_| true })
}

/// Appends the skeletons of one reading.
fn read(source: &Source<'_>, reading: &mut Reading, found: &mut Vec<Skeleton>) {
    let &Source { original, standard, .. } = source;
    let mut units = units::of(standard);
    let undone = undo_disguise(&mut units, original, standard, reading);
    let joined = joined::join(&units, original, standard);
    let lengths = squeeze(&mut units);
    if undone || lengths.iter().any(|&length| length >= 3) {
        found.extend(Skeleton::of(&units, lengths, None, source));
    }
    found.extend(joined.and_then(|joined| run_together(joined, source)));
}

fn run_together(joined: Joined, source: &Source<'_>) -> Option<Skeleton> {
    let Joined { units, gaps, runs, .. } = joined;
    Skeleton::of(&units, runs, Some(gaps), source)
}

/// The skeleton of a text that keeps its gaps; nothing when it says no more than the standard view.
///
/// # Panics
/// When `standard` is not the standard view of `original`.
pub fn skeleton(original: &str, standard: &NormalizedText) -> Option<Skeleton> {
    skeletons(original, standard, &|_| true).into_iter().find(|skeleton| !skeleton.is_joined())
}

/// A literal as the skeleton view shows it.
pub fn skeleton_literal(literal: &str) -> SkeletonLiteral {
    let standard = standard::standard(literal);
    let mut units = units::of(&standard);
    let mut reading = Reading::FIRST;
    undo_disguise(&mut units, literal, &standard, &mut reading);
    let text = |units: &[Unit]| units.iter().map(|unit| unit.ch).collect::<String>();
    let joined =
        |Joined { units, gaps, runs, .. }: Joined| JoinedLiteral { text: text(&units), runs, gaps };
    let joined: Vec<_> = joined::join_literal(&units).into_iter().map(joined).collect();
    let runs = squeeze(&mut units);
    let text = text(&units);
    let joined = joined.into_iter().filter(|joined| joined.text != text).collect();
    SkeletonLiteral { text, runs, joined }
}

/// Every step but squeezing, in order; whether any of them changed anything.
fn undo_disguise(
    units: &mut Vec<Unit>,
    original: &str,
    standard: &NormalizedText,
    reading: &mut Reading,
) -> bool {
    let folded = [
        reversed::undo(units, original, standard, reading),
        signs::undo(units),
        turned::undo(units),
        diacritics::undo(units),
        simplify(units),
        hangul::undo(units),
        thai::undo(units),
        separators::undo(units),
        confusables::undo(units, original, standard, reading),
        leet::undo(units, original, standard, reading),
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
