//! What rules ask of a post beside its words: conditions, languages, dates, decent phrases of the pack.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    Lack, ListFiles, Ruleset, ScanPart, Trace, Vocabulary, Which, Why, check_examples, compile,
    parse_pack,
    scan_tests::{compiled, found, pack, refused},
};
use crate::{
    condition::Circumstances,
    diagnostic::{Diagnostics, SourceFile},
    post::{Post, PostId},
    signal::{Language, Status},
    text::standard,
};

const NOW: &str = "2026-11-22T12:00:00Z";

fn rules(pack: &str) -> Ruleset {
    let mut out = Diagnostics::default();
    let file = Arc::new(SourceFile { path: "packs/t.yaml".into(), text: pack.to_owned() });
    let pack = parse_pack(&file, &mut out).expect("the pack can be read");
    let rules = compiled(&[pack], &mut out);
    assert!(!out.has_errors(), "{out:?}");
    rules
}

fn post(text: &str) -> Post {
    Post::of_text(PostId::new("p").expect("an id"), text)
}

/// The scan of a post that is decided now, and what it drops; both say the same.
fn trace(pack: &str, post: &Post) -> Trace {
    let rules = rules(pack);
    let views = [standard(&post.parts[0].text)];
    let parts = ScanPart::of(&post.parts, &views);
    let circumstances = Circumstances::new(post, NOW.parse().ok(), Language::new("en"));
    let trace = rules.trace(&parts, &circumstances);
    assert_eq!(rules.scan_under(&parts, &circumstances), trace.scanned);
    trace
}

/// Entry and status of every hit that nothing cancels.
fn seen(pack: &str, post: &Post) -> Vec<(String, Status)> {
    let hits = trace(pack, post).scanned.hits;
    let counts = hits.iter().filter(|hit| hit.cancelled_by.is_none());
    counts.map(|hit| (hit.entry.to_string(), hit.rule.status)).collect()
}

/// The same as [`pack`], enforced.
fn enforced(rule: &str) -> String {
    pack(rule).replace("status: shadow", "status: enforced")
}

#[test]
fn a_condition_is_asked_of_each_hit_and_tests_take_it_as_true() {
    let rule = pack("any: [free bonus], when: {author.age_days: \"< 30\", obfuscated: false}");
    assert_eq!(found(&rule, "free bonus"), ["free bonus"], "without a post it holds");
    let mut young = post("a free bonus, a fr33 b0nus");
    young.author.created_at = "2026-11-01T00:00:00Z".parse().ok();
    let told = trace(&rule, &young);
    assert_eq!(told.scanned.hits.len(), 1);
    assert_eq!(told.scanned.hits[0].spans.len(), 1, "the disguised one is another place");
    let mut old = young.clone();
    old.author.created_at = "2020-11-01T00:00:00Z".parse().ok();
    let told = trace(&rule, &old);
    assert!(told.scanned.hits.is_empty());
    let Why::Lacking(Lack::Condition(unmet)) = &told.near[0].why else {
        panic!("{:?}", told.near);
    };
    assert_eq!(unmet.to_string(), "author.age_days is 2212, not < 30");
}

#[test]
fn an_undeclared_key_is_refused_where_it_stands() {
    let undeclared = pack("any: [free bonus], when: {extra.teir: gold}");
    assert_eq!(refused(&undeclared), ["R091"]);
    assert_eq!(refused(&pack("any: [free bonus], when: {extra.tier: gold}")), [""; 0]);
}

#[test]
fn a_hit_in_another_language_is_weak_dropped_or_like_any_other() {
    let french = post("le train de Paris a encore du retard ce matin, nous sommes fatigués");
    let rule =
        |mismatch: &str| pack(&format!("any: [retard], languages: [en], mismatch: {mismatch}"));
    let weak = |mismatch: &str| {
        let hits = trace(&rule(mismatch), &french).scanned.hits;
        hits.iter().map(|hit| hit.language_mismatch).collect::<Vec<_>>()
    };
    assert_eq!(weak("cap"), [true]);
    assert_eq!(weak("ignore"), [false]);
    assert_eq!(weak("drop"), [false; 0]);
    assert_eq!(trace(&rule("drop"), &french).near[0].why, Why::Lacking(Lack::Language));
}

