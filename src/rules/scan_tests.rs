//! The scan against a naive one: whatever the rules and the text, both find the same.

use std::sync::Arc;

use proptest::prelude::*;

use super::{ListFiles, PackFile, Ruleset, ScanPart, Vocabulary, Which, compile, parse_pack};
use crate::{
    condition::ExtraKind,
    diagnostic::{Diagnostics, SourceFile},
    post::{Field, Surface},
    signal::RuleHit,
    text::{left_edge, right_edge, standard, standard_literal},
};

/// Packs about spam and about what is mandatory, compiled.
pub(super) fn compiled(packs: &[PackFile], out: &mut Diagnostics) -> Ruleset {
    let extra = [("tier".to_owned(), ExtraKind::Text)].into();
    let (categories, mandatory) = (&["spam", "child_safety"], &["child_safety"]);
    let vocabulary = Vocabulary { categories, mandatory, extra: &extra };
    compile(packs, &ListFiles::default(), &vocabulary, Which::Scanned, out)
}

/// The hits of a pack in a text.
pub(super) fn hits(pack: &str, text: &str) -> Vec<RuleHit> {
    let mut out = Diagnostics::default();
    let file = Arc::new(SourceFile { path: "packs/t.yaml".into(), text: pack.to_owned() });
    let pack = parse_pack(&file, &mut out).expect("the pack can be read");
    let rules = compiled(&[pack], &mut out);
    assert!(!out.has_errors(), "{out:?}");
    let view = standard(text);
    let part = ScanPart { field: Field::Body, index: None, original: text, standard: &view };
    rules.scan(&[part], Surface::Post).hits
}

/// The codes of what is wrong in a pack.
pub(super) fn refused(pack: &str) -> Vec<&'static str> {
    let mut out = Diagnostics::default();
    let file = Arc::new(SourceFile { path: "packs/t.yaml".into(), text: pack.to_owned() });
    if let Some(pack) = parse_pack(&file, &mut out) {
        compiled(&[pack], &mut out);
    }
    out.sorted().iter().map(|diagnostic| diagnostic.code).collect()
}

/// A pack of one rule.
pub(super) fn pack(rule: &str) -> String {
    format!("pack: t\nrules:\n  - {{id: r, category: spam, severity: 1, status: shadow, {rule}}}\n")
}

/// What is found, as the original text says it.
pub(super) fn found<'t>(pack: &str, text: &'t str) -> Vec<&'t str> {
    let hits = hits(pack, text);
    let uncancelled = hits.iter().filter(|hit| hit.cancelled_by.is_none());
    let spans = uncancelled.flat_map(|hit| &hit.spans);
    let mut spans: Vec<_> = spans.map(|span| span.bytes).collect();
    spans.sort_unstable();
    spans.into_iter().map(|span| &text[span.range()]).collect()
}

#[test]
fn each_kind_of_entry_has_its_edges() {
    let text = "cat concat cats scatter 我们cat了";
    let cases: [(&str, &[&str]); 5] = [
        ("any: [cat]", &["cat", "cat"]),
        ("any: [{prefix: cat}]", &["cat", "cat", "cat"]),
        ("any: [{suffix: cat}]", &["cat", "cat", "cat"]),
        ("any: [{text: cat}]", &["cat", "cat", "cat", "cat", "cat"]),
        ("any: [{exact: cat}]", &[]),
    ];
    for (rule, expected) in cases {
        assert_eq!(found(&pack(rule), text), expected, "{rule}");
    }
    assert_eq!(found(&pack("any: [{exact: cat}]"), "  Cat \n"), ["Cat"]);
}

#[test]
fn a_text_typed_without_diacritics_has_a_literal_with_them() {
    let text = "gerizekali misin, JEBAC to";
    let hits = hits(&pack("any: [gerizekalı, jebać]"), text);
    assert!(hits.iter().all(|hit| hit.obfuscated), "which is weak evidence");
    let spans = hits.iter().flat_map(|hit| &hit.spans);
    let found: Vec<&str> = spans.map(|span| &text[span.bytes.range()]).collect();
    assert_eq!(found, ["gerizekali", "JEBAC"]);
    assert_eq!(found_with_view_standard(text), [""; 0]);
}

/// The same where the rule asks for what is written.
fn found_with_view_standard(text: &str) -> Vec<&str> {
    found(&pack("any: [{word: gerizekalı, view: standard}, {word: jebać, view: standard}]"), text)
}

#[test]
fn the_longest_find_of_a_rule_counts_and_the_longest_exception_too() {
    let rule = pack("any: [加微信, 要不要加微信], unless: [不要加微信]");
    assert_eq!(found(&rule, "加微信"), ["加微信"]);
    assert_eq!(found(&rule, "请不要加微信"), [""; 0]);
    assert_eq!(found(&rule, "要不要加微信"), ["要不要加微信"]);
}

