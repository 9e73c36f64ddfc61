//! One automaton a view over every literal of every rule.
//!
//! Matches overlap on purpose: a longer keyword of one rule must not hide a shorter one of another.

use std::{collections::BTreeMap, ops::Range};

use daachorse::{CharwiseDoubleArrayAhoCorasick as Automaton, errors::DaachorseError};

/// What a pattern's match is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// An entry's literal was seen.
    Entry(usize),
    /// An entry's literal was seen without its diacritics: what the skeleton view of a text without any
    /// would show, which is not made.
    Bare(usize),
    /// An entry's literal of several words was seen with its words run together.
    Joined(usize),
    /// A literal that a regex needs was seen.
    Trigger(usize),
}

/// All literals of one view.
#[derive(Default)]
pub(super) struct Literals {
    /// Says of each match which of the targets it is for.
    automaton: Option<Automaton<u32>>,
    targets: Vec<Box<[Target]>>,
}

impl std::fmt::Debug for Literals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Literals({})", self.targets.len())
    }
}

impl Literals {
    pub(super) fn build(patterns: BTreeMap<String, Vec<Target>>) -> Result<Self, DaachorseError> {
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        let automaton = Automaton::new(patterns.keys())?;
        let targets = patterns.into_values().map(Vec::into_boxed_slice).collect();
        Ok(Self { automaton: Some(automaton), targets })
    }

    /// Whether a literal stands anywhere in a text.
    pub(super) fn finds(&self, text: &str) -> bool {
        let automaton = self.automaton.as_ref();
        automaton.is_some_and(|automaton| automaton.find_iter(text).next().is_some())
    }

    /// Calls `found` for every target of every match, until it says that it has enough.
    pub(super) fn scan(&self, text: &str, mut found: impl FnMut(Target, Range<usize>) -> Enough) {
        let Some(automaton) = &self.automaton else { return };
        for seen in automaton.find_overlapping_iter(text) {
            for &target in &*self.targets[seen.value() as usize] {
                if found(target, seen.start()..seen.end()) == Enough::Yes {
                    return;
                }
            }
        }
    }
}

/// Whether a scan may stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enough {
    No,
    Yes,
}

/// The literal at which the most patterns end, with their number.
pub(super) fn densest_end(patterns: &BTreeMap<String, Vec<Target>>) -> Option<(&str, usize)> {
    let ends = |pattern: &str| -> usize {
        let suffixes = pattern.char_indices().map(|(at, _)| &pattern[at..]);
        suffixes.filter_map(|suffix| patterns.get(suffix)).map(Vec::len).sum()
    };
    patterns.keys().map(|pattern| (pattern.as_str(), ends(pattern))).max_by_key(|&(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_literals_are_all_found() {
        let words = ["he", "she", "hers"];
        let patterns =
            words.iter().enumerate().map(|(i, w)| ((*w).into(), vec![Target::Entry(i)])).collect();
        assert_eq!(densest_end(&patterns), Some(("she", 2)));
        let literals = Literals::build(patterns).expect("three words fit");
        let mut found = Vec::new();
        literals.scan("ushers", |target, range| {
            found.push((target, range));
            Enough::No
        });
        found.sort_by_key(|(_, range)| (range.start, range.end));
        // Patterns are sorted, so `hers` stands before `she`; targets keep their own numbers.
        let expected =
            [(Target::Entry(1), 1..4), (Target::Entry(0), 2..4), (Target::Entry(2), 2..6)];
        assert_eq!(found, expected);
    }
}