#[test]
fn a_declared_variety_is_another_language_where_the_rule_names_one() {
    let rule = pack("any: [rapariga], languages: [pt-BR]");
    for (declared, expected) in [(None, false), (Some("pt-PT"), true), (Some("pt-br"), false)] {
        let mut post = post("ela é uma rapariga");
        post.language = declared.map(str::to_owned);
        let hits = trace(&rule, &post).scanned.hits;
        assert_eq!(hits[0].language_mismatch, expected, "{declared:?}");
    }
    assert_eq!(refused(&pack("any: [rapariga], languages: [pt-Brazil]")), ["R004"]);
}

#[test]
fn what_has_expired_acts_as_shadow_and_softens_nothing() {
    let live = |entry: &str| vec![(entry.to_owned(), Status::Enforced)];
    let past = |entry: &str| vec![(entry.to_owned(), Status::Shadow)];
    let text = post("free bonus here");
    for (rule, expected) in [
        ("any: [free bonus], expires: 2026-11-23", live("free bonus")),
        ("any: [free bonus], expires: 2026-11-22", past("free bonus")),
        ("any: [{word: free bonus, expires: 2020-01-01}]", past("free bonus")),
        ("any: [{word: free bonus, expires: 2020-01-01}, here]", {
            [live("here"), past("free bonus")].concat()
        }),
        // Two are needed, and one of them has expired.
        ("any: [{word: free bonus, expires: 2020-01-01}, here], min: 2", {
            [past("free bonus"), past("here")].concat()
        }),
        ("any: [bonus], unless: [{word: free bonus, expires: 2020-01-01}]", live("bonus")),
        ("any: [bonus], none: [{word: here, expires: 2020-01-01}]", live("bonus")),
        ("any: [bonus], none: [{word: here, expires: 2030-01-01}]", vec![]),
    ] {
        let rule = format!("{rule}, hit: [free bonus here], miss: [none]");
        assert_eq!(seen(&enforced(&rule), &text), expected, "{rule}");
    }
}

#[test]
fn an_expiry_is_told_before_and_after_its_day() {
    let rules = rules(&pack("any: [{word: free bonus, expires: 2026-12-01}], expires: 2027-06-01"));
    let told = |now: &str| {
        let now: Timestamp = now.parse().expect("a time");
        rules.expiring(now).map(|told| told.message).collect::<Vec<_>>()
    };
    assert_eq!(told("2026-11-10T00:00:00Z"), [""; 0]);
    let entry = "the entry `free bonus` of t/r";
    let soon = format!("{entry} expires in 9 days, on 2026-12-01: it will act as shadow");
    assert_eq!(told("2026-11-22T12:00:00Z"), [soon]);
    let tomorrow = format!("{entry} expires tomorrow, on 2026-12-01: it will act as shadow");
    assert_eq!(told("2026-11-30T12:00:00Z"), [tomorrow]);
    let over = format!("{entry} has expired on 2026-12-01: it acts as shadow");
    assert_eq!(told("2026-12-01T00:00:00Z"), [over]);
    assert_eq!(told("2028-01-01T00:00:00Z").len(), 2);
}

#[test]
fn what_is_mandatory_neither_expires_nor_yields_to_the_phrases_of_its_pack() {
    let mandatory = |rule: &str| pack(rule).replace("category: spam", "category: child_safety");
    assert_eq!(refused(&mandatory("any: [free bonus], expires: 2030-01-01")), ["R080"]);
    let entry = "any: [{word: free bonus, expires: 2030-01-01}]";
    assert_eq!(refused(&mandatory(entry)), ["R080"]);
    let allowing = |pack: &str| format!("allow: [free bonus points]\n{pack}");
    let rule = "any: [free bonus]";
    assert_eq!(found(&allowing(&pack(rule)), "free bonus points"), [""; 0]);
    let kept = found(&allowing(&mandatory(rule)), "free bonus points");
    assert_eq!(kept, ["free bonus"]);
}

