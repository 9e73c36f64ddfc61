use std::sync::Arc;

use super::*;
use crate::{
    diagnostic::{Diagnostics, SourceFile},
    post::{PostId, Scalar, Surface},
    yaml::{Reader, parse},
};

const NOW: &str = "2026-11-22T12:00:00Z";

fn read_text(text: &str) -> (Option<ConditionFile>, Diagnostics) {
    let mut out = Diagnostics::default();
    let file = Arc::new(SourceFile { path: "when.yaml".into(), text: text.to_owned() });
    let node = parse(&file, &mut out).expect("the text is YAML");
    let found = read(&Reader::new(&file, &mut out), &node);
    (found, out)
}

fn post() -> Post {
    let id = PostId::new("p").expect("an id");
    let mut post = Post::of_text(id, "see https://a.example and #sale");
    post.author.created_at = "2026-11-12T00:00:00Z".parse().ok();
    post.author.trust = Some(0.25);
    post.author.id = Some("anna".to_owned());
    post.region = "DE".parse().ok();
    post.surface = Surface::Comment;
    post.extra.insert("tier".to_owned(), Scalar::Text("gold".to_owned()));
    post.extra.insert("reports".to_owned(), Scalar::Number(3.0));
    post
}

/// Whether the condition holds for the post, and which keys were missing.
fn holds(text: &str) -> (bool, Vec<&'static str>) {
    let (read, out) = read_text(text);
    let condition = read.unwrap_or_else(|| panic!("{text}: {out:?}")).condition;
    let (post, as_of) = (post(), NOW.parse().ok());
    let circumstances = Circumstances::new(&post, as_of, Language::new("en"));
    let seen = Seen { field: Some(Field::Body), obfuscated: true };
    let holds = condition.holds(&circumstances, seen);
    assert_eq!(condition.unmet(&circumstances, seen).is_none(), holds, "{text}");
    (holds, circumstances.missing.get().names().collect())
}

#[test]
fn every_key_is_asked_about_the_post() {
    for (text, expected) in [
        ("author.age_days: \"< 30\"", true),
        ("author.age_days: 10", true),
        ("author.age_days: \"> 10\"", false),
        ("author.trust: \"<= 0.25\"", true),
        ("author.id: [anna, bob]", true),
        ("author.id: {not_in: [anna]}", false),
        ("region: {in: [at, de]}", true),
        ("region: {not_in: DE}", false),
        ("surface: [comment, bio]", true),
        ("reply: true", true),
        ("language: zh", false),
        ("field: {not_in: title}", true),
        ("obfuscated: false", false),
        ("links: 1", true),
        ("hashtags: {is: \">= 2\"}", false),
        ("extra.tier: gold", true),
        ("extra.reports: \"> 3\"", false),
        ("extra.reports: gold", false),
        ("{links: 1, reply: false}", false),
        ("any: [{reply: false}, {links: 1, hashtags: 1}]", true),
        ("any: [{reply: false}, {links: 2}]", false),
    ] {
        assert_eq!(holds(text), (expected, vec![]), "{text}");
    }
}

#[test]
fn what_the_post_does_not_give_fails_is_remembered_and_may_hold_on_request() {
    assert_eq!(holds("author.strikes: 0"), (false, vec!["author.strikes"]));
    assert_eq!(holds("author.region: {not_in: DE}"), (false, vec!["author.region"]));
    let held = holds("{author.followers: {is: \"< 5\", missing: holds}, links: 1}");
    assert_eq!(held, (true, vec!["author.followers"]));
    assert_eq!(holds("any: [{extra.other: 1}, {links: 1}]"), (true, vec!["extra"]));
}

#[test]
fn an_age_needs_a_time_and_is_never_below_zero() {
    let (read, _) = read_text("author.age_days: \"< 1\"");
    let condition = read.expect("a condition").condition;
    let post = post();
    let ask = |as_of: Option<&str>| {
        let as_of = as_of.map(|at| at.parse().expect("a time"));
        condition.holds(&Circumstances::new(&post, as_of, None), Seen::default())
    };
    assert!(!ask(None));
    assert!(ask(Some("2026-11-12T23:59:59Z")) && !ask(Some("2026-11-13T00:00:00Z")));
    assert!(ask(Some("2020-01-01T00:00:00Z")), "an account of the future is new");
}

#[test]
fn an_unmet_condition_says_its_value() {
    let tell = |text: &str| {
        let condition = read_text(text).0.expect("a condition").condition;
        let (post, as_of) = (post(), NOW.parse().ok());
        let unmet = condition.unmet(&Circumstances::new(&post, as_of, None), Seen::default());
        unmet.expect("it does not hold").to_string()
    };
    assert_eq!(tell("author.age_days: \"< 3\""), "author.age_days is 10, not < 3");
    assert_eq!(tell("region: [US, CA]"), "region is `DE`, not one of CA, US");
    assert_eq!(tell("language: en"), "language is not given, and one of en was asked for");
    assert_eq!(
        tell("any: [{links: 5}, {reply: false}]"),
        "none of `any` holds (links is 1, not = 5; reply is true, not false)"
    );
}

#[test]
fn mistakes_are_told_all_at_once_with_a_way_to_mend_them() {
    for (text, expected) in [
        ("author.age: 3", "Y015 did you mean `author.age_days`?"),
        ("strikes: 3", "Y015 did you mean `author.strikes`?"),
        ("author.trust: low", "R090 write `\"< 30\"`, `\">= 6\"` or a number alone"),
        ("surface: coment", "Y014 did you mean `comment`?"),
        ("language: english", "R090 a language is a code such as en or zh"),
        ("author.region: UK", "R090 the code is `GB`"),
        ("region: [DE, Germany]", "R090 a region is a country's code"),
        ("region: {in: [DE], not_in: [US]}", "R090 write exactly one of"),
        ("links: {in: [1]}", "R090 `in` and `not_in` are for words"),
        ("{}", "R092 write a key such as"),
        ("any: []", "R092 "),
        ("reply: maybe", "Y013 "),
    ] {
        let (read, out) = read_text(text);
        let first = out
            .sorted()
            .first()
            .map(|d| format!("{} {}", d.code, d.help.as_deref().unwrap_or_default()));
        let told = first.unwrap_or_default();
        assert!(read.is_none() && told.starts_with(expected), "{text}: {told}");
    }
    let (_, out) = read_text("{author.trust: low, surface: coment, lnks: 1}");
    assert_eq!(out.len(), 3);
}

#[test]
fn a_key_of_the_platforms_own_is_declared_with_its_kind() {
    let declared: Declared =
        [("tier".to_owned(), ExtraKind::Text), ("reports".to_owned(), ExtraKind::Number)].into();
    let told = |text: &str| {
        let file = Arc::new(SourceFile { path: "when.yaml".into(), text: text.to_owned() });
        let read = read_text(text).0.expect("a condition");
        let told = read.undeclared(&declared, &file).filter_map(|told| told.help);
        told.collect::<Vec<String>>()
    };
    assert_eq!(told("{extra.tier: gold, extra.reports: \"> 2\"}"), [""; 0]);
    assert_eq!(told("any: [{extra.report: 1}]"), ["did you mean `extra.reports`?"]);
    assert_eq!(told("extra.tier: \"> 2\""), ["this asks for number"]);
    assert_eq!(told("extra.unheard: true"), ["declare it in bundle.yaml under `extra`"]);
}
