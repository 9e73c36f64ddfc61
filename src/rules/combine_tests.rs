//! Combinations of entries against a naive reading of the same rule.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::scan_tests::{found, hits, pack, refused};

/// Whether the rule gives evidence in the text.
fn holds(rule: &str, text: &str) -> bool {
    hits(&pack(rule), text).iter().any(|hit| hit.cancelled_by.is_none())
}

#[test]
fn each_combination_holds_where_its_words_say() {
    for (rule, text, expected) in [
        ("all: [free, {any: [coin, token]}]", "a free token", true),
        ("all: [free, {any: [coin, token]}]", "a free lunch", false),
        ("any: [bonus], all: [free]", "free lunch", false),
        ("any: [bonus], all: [free]", "a bonus, free", true),
        ("any: [bonus], none: [parody]", "bonus!", true),
        ("any: [bonus], none: [parody]", "bonus, a parody", false),
        ("any: [bonus], none: [parody], unless: [no bonus]", "no bonus", false),
        ("any: [spam], count: \">= 3\"", "spam spam", false),
        ("any: [spam], count: \">= 3\"", "spam spam, spam", true),
        ("any: [spam, ham], count: \"< 3\"", "ham spam spam", false),
        ("any: [加微信], near: {any_of: [转账, 投资], within: 3}", "加微信一起来投资", true),
        ("any: [加微信], near: {any_of: [转账, 投资], within: 3}", "加微信我们一起投资", false),
        ("any: [加微信], near: {any_of: [转账, 投资], within: 3}", "投资", false),
        ("any: [加微信], near: {all_of: [转账, 投资], within: 9}", "加微信投资", false),
        ("any: [加微信], near: {all_of: [转账, 投资], within: 9}", "转账就加微信投资", true),
        // Two syllables are enough where other words must stand near.
        (
            "any: [{word: 微信, view: phonetic}], near: {any_of: [投资], within: 9}",
            "加薇芯投资",
            true,
        ),
        (
            "any: [{word: 微信, view: phonetic}], near: {any_of: [投资], within: 9}",
            "加薇芯聊",
            false,
        ),
        // An exception is no evidence for a group either.
        ("all: [bonus, free], unless: [bonus track]", "free bonus track", false),
        // A shorter entry of another group is not hidden by a longer one.
        ("all: [casino, casino bonus]", "casino bonus", true),
        ("any: [casino bonus], all: [casino]", "casino bonus", true),
    ] {
        assert_eq!(holds(rule, text), expected, "{rule}: {text}");
    }
}

#[test]
fn what_all_finds_is_evidence_and_what_near_finds_is_not() {
    let rule = pack("any: [加微信], all: [老师], near: {any_of: [投资], within: 20}");
    assert_eq!(found(&rule, "老师带你投资，加微信"), ["老师", "加微信"]);
}

#[test]
fn near_is_measured_in_characters_as_they_are_read_and_within_one_text() {
    let rule = "any: [red], near: {any_of: [blue], within: 3}";
    for (text, expected) in [
        ("red e\u{301} blue", true),
        ("red ee blue", false),
        ("red\u{200b}\u{200b}\u{200b}\u{200b} e blue", true),
        ("blue ｅ red", true),
    ] {
        assert_eq!(holds(rule, text), expected, "{text}");
    }
}

#[test]
fn literals_stand_for_every_spelling_and_count_as_one_entry() {
    let with = |rule: &str| {
        let rule = pack(rule);
        format!("variants: {{加: [加, \"+\", jia], 微信: [微信, vx]}}\n{rule}")
    };
    let lure = with("any: [\"{加}{微信}\"]");
    assert_eq!(found(&lure, "加微信 +vx jia微信 加QQ"), ["加微信", "+vx", "jia微信"]);
    let hits = hits(&lure, "加微信 +vx");
    assert!(hits.iter().all(|hit| &*hit.entry == "{加}{微信}"), "{hits:?}");
    let two = with("any: [\"{微信}\", telegram], min: 2");
    assert_eq!(found(&two, "微信 vx"), [""; 0]);
    assert_eq!(found(&two, "vx telegram"), ["vx", "telegram"]);
    assert_eq!(found(&pack("any: [\"a{{b}}\"]"), "an a{b} here"), ["a{b}"]);
}

#[test]
fn combinations_that_cannot_be_are_refused() {
    for (rule, code) in [
        ("min: 1", "R035"),
        ("none: [x y z]", "R036"),
        ("all: [one two], count: 3", "R036"),
        ("any: [one two], count: \"< 1\"", "R036"),
        ("any: [one two], count: many", "R036"),
        ("any: [one two], near: {within: 3}", "R036"),
        ("any: [one two], near: {any_of: [three], within: 0}", "R036"),
        ("any: [one two], near: {any_of: [three]}", "Y016"),
        ("all: [{any: []}]", "R036"),
        ("any: [one two], min: 2", "R035"),
        ("any: [\"{加}\"]", "R037"),
    ] {
        assert_eq!(refused(&pack(rule)).first(), Some(&code), "{rule}");
    }
}

