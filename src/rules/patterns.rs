//! Regular expressions: checked at load, run only where a literal they need was seen.

use std::{collections::BTreeSet, ops::Range};

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Look, literal::Extractor},
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
/// Characters from which on a longer literal calls hardly less often.
const TRIGGER_LETTERS: usize = 8;
/// Largest class that is written out in literals: an optional letter or two, not all digits.
const TRIGGER_CLASS_MAX: usize = 4;
/// Longest literal that calls a regex, in bytes.
const TRIGGER_BYTES_MAX: usize = 32;
/// Largest class that is unfolded letter by letter to look for a survivor of folding.
const CLASS_LETTERS_MAX: u32 = 4096;

/// One regex of an entry.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The entry's place in the ruleset.
    pub(super) entry: usize,
    pub(super) regex: Regex,
}

impl Pattern {
    /// Its matches, leftmost first.
    pub(super) fn find_iter(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range())
    }
}

/// What a regex is once it passed the checks. Copies share what was compiled.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) regex: Regex,
    /// Literals of which one is in every match; empty: the regex runs on every text.
    pub(super) triggers: BTreeSet<String>,
}

/// What is wrong with a regex, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

/// Checks and compiles a regex for a view.
pub(super) fn check(regex: &str, view: View) -> Result<Checked, Problem> {
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
    Ok(Checked { regex, triggers })
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
    /// Characters of the shortest.
    shortest: usize,
}

impl Required {
    fn new(set: BTreeSet<String>) -> Option<Self> {
        let shortest = set.iter().map(|literal| literal.chars().count()).min()?;
        (shortest > 0 && set.len() <= TRIGGERS_MAX).then_some(Self { set, shortest })
    }

    /// Long literals call seldom; of equally long ones fewer are better.
    fn worth(&self) -> impl Ord + use<> {
        (self.shortest.min(TRIGGER_LETTERS), std::cmp::Reverse(self.set.len()))
    }
}

/// Walks the regex for the best set of required literals.
fn required(hir: &Hir) -> Option<Required> {
    let inside = match hir.kind() {
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min >= 1 => required(&repetition.sub),
        HirKind::Concat(parts) => {
            let rests = (1..parts.len()).map(|from| prefixes(&Hir::concat(parts[from..].to_vec())));
            let inside = parts.iter().map(required).chain(rests);
            inside.flatten().max_by_key(Required::worth)
        }
        HirKind::Alternation(parts) => {
            let all: Option<Vec<Required>> = parts.iter().map(required).collect();
            all.and_then(|all| Required::new(all.into_iter().flat_map(|r| r.set).collect()))
        }
        HirKind::Literal(_)
        | HirKind::Empty
        | HirKind::Class(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_) => None,
    };
    inside.into_iter().chain(prefixes(hir)).max_by_key(Required::worth)
}

/// Literals of which every match begins with one.
fn prefixes(hir: &Hir) -> Option<Required> {
    let mut extractor = Extractor::new();
    extractor.limit_class(TRIGGER_CLASS_MAX);
    extractor.limit_total(TRIGGERS_MAX / 2).limit_literal_len(TRIGGER_BYTES_MAX);
    let found = extractor.extract(hir);
    let texts = found.literals()?.iter().map(|literal| {
        let bytes = literal.as_bytes();
        // A literal that was cut off may end inside a character.
        let whole = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        whole.to_owned()
    });
    Required::new(texts.collect())
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
    use proptest::prelude::*;

    use super::*;

    fn triggers(regex: &str) -> Vec<String> {
        let checked = check(regex, View::Standard).expect("the regex is fine");
        checked.triggers.into_iter().collect()
    }

    fn code(regex: &str) -> &'static str {
        check(regex, View::Standard).expect_err("the regex is refused").code
    }

    #[test]
    fn every_match_holds_one_of_the_triggers() {
        assert_eq!(triggers("微信号?[:：]?[a-z0-9]{6,}"), ["微信"]);
        assert_eq!(triggers("(?:earn|make) [0-9]+ (?:dollars|usd)"), ["earn ", "make "]);
        assert_eq!(
            triggers("[0-9]+ (?:my|our) (?:free )?group"),
            ["my free group", "my group", "our free group", "our group"]
        );
        assert_eq!(triggers("[a-z]+@[a-z]+"), [""; 0]);
        assert_eq!(triggers("(?:ab)?cd{2}"), ["cdd"]);
        // Only `c` is in every match, and one letter calls too often.
        assert_eq!(triggers("[a-z]+c[a-z]+"), [""; 0]);
    }

    proptest! {
        /// Whatever a regex matches, one of its triggers calls it.
        #[test]
        fn no_match_goes_uncalled((regex, text) in a_regex_and_a_match()) {
            let triggers = triggers(regex);
            let called = |trigger: &String| text.contains(trigger.as_str());
            prop_assert!(triggers.iter().any(called), "{regex} matches {text:?}: {triggers:?}");
        }
    }

    fn a_regex_and_a_match() -> impl Strategy<Value = (&'static str, String)> {
        let regexes = [
            "(?:earn|make) [0-9]+ (?:dollars|usd)",
            "(?:join|dm for) (?:my|our) (?:free |vip )*(?:crypto|forex|coin) (?:group|chat)s?",
            "(?:加 ?vx|加微信?|\\+ ?wx)号?[: ]{0,3}[a-z0-9_-]{6,20}",
            "[a-z]{2,4}(?:ab|c[de]f|(?:gh)+)x?yz",
            "(?i)we(?:chat|ixin) ?id",
            "(?:日赚|月入)\\d{3,}(?:元|块)?|躺赚",
            "[^.!]{0,20}(?:police|is a scam)[^.!]{0,20}",
            "a{2,9}bc?d",
            "(?:süd|norden|grund)?[äöü]?west",
        ];
        prop::sample::select(regexes.to_vec()).prop_flat_map(|regex| {
            let matches = prop::string::string_regex(regex).expect("a regex without edges");
            (Just(regex), matches)
        })
    }

    #[test]
    fn what_cannot_work_is_refused() {
        assert_eq!(code("("), "R020");
        assert_eq!(code("a*"), "R021");
        assert_eq!(code(r"\bscam\b"), "R022");
        assert_eq!(code("[A-Z]{5}"), "R023");
        assert_eq!(code("WeChat"), "R023");
        assert!(check("[A-Z]{5}", View::Raw).is_ok());
        assert!(check(r"(?-u:\b)scam(?-u:\b)", View::Standard).is_ok());
        assert!(check("(?i)wechat", View::Standard).is_ok());
    }
}