#[test]
fn a_host_is_found_with_its_subdomains_and_however_it_is_written() {
    let rule = pack("any: [{domain: evil.example}]");
    for text in [
        "evil.example",
        "visit https://www.evil.example/login now",
        "hxxp://evil[.]example/x",
        "evil dot example",
        "Evil (dot) Example!",
        "shop.evil[dot]example:8080",
        "看evil.example吧",
        "ｅｖｉｌ．example.",
    ] {
        assert_eq!(found(&rule, text).len(), 1, "{text}");
    }
    for text in ["notevil.example", "my-evil.example", "evil.example.com", "evil.examples", "evil"]
    {
        assert_eq!(found(&rule, text), [""; 0], "{text}");
    }
    assert_eq!(refused(&pack("any: [{domain: \"https://evil.example/x\"}]")), ["R009"]);
}

#[test]
fn a_deprecated_rule_needs_no_entries_and_keeps_its_id() {
    let retired = "{id: r, category: spam, severity: 1, status: deprecated}";
    let pack = |second: &str| format!("pack: t\nrules:\n  - {retired}\n  - {second}\n");
    let other = "{id: s, category: spam, severity: 1, any: [free bonus]}";
    assert_eq!(refused(&pack(other)), [""; 0]);
    assert_eq!(refused(&pack(&other.replace("id: s", "id: r"))), ["R001"]);
}

#[test]
fn lines_of_a_list_are_narrowed_and_expire_with_their_list() {
    let text = "pack: t\nlists: {l: {file: l.txt, expires: 2026-01-01}}\nrules:\n  - {id: r, category: spam, severity: 1, status: enforced, any: [{list: l}], hit: [x], miss: [x]}\n";
    let lines = "free bonus\tcase=true\nevil.example\tas=domain\texpires=2030-01-01\n";
    let source = |path: &str, text: &str| {
        Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() })
    };
    let compile_with = |lines: &str| {
        let mut out = Diagnostics::default();
        let pack = parse_pack(&source("p.yaml", text), &mut out).expect("the pack can be read");
        let lists = ListFiles::new([source("l.txt", lines)]);
        let vocabulary = Vocabulary { categories: &["spam"], mandatory: &[], extra: &[].into() };
        (compile(&[pack], &lists, &vocabulary, Which::Scanned, &mut out), out)
    };
    let (rules, out) = compile_with(lines);
    assert!(!out.has_errors(), "{out:?}");
    let post = post("Free bonus and free bonus at www.evil.example");
    let views = [standard(&post.parts[0].text)];
    let circumstances = Circumstances::new(&post, NOW.parse().ok(), None);
    let hits = rules.scan_under(&ScanPart::of(&post.parts, &views), &circumstances).hits;
    let told: Vec<_> =
        hits.iter().map(|hit| (&*hit.entry, hit.rule.status, hit.spans.len())).collect();
    let expected =
        [("domain: evil.example", Status::Enforced, 1), ("free bonus", Status::Shadow, 1)];
    assert_eq!(told, expected);
    let (_, out) = compile_with("free bonus\tcase=perhaps\n");
    let first = out.sorted()[0].clone();
    assert_eq!(
        (first.code, first.location.map(|at| at.file.path.clone())),
        ("R013", Some("l.txt".into()))
    );
}

#[test]
fn a_test_that_says_who_wrote_the_post_runs_the_condition() {
    let rule = "any: [free bonus], when: {author.age_days: \"< 30\", surface: bio, extra.tier: gold}, \
        hit: [free bonus, {text: free bonus, surface: bio, author: {age_days: 3}, extra: {tier: gold}}], \
        miss: [{text: free bonus, surface: bio, author: {age_days: 40}, extra: {tier: gold}}, \
        {text: free bonus, author: {age_days: 3}}]";
    let failed = |rule: &str| {
        let mut out = Diagnostics::default();
        let text = enforced(rule);
        let file = Arc::new(SourceFile { path: "packs/t.yaml".into(), text });
        let packs = [parse_pack(&file, &mut out).expect("the pack can be read")];
        let rules = compiled(&packs, &mut out);
        check_examples(&packs, &rules, &Ruleset::default(), &mut out).failed
    };
    assert_eq!(failed(rule), 0);
    assert_eq!(failed(&rule.replace("age_days: 40", "age_days: 4")), 1);
}
