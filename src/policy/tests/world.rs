//! A small taxonomy, a few rules, and evidence to put before policies.

use std::{collections::BTreeSet, sync::Arc};

use super::super::{Facts, Known, ModelEvidence, PolicySet, Ruling};
use crate::{
    condition::ExtraKind,
    decision::{Outcome, Verdict},
    diagnostic::{Diagnostic, Diagnostics, Level, Location, SourceFile},
    post::{Field, Post, PostId, Region},
    signal::{
        Category, Language, LanguageShare, ModelIdentity, ModelSignal, RuleFacts, RuleHit, RuleId,
        Score, Severity, Signals, Status,
    },
    taxonomy::Taxonomy,
    text::View,
};

const TAXONOMY: &str = "
umbrellas:
  - {id: toxic, definition: hostile}
categories:
  - id: hate
    definition: hate
    umbrella: [toxic]
    subcategories:
      - {id: slur, definition: a slur}
  - id: harassment
    definition: harassment
    umbrella: [toxic]
    subcategories:
      - {id: profanity, definition: swearing, max_action: review}
  - id: extremism
    definition: extremism
    subcategories:
      - {id: terrorist_content, definition: terror, mandatory: true}
      - {id: banned_symbols, definition: symbols}
  - {id: spam, definition: spam}
  - {id: local_law, definition: the law of a place, rows_only: true}
";

pub(super) fn source(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() })
}

pub(super) fn taxonomy() -> Taxonomy {
    let mut out = Diagnostics::default();
    let taxonomy = Taxonomy::compile(&source("taxonomy.yaml", TAXONOMY), &mut out);
    taxonomy.unwrap_or_else(|| panic!("{out:?}"))
}

pub(super) fn rule(id: &str, category: &str, severity: u8, status: Status) -> Arc<RuleFacts> {
    Arc::new(RuleFacts {
        id: RuleId::new(id),
        hash: "0123456789abcdef".into(),
        category: Category::new(category),
        severity: Severity::new(severity).expect("a test's severity is in range"),
        status,
    })
}

pub(super) fn rules() -> Vec<Arc<RuleFacts>> {
    let enforced = |id, category, severity| rule(id, category, severity, Status::Enforced);
    vec![
        enforced("hate/mild", "hate", 1),
        enforced("hate/clear", "hate", 2),
        enforced("hate/slur", "hate/slur", 3),
        enforced("hate/grave", "hate", 4),
        enforced("harassment/swearing", "harassment/profanity", 1),
        enforced("harassment/grave", "harassment", 4),
        enforced("extremism/symbols", "extremism/banned_symbols", 0),
        enforced("extremism/manual", "extremism/terrorist_content", 3),
        enforced("spam/ad", "spam", 2),
        enforced("local/insult", "local_law", 2),
        rule("hate/trial", "hate", 4, Status::Shadow),
    ]
}

/// A rule that exists and was left out.
pub(super) fn left_out() -> BTreeSet<RuleId> {
    BTreeSet::from([RuleId::new("hate/left-out")])
}

/// A hit of one of [`rules`].
pub(super) fn hit(id: &str) -> RuleHit {
    let rule = rules().into_iter().find(|rule| rule.id.as_str() == id);
    RuleHit {
        rule: rule.unwrap_or_else(|| panic!("no rule {id}")),
        entry: "an entry".into(),
        field: Field::Body,
        index: None,
        spans: Vec::new(),
        view: View::Standard,
        obfuscated: false,
        language_mismatch: false,
        cancelled_by: None,
        at_most: None,
        truncated: false,
    }
}

pub(super) fn signals(hits: &[RuleHit], scores: &[(&str, u16)]) -> Signals {
    let identity = ModelIdentity { name: "m".into(), version: "1".into(), sha256: String::new() };
    let score = |&(category, thousandths): &(&str, u16)| {
        (Category::new(category), Score::from_thousandths(thousandths).expect("in range"))
    };
    let scores = scores.iter().map(score).collect();
    let model = ModelSignal::Scored { model: Arc::new(identity), scores, opinions: Vec::new() };
    Signals { hits: hits.to_vec(), languages: Vec::new(), model, truncated: false }
}