#[test]
fn neighbours_case_and_addresses_narrow_a_find() {
    let women = pack("any: [{word: 性交, not_after: [女, 男], not_before: [流]}]");
    assert_eq!(found(&women, "女性交流"), [""; 0]);
    assert_eq!(found(&women, "性交"), ["性交"]);
    assert_eq!(found(&pack("any: [{word: US, case: true}]"), "us US Us"), ["US"]);
    let link = "see https://a.example/spamword and @spamword, spamword";
    assert_eq!(found(&pack("any: [spamword]"), link), ["spamword"]);
}

#[test]
fn disguise_beside_a_plain_find_does_not_weaken_it() {
    let rule = pack("any: [出售冰毒]");
    for text in ["出售冰毒", "出售冰毒毒毒", "出售冰毒 出 售 冰 毒"] {
        let hits = hits(&rule, text);
        assert!(hits.iter().any(|hit| !hit.is_weak()), "{text}: {hits:?}");
    }
}

#[test]
fn a_heap_of_cancelled_finds_does_not_push_a_real_one_out() {
    let rules = "pack: t\nrules:\n  - {id: a, category: spam, severity: 1, status: shadow, any: [quoted], unless: [quoted words]}\n  - {id: b, category: spam, severity: 1, status: shadow, any: [grave words]}\n";
    let mut out = Diagnostics::default();
    let file = Arc::new(SourceFile { path: "packs/t.yaml".into(), text: rules.to_owned() });
    let pack = parse_pack(&file, &mut out).expect("the pack can be read");
    let rules = compiled(&[pack], &mut out);
    let (quoted, grave) = (standard("quoted words"), standard("grave words"));
    let part = |index, original, standard| ScanPart {
        field: Field::Tags,
        index: Some(index),
        original,
        standard,
    };
    let mut parts: Vec<ScanPart<'_>> = (0..300).map(|i| part(i, "quoted words", &quoted)).collect();
    parts.push(part(300, "grave words", &grave));
    let scanned = rules.scan(&parts, Surface::Post);
    assert!(scanned.truncated && scanned.hits.len() == 256);
    assert!(scanned.hits.iter().any(|hit| &*hit.entry == "grave words"));
}

#[test]
fn min_asks_for_different_entries() {
    let rule = pack("any: [red, green, blue], min: 2");
    assert_eq!(found(&rule, "red red red"), [""; 0]);
    assert_eq!(found(&rule, "red or green"), ["red", "green"]);
}

#[test]
fn a_regex_runs_where_its_literal_was_seen() {
    let rule = pack("any: [{regex: 'earn [0-9]+ (?:dollars|usd)'}]");
    assert_eq!(
        found(&rule, "EARN 500 dollars, earn ５00 USD"),
        ["EARN 500 dollars", "earn ５00 USD"]
    );
    assert_eq!(found(&rule, "earn many dollars"), [""; 0]);
}

proptest! {
    /// Words of two letters over a small alphabet meet often, also across edges and beside Han.
    #[test]
    fn a_scan_finds_what_a_naive_scan_finds(
        words in prop::collection::btree_set("[ab]{1,3}", 1..6),
        text in "[abAB 我。-]{0,24}",
    ) {
        let entries: Vec<String> = words.iter().map(|word| format!("{{word: {word}, view: standard}}")).collect();
        // One rule a word: longest matches compete only within a rule.
        let rule = |(i, entry): (usize, &String)| {
            format!("  - {{id: r{i}, category: spam, severity: 1, any: [{entry}]}}\n")
        };
        let rules: Vec<String> = entries.iter().enumerate().map(rule).collect();
        let rules = rules.concat();
        let pack = format!("pack: t\nrules:\n{rules}");
        let mut scanned: Vec<(String, usize, usize)> = hits(&pack, &text)
            .iter()
            .flat_map(|hit| {
                let entry = hit.entry.to_string();
                hit.spans.iter().map(move |s| (entry.clone(), s.bytes.range().start, s.bytes.range().end))
            })
            .collect();
        scanned.sort();
        let mut naive = Vec::new();
        for word in &words {
            let literal = standard_literal(word);
            for (start, _) in text.char_indices() {
                let end = start + literal.len();
                let here = text.get(start..end).is_some_and(|t| t.to_lowercase() == literal);
                if here && left_edge(&text, start) && right_edge(&text, end) {
                    naive.push((word.clone(), start, end));
                }
            }
        }
        naive.sort();
        prop_assert_eq!(scanned, naive);
    }
}
