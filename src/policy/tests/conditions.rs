//! Conditions of rows and caps.

use super::{super::Facts, world::*};
use crate::post::{Post, Region};

const POLICY: &str = "region: default
categories: {hate: {review: {severity: 2}, block: {severity: 3}}}
rows:
  - {id: a/young, category: spam, action: review, when: {author.age_days: \"< 30\"}}
caps:
  - {id: a/known, for: {category: hate}, at_most: review, when: {author.id: [anna], region: {not_in: US}}}";

/// What follows in the root, and the keys that were missing.
fn outcome(rule: &str, change: impl FnOnce(&mut Post)) -> (String, Vec<&'static str>) {
    let set = policies(&[POLICY]);
    let signals = signals(&[hit(rule)], &[]);
    let mut post = post();
    change(&mut post);
    let as_of = "2026-11-22T12:00:00Z".parse().ok();
    let facts = Facts { signals: &signals, post: &post, as_of };
    let ruling = set.decide(&facts, &[Region::DEFAULT]);
    (short(&ruling.verdicts[0].verdict.outcome), ruling.missing.names().collect())
}

#[test]
fn a_row_acts_where_its_condition_holds() {
    let made = |at: &'static str| move |post: &mut Post| post.author.created_at = at.parse().ok();
    let young = outcome("spam/ad", made("2026-11-01T00:00:00Z"));
    assert_eq!(young, ("review: a/young".to_owned(), vec![]));
    assert_eq!(outcome("spam/ad", made("2020-11-01T00:00:00Z")).0, "allow");
    assert_eq!(outcome("spam/ad", |_| ()), ("allow".to_owned(), vec!["author.age_days"]));
}

#[test]
fn a_cap_softens_only_where_its_condition_holds() {
    let by = |author: &'static str, region: &'static str| {
        outcome("hate/slur", move |post| {
            post.author.id = Some(author.to_owned());
            post.region = region.parse().ok();
        })
    };
    assert_eq!(by("anna", "DE").0, "review: default/hate/review");
    assert_eq!(by("anna", "US").0, "block: default/hate/block");
    assert_eq!(by("bob", "DE").0, "block: default/hate/block");
    let unknown = outcome("hate/slur", |_| ());
    assert_eq!(unknown, ("block: default/hate/block".to_owned(), vec!["author.id"]));
}

#[test]
fn a_condition_that_cannot_be_read_refuses_the_policy() {
    let (set, out) = compile(&["region: default
rows:
  - {id: a/b, category: spam, action: review, when: {extra.teir: gold}}
caps:
  - {id: a/c, for: {category: spam}, at_most: review, when: {author.age: 3}}"]);
    assert!(set.is_none());
    assert_eq!(
        told(&out),
        ["R091 `extra.teir` is not declared", "Y015 the key `author.age` is not known here"]
    );
}
