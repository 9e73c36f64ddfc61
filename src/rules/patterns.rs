//! Regular expressions: checked at load, run only where a literal they need was seen.

use std::{collections::BTreeSet, ops::Range};

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Look},
};

use crate::text::{View, standard_literal};

/// Memory of one compiled regex, in bytes.
const SIZE_MAX: usize = 1024 * 1024;
/// Memory of the lazy automaton of the set, in bytes: below 32 MiB it thrashes.
const SET_DFA_SIZE_MAX: usize = 64 * 1024 * 1024;
/// Deepest nesting of a regex.
const NEST_MAX: u32 = 64;
/// Most literals a regex may ask for.
const TRIGGERS_MAX: usize = 256;
/// Largest class that is unfolded letter by letter to look for a survivor of folding.
const CLASS_LETTERS_MAX: u32 = 4096;

/// One regex of an entry.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The entry's place in the ruleset.
    pub(super) entry: usize,
    regex: Regex,
}

impl Pattern {
    /// Its matches, leftmost first.
    pub(super) fn find_iter(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range())
    }
}

/// What a regex is once it passed the checks.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) pattern: Pattern,
    /// Literals of which one is in every match; empty: the regex runs on every text.
    pub(super) triggers: BTreeSet<String>,
}

/// What is wrong with a regex, and how to mend it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

/// Checks and compiles the regex of an entry.
pub(super) fn check(entry: usize, regex: &str, view: View) -> Result<Checked, Problem> {
    let parsed = ParserBuilder::new().nest_limit(NEST_MAX).build().parse(regex);
    let hir = parsed.map_err(|error| not_valid(&error.to_string()))?;
    if hir.properties().minimum_len().is_none_or(|len| len == 0) {
        return Err(problem("R021", "the regex matches the empty text", "let it need a character"));
    }
    let unicode_word = [
        Look::WordUnicode,
        Look::WordUnicodeNegate,
        Look::WordStartUnicode,
        Look::WordEndUnicode,
        Look::WordStartHalfUnicode,
        Look::WordEndHalfUnicode,
    ];
    if unicode_word.iter().any(|&look| hir.properties().look_set().contains(look)) {
        let help = "write `(?-u:\\b)` for Latin words, or spell out what may stand there";
        return Err(problem("R022", "`\\b` is a thousand times slower than it looks", help));
    }
    if view != View::Raw {
        survives_folding(&hir)?;
    }
    let built = RegexBuilder::new(regex).size_limit(SIZE_MAX).nest_limit(NEST_MAX).build();
    let regex = built.map_err(|error| not_valid(&error.to_string()))?;
    let triggers = required(&hir).map(|literals| literals.set).unwrap_or_default();
    let triggers = if triggers.iter().all(|t| long_enough(t)) { triggers } else { BTreeSet::new() };
    Ok(Checked { pattern: Pattern { entry, regex }, triggers })
}

/// The regexes that no literal can call, in one automaton.
#[derive(Debug, Default)]
pub(super) struct Uncalled {
    set: Option<RegexSet>,
    patterns: Vec<usize>,
}

impl Uncalled {
    /// The set of the patterns at these places.
    pub(super) fn build(all: &[Pattern], places: Vec<usize>) -> Result<Self, regex::Error> {
        if places.is_empty() {
            return Ok(Self::default());
        }
        let sources = places.iter().map(|&place| all[place].regex.as_str());
        let set = RegexSetBuilder::new(sources).dfa_size_limit(SET_DFA_SIZE_MAX).build()?;
        Ok(Self { set: Some(set), patterns: places })
    }

    /// The places of the patterns that match somewhere.
    pub(super) fn matching(&self, text: &str) -> impl Iterator<Item = usize> {
        let matches = self.set.as_ref().map(|set| set.matches(text));
        matches.into_iter().flatten().map(|index| self.patterns[index])
    }
}

/// Literals of which every match holds one.
struct Required {
    set: BTreeSet<String>,
    shortest: usize,
}