/// The same signals with a certain main language.
pub(super) fn in_language(mut signals: Signals, code: &str) -> Signals {
    let certain = Score::from_thousandths(990).expect("in range");
    let language = Language::new(code).expect("a code");
    signals.languages = vec![LanguageShare { language, confidence: certain, share: certain }];
    signals
}

pub(super) fn post() -> Post {
    Post::of_text(PostId::new("1").expect("an id"), "a text")
}

pub(super) fn regions(codes: &str) -> Vec<Region> {
    codes.split_whitespace().map(|code| code.parse().expect("a code")).collect()
}

/// Compiles `texts` as files of one directory; a text that starts with `layer: ` goes to a later one.
pub(super) fn compile(texts: &[&str]) -> (Option<PolicySet>, Diagnostics) {
    compile_with(texts, None)
}

pub(super) fn compile_with(
    texts: &[&str],
    model: Option<&ModelEvidence>,
) -> (Option<PolicySet>, Diagnostics) {
    let (taxonomy, rules) = (taxonomy(), rules());
    let file = |(at, text): (usize, &&str)| match text.strip_prefix("# layer\n") {
        Some(text) => source(&format!("own/{at}.yaml"), text),
        None => source(&format!("rules/{at}.yaml"), text),
    };
    let files: Vec<Arc<SourceFile>> = texts.iter().enumerate().map(file).collect();
    let mut out = Diagnostics::default();
    let extra = [("tier".to_owned(), ExtraKind::Text)].into();
    let left_out = left_out();
    let known =
        Known { taxonomy: &taxonomy, rules: &rules, left_out: &left_out, model, extra: &extra };
    let set = PolicySet::compile(&files, &known, &mut out);
    (set, out)
}

/// Compiles files that must be right.
pub(super) fn policies(texts: &[&str]) -> PolicySet {
    let (set, out) = compile(texts);
    set.unwrap_or_else(|| panic!("{:#?}", said(&out)))
}

/// What was reported: code and message, warnings marked.
pub(super) fn said(out: &Diagnostics) -> Vec<String> {
    let one = |d: &Diagnostic| {
        let at = d.location.as_ref().map(Location::line_column);
        let at = at.map_or(String::new(), |(line, column)| format!(" {line}:{column}"));
        format!("{}{at} {}", d.code, d.message)
    };
    out.sorted().into_iter().map(one).collect()
}

pub(super) fn decide(set: &PolicySet, signals: &Signals, codes: &str) -> Ruling {
    let post = post();
    let as_of = Some("2026-11-22T12:00:00Z".parse().expect("a time"));
    set.decide(&Facts { signals, post: &post, as_of }, &set.expand(&regions(codes)))
}

/// The verdict of one region.
pub(super) fn verdict(set: &PolicySet, signals: &Signals, code: &str) -> Verdict {
    let mut ruling = decide(set, signals, code);
    assert_eq!(ruling.verdicts.len(), 1, "one region has one verdict");
    ruling.verdicts.remove(0).verdict
}

/// `block: DE/hate/block, de/x`; `hold` is written as `review+hold`.
pub(super) fn short(outcome: &Outcome) -> String {
    let action = outcome.action().as_str();
    let hold = if outcome.hold() { "+hold" } else { "" };
    let rows = outcome.reasons().map_or(&[][..], |reasons| reasons.as_slice());
    let rows: Vec<&str> = rows.iter().map(|reason| reason.row.as_str()).collect();
    format!("{action}{hold}: {}", rows.join(", ")).trim_end_matches(": ").to_owned()
}

/// The same of errors only, without their places.
pub(super) fn told(out: &Diagnostics) -> Vec<String> {
    let errors = out.sorted().into_iter().filter(|found| found.level == Level::Error);
    errors.map(|found| format!("{} {}", found.code, found.message)).collect()
}
