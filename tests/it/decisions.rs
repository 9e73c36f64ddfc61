//! Decisions as users read them, and what holds for every decision.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::moderate::{lines, moderate};

/// The decision about one post, judged at a fixed time, without what changes with every build.
fn decide(post: &Value) -> Value {
    let output = moderate(&["--at", "2026-11-22T12:00:00Z"], post.to_string().as_bytes());
    let mut decision = lines(&output).remove(0);
    let object = decision.as_object_mut().expect("a decision is an object");
    for passing in ["received_at", "decided_at", "versions"] {
        object.remove(passing).unwrap_or_else(|| panic!("a decision has `{passing}`"));
    }
    for hit in object["signals"]["rules"].as_array_mut().expect("hits are a list") {
        hit.as_object_mut().expect("a hit is an object").remove("hash").expect("it has a hash");
    }
    decision
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON is text")
}

#[test]
fn a_lure_in_disguise_is_found_with_its_place_in_the_original() {
    let decision = decide(&json!({"id": "1", "text": "加 微 信 abc123 带你投资"}));
    insta::assert_snapshot!(pretty(&decision));
}

#[test]
fn a_symbol_is_withheld_in_one_country_and_shown_in_the_next() {
    let post = json!({"id": "2", "text": "Sieg Heil! 卐", "audience": ["DE", "US"]});
    insta::assert_snapshot!(pretty(&decide(&post)));
}

#[test]
fn one_post_is_allowed_here_reviewed_there_and_blocked_elsewhere() {
    let text = "New betting site, welcome bonus 200 %, claim with my code";
    let decision = decide(&json!({"id": "3", "text": text, "audience": ["US", "DE", "SG"]}));
    let actions: Vec<(&str, &str)> = decision["verdicts"]
        .as_array()
        .expect("verdicts are a list")
        .iter()
        .map(|v| (v["regions"][0].as_str().expect("a code"), v["action"].as_str().expect("a word")))
        .collect();
    assert_eq!(actions, [("DE", "review"), ("SG", "block"), ("US", "allow")]);
    assert_eq!(decision["action"], "review");
    assert_eq!(decision["withheld_in"], json!(["SG"]));
}

#[test]
fn a_warning_that_quotes_the_lure_is_allowed_and_says_why() {
    let decision = decide(&json!({"id": "4", "text": "请不要加微信转账，警方提醒"}));
    assert_eq!(decision["action"], "allow");
    assert_eq!(decision["signals"]["rules"][0]["cancelled_by"], "不要加微信");
}

#[test]
fn fields_and_lists_are_named_in_hits_and_spans_count_from_their_own_text() {
    let fields = json!({"title": "hello", "tags": ["cats", "sieg heil"], "body": "👋 Sieg Heil"});
    let decision = decide(&json!({"id": "5", "fields": fields, "audience": ["DE"]}));
    let hits = decision["signals"]["rules"].as_array().expect("hits are a list");
    let places: BTreeSet<String> = hits
        .iter()
        .map(|hit| format!("{} {} {}", hit["field"], hit["index"], hit["spans"][0]))
        .collect();
    let expected = [
        r#""body" null {"end":14,"start":5,"utf16_end":12,"utf16_start":3}"#,
        r#""tags" 1 {"end":9,"start":0,"utf16_end":9,"utf16_start":0}"#,
    ];
    assert_eq!(places, expected.map(str::to_owned).into());
}

#[test]
fn a_delete_is_allowed_without_verdicts_so_that_jobs_close() {
    let post = json!({"id": "6", "text": "Sieg Heil! 卐", "operation": "delete", "revision": 2});
    let decision = decide(&post);
    assert_eq!(decision["operation"], "delete");
    assert_eq!(decision["action"], "allow");
    assert_eq!(decision["verdicts"], json!([]));
}

#[test]
fn groups_are_expanded_and_a_region_that_no_file_names_gets_the_default() {
    let decision = decide(&json!({"id": "7", "text": "hello", "audience": ["EU", "ZZ", "de"]}));
    let regions: Vec<&str> = decision["verdicts"]
        .as_array()
        .expect("verdicts are a list")
        .iter()
        .flat_map(|verdict| verdict["regions"].as_array().expect("regions are a list"))
        .map(|region| region.as_str().expect("a code"))
        .collect();
    let unique: BTreeSet<&str> = regions.iter().copied().collect();
    assert_eq!(regions.len(), unique.len(), "each region once");
    assert_eq!(unique.len(), 28, "27 members and one more: {regions:?}");
    assert!(unique.contains("DE") && unique.contains("ZZ") && !unique.contains("EU"));
}

#[test]
fn a_post_made_to_overflow_keeps_its_verdict() {
    let text = "kys you idiot, sieg heil 加微信 带你投资 ".repeat(5000);
    let decision = decide(&json!({"id": "8", "text": text}));
    let hits = decision["signals"]["rules"].as_array().expect("hits are a list");
    assert_eq!(decision["action"], "block");
    assert!(hits.len() <= 256);
    for hit in hits {
        assert!(hit["spans"].as_array().expect("spans are a list").len() <= 16, "{hit}");
    }
}