/// Walks the regex for the best set of required literals: the one whose shortest member is longest.
fn required(hir: &Hir) -> Option<Required> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?.to_owned();
            let shortest = text.chars().count();
            Some(Required { set: BTreeSet::from([text]), shortest })
        }
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min >= 1 => required(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(|r| r.shortest),
        HirKind::Alternation(parts) => {
            let all: Vec<Required> = parts.iter().map(required).collect::<Option<_>>()?;
            let shortest = all.iter().map(|r| r.shortest).min()?;
            let set: BTreeSet<String> = all.into_iter().flat_map(|r| r.set).collect();
            (set.len() <= TRIGGERS_MAX).then_some(Required { set, shortest })
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// One character is in too many texts to call a regex by.
fn long_enough(trigger: &str) -> bool {
    trigger.chars().count() >= 2
}

/// Refuses literals and classes that can never match because folding changes every letter of them.
fn survives_folding(hir: &Hir) -> Result<(), Problem> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let Ok(text) = std::str::from_utf8(&literal.0) else { return Ok(()) };
            let folded = standard_literal(text);
            if folded == text { Ok(()) } else { Err(folds_away(text, &folded)) }
        }
        HirKind::Class(class) if !class_survives(class) => {
            Err(folds_away("a class of characters", "others"))
        }
        HirKind::Capture(capture) => survives_folding(&capture.sub),
        HirKind::Repetition(repetition) => survives_folding(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().try_for_each(survives_folding)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => Ok(()),
    }
}

fn class_survives(class: &Class) -> bool {
    let Class::Unicode(class) = class else { return true };
    let letters = class.ranges().iter().map(|r| u32::from(r.end()) - u32::from(r.start()) + 1);
    if letters.sum::<u32>() > CLASS_LETTERS_MAX {
        return true;
    }
    let mut letters = class.ranges().iter().flat_map(|r| r.start()..=r.end());
    letters.any(|letter| {
        let text = String::from(letter);
        standard_literal(&text) == text
    })
}

fn folds_away(written: &str, folded: &str) -> Problem {
    let message = format!("{written:?} never matches: posts are folded to {folded:?} before");
    problem("R023", &message, "write the folded form, or say `view: raw`")
}

fn not_valid(reason: &str) -> Problem {
    // The crate's text shows the pattern over several lines; its last line says what is wrong.
    let reason = reason.lines().last().unwrap_or(reason).trim().trim_start_matches("error: ");
    problem("R020", &format!("the regex is not valid: {reason}"), "quote it with single quotes")
}

fn problem(code: &'static str, message: &str, help: &str) -> Problem {
    Problem { code, message: message.to_owned(), help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triggers(regex: &str) -> Vec<String> {
        let checked = check(0, regex, View::Standard).expect("the regex is fine");
        checked.triggers.into_iter().collect()
    }

    fn code(regex: &str) -> &'static str {
        check(0, regex, View::Standard).expect_err("the regex is refused").code
    }

    #[test]
    fn every_match_holds_one_of_the_triggers() {
        assert_eq!(triggers("微信号?[:：]?[a-z0-9]{6,}"), ["微信"]);
        assert_eq!(triggers("(?:earn|make) [0-9]+ (?:dollars|usd)"), ["earn", "make"]);
        assert_eq!(triggers("[a-z]+@[a-z]+"), [""; 0]);
        // Only `c` is in every match, and one letter calls too often.
        assert_eq!(triggers("(?:ab)?cd{2}"), [""; 0]);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        assert_eq!(code("("), "R020");
        assert_eq!(code("a*"), "R021");
        assert_eq!(code(r"\bscam\b"), "R022");
        assert_eq!(code("[A-Z]{5}"), "R023");
        assert_eq!(code("WeChat"), "R023");
        assert!(check(0, "[A-Z]{5}", View::Raw).is_ok());
        assert!(check(0, r"(?-u:\b)scam(?-u:\b)", View::Standard).is_ok());
        assert!(check(0, "(?i)wechat", View::Standard).is_ok());
    }
}
