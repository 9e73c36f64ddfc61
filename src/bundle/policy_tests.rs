//! The tests that policies carry: a post, and what must follow where.
//!
//! Rules run for real; scores come from the test, so that a new model does not break old policies.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::Bundle;
use crate::{
    decision::Action,
    diagnostic::{Diagnostic, Diagnostics},
    policy::{Facts, PolicyTest},
    post::{Post, Region},
    rules::ScanPart,
    signal::{ModelIdentity, ModelSignal, Signals},
    text::{languages, standard},
    wire::decode_value,
};

/// How many tests ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyTestReport {
    /// Tests that held.
    pub passed: usize,
    /// Tests that did not.
    pub failed: usize,
}

/// Runs every policy's tests; a failure refuses the bundle.
pub(super) fn run(bundle: &Bundle, out: &mut Diagnostics) -> PolicyTestReport {
    let mut report = PolicyTestReport::default();
    for test in bundle.policies.tests() {
        match check(bundle, test) {
            Ok(()) => report.passed += 1,
            Err(message) => {
                report.failed += 1;
                let message = format!("the test `{}` fails: {message}", test.name);
                out.push(Diagnostic::error("P090", test.location.clone(), message));
            }
        }
    }
    report
}

/// Runs one test; the error says what came instead.
fn check(bundle: &Bundle, test: &PolicyTest) -> Result<(), String> {
    let post = post_of(test)?;
    let facts_at = test.at.unwrap_or(Timestamp::UNIX_EPOCH);
    let signals = signals(bundle, &post, test);
    let facts = Facts { signals: &signals, post: &post, as_of: facts_at };
    let expected: Vec<Region> = test.expect.keys().copied().collect();
    let ruling = bundle.policies.decide(&facts, &bundle.policies.expand(&expected));
    let actual: BTreeMap<Region, Action> = ruling
        .verdicts
        .iter()
        .flat_map(|of| of.regions.iter().map(|&region| (region, of.verdict.outcome.action())))
        .collect();
    let wrong: Vec<String> = test
        .expect
        .iter()
        .filter(|(region, action)| actual.get(region) != Some(action))
        .map(|(region, action)| {
            let got = actual.get(region).map_or("nothing", |action| action.as_str());
            format!("{region} expects {}, got {got}", action.as_str())
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// The test's post; its id is supplied where the test leaves it out.
fn post_of(test: &PolicyTest) -> Result<Post, String> {
    let mut value = test.post.clone();
    if let Some(object) = value.as_object_mut() {
        object.entry("id").or_insert_with(|| "test".into());
    }
    decode_value(&value).map_err(|error| error.to_string())
}

fn signals(bundle: &Bundle, post: &Post, test: &PolicyTest) -> Signals {
    let views: Vec<_> = post.parts.iter().map(|part| standard(&part.text)).collect();
    let parts: Vec<ScanPart<'_>> = post
        .parts
        .iter()
        .zip(&views)
        .map(|(part, standard)| ScanPart {
            field: part.field,
            index: part.index,
            original: &part.text,
            standard,
        })
        .collect();
    let scanned = bundle.rules.scan(&parts, post.surface);
    let text: Vec<&str> = views.iter().map(crate::text::NormalizedText::text).collect();
    let identity = ModelIdentity {
        name: "test".to_owned(),
        version: "0".to_owned(),
        sha256: String::new(),
    };
    let mut scores = test.scores.clone();
    scores.sort();
    Signals {
        hits: scanned.hits,
        languages: languages(&text.join("\n"), None),
        model: ModelSignal::Scored { model: Arc::new(identity), scores },
        truncated: scanned.truncated,
    }
}