/// A rule about one-letter words, and a text of such words.
#[derive(Debug, Clone)]
struct Case {
    all: bool,
    none: bool,
    min: usize,
    count: Option<usize>,
    /// Whether each, and how near.
    near: Option<(bool, usize)>,
    words: Vec<char>,
}

impl Case {
    fn rule(&self) -> String {
        let entry = |letter: char| format!("{{word: {letter}, view: standard}}");
        let list = |letters: &str| letters.chars().map(entry).collect::<Vec<_>>().join(", ");
        let mut rule = format!("any: [{}], min: {}", list("ab"), self.min);
        if self.all {
            let _ = write!(rule, ", all: [{{any: [{}]}}, {}]", list("cd"), entry('e'));
        }
        if self.none {
            let _ = write!(rule, ", none: [{}]", list("f"));
        }
        if let Some(count) = self.count {
            let _ = write!(rule, ", count: \">= {count}\"");
        }
        if let Some((each, within)) = self.near {
            let key = if each { "all_of" } else { "any_of" };
            let _ = write!(rule, ", near: {{{key}: [{}], within: {within}}}", list("gh"));
        }
        rule
    }

    /// What the rule says, read word by word.
    fn naive(&self) -> bool {
        let at = |letters: &str| -> Vec<usize> {
            let places = self.words.iter().enumerate();
            places.filter(|(_, word)| letters.contains(**word)).map(|(place, _)| place).collect()
        };
        let has = |letters: &str| !at(letters).is_empty();
        let different = "ab".chars().filter(|letter| self.words.contains(letter)).count();
        let evidence = if self.all { at("abcde") } else { at("ab") };
        // Between two words stand the words between them and the spaces.
        let near = |letter: char, within: usize| {
            let gap = |a: usize, b: usize| 2 * a.abs_diff(b) - 1;
            let places = at(&letter.to_string());
            places.iter().any(|a| evidence.iter().any(|b| gap(*a, *b) <= within))
        };
        different >= self.min
            && (!self.all || (has("cd") && has("e")))
            && !(self.none && has("f"))
            && self.count.is_none_or(|count| at("ab").len() >= count)
            && self.near.is_none_or(|(each, within)| {
                let (g, h) = (near('g', within), near('h', within));
                if each { g && h } else { g || h }
            })
    }
}

fn case() -> impl Strategy<Value = Case> {
    let near = prop::option::of((any::<bool>(), 1..8_usize));
    let words =
        prop::collection::vec(prop::sample::select("abcdefghz".chars().collect::<Vec<_>>()), 0..16);
    (any::<bool>(), any::<bool>(), 1..3_usize, prop::option::of(1..5_usize), near, words).prop_map(
        |(all, none, min, count, near, words)| Case { all, none, min, count, near, words },
    )
}

proptest! {
    #[test]
    fn a_combination_holds_where_a_naive_reading_says_so(case in case()) {
        let words: Vec<String> = case.words.iter().map(char::to_string).collect();
        let rule = case.rule();
        prop_assert_eq!(holds(&rule, &words.join(" ")), case.naive(), "{}", rule);
    }

    /// Within one rule a place counts where no longer one covers it, and only there.
    #[test]
    fn the_longest_places_of_one_rule_are_those_of_a_naive_reading(
        words in prop::collection::btree_set("[ab]{1,3}", 1..6),
        text in "[ab ]{0,14}",
    ) {
        let entry = |word: &String| format!("{{text: {word}, view: standard}}");
        let entries: Vec<String> = words.iter().map(entry).collect();
        let hits = hits(&pack(&format!("any: [{}]", entries.join(", "))), &text);
        let spans = hits.iter().flat_map(|hit| &hit.spans);
        let mut found: Vec<(usize, usize)> =
            spans.map(|span| (span.bytes.range().start, span.bytes.range().end)).collect();
        found.sort_unstable();
        let at = |start: usize| {
            let text = &text;
            let here = words.iter().filter(move |word| text[start..].starts_with(word.as_str()));
            here.map(move |word| (start, start + word.len()))
        };
        let all: Vec<(usize, usize)> = (0..text.len()).flat_map(at).collect();
        let covered = |place: &&(usize, usize)| {
            all.iter().any(|other| other != *place && other.0 <= place.0 && place.1 <= other.1)
        };
        let mut naive: Vec<(usize, usize)> =
            all.iter().filter(|place| !covered(place)).copied().collect();
        naive.sort_unstable();
        prop_assert_eq!(found, naive);
    }
}
