//! Distances between places of one text, in graphemes of the standard view.

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation;

use super::ruleset::{Find, ScanPart};
use crate::text::Span;

/// Measures in the texts of one post. A text is measured when a distance in it is first asked for.
pub(super) struct Rulers<'a> {
    parts: &'a [ScanPart<'a>],
    /// By part, where each grapheme of the standard view begins in the original.
    marks: BTreeMap<usize, Vec<u32>>,
}

/// Where finds stand, so that a distance to the nearest of them costs no walk over all.
pub(super) struct Places {
    /// Part, start, and the farthest end of all that start no later in that part; sorted.
    sorted: Vec<(usize, usize, usize)>,
    within: usize,
}

impl<'a> Rulers<'a> {
    pub(super) fn new(parts: &'a [ScanPart<'a>]) -> Self {
        Self { parts, marks: BTreeMap::new() }
    }

    /// The surroundings of `finds`, so many graphemes wide.
    pub(super) fn around(&mut self, finds: impl Iterator<Item = Find>, within: usize) -> Places {
        let places = finds.map(|find| {
            let (start, end) = self.place(find);
            (find.part, start, end)
        });
        let mut sorted: Vec<_> = places.collect();
        sorted.sort_unstable();
        let mut reach = (0, 0);
        for (part, _, end) in &mut sorted {
            reach = if reach.0 == *part { (*part, reach.1.max(*end)) } else { (*part, *end) };
            *end = reach.1;
        }
        Places { sorted, within }
    }

    /// Whether `other` stands there.
    pub(super) fn has(&mut self, places: &Places, other: Find) -> bool {
        let (start, end) = self.place(other);
        let farthest = (other.part, end + places.within);
        let after = places.sorted.partition_point(|&(part, start, _)| (part, start) <= farthest);
        let last = after.checked_sub(1).map(|last| places.sorted[last]);
        last.is_some_and(|(part, _, reach)| part == other.part && reach + places.within >= start)
    }

    /// From which grapheme up to which a find stands.
    fn place(&mut self, find: Find) -> (usize, usize) {
        let part = &self.parts[find.part];
        let marks = self.marks.entry(find.part).or_insert_with(|| marks(part));
        // What was folded away belongs to the grapheme before it.
        let of = |at: u32| marks.partition_point(|mark| *mark <= at).saturating_sub(1);
        let (start, span) = (of(find.span.start()), find.span);
        (start, if span.is_empty() { start } else { of(span.end() - 1) + 1 })
    }
}

fn marks(part: &ScanPart<'_>) -> Vec<u32> {
    let graphemes = part.standard.text().grapheme_indices(true);
    let original = |(at, grapheme): (usize, &str)| {
        part.standard.original_span(Span::from_range(at..at + grapheme.len())).start()
    };
    graphemes.map(original).collect()
}
