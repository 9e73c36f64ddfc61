//! The tests that policies carry: a post, and what must follow where.
//!
//! Rules run for real; scores come from the test, so that a new model does not break old policies.

use std::sync::Arc;

use super::Bundle;
use crate::{
    diagnostic::{Diagnostic, Diagnostics, SourceFile},
    engine::Reading,
    policy::{Facts, PolicyTest},
    post::{Post, Region},
    signal::{ModelIdentity, ModelSignal, Signals},
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

/// Runs every policy's tests; a failure refuses the bundle. Tests in `untested` files stay out: they
/// need rules that take no part.
pub(super) fn run(
    bundle: &Bundle,
    untested: &[Arc<SourceFile>],
    out: &mut Diagnostics,
) -> PolicyTestReport {
    let mut report = PolicyTestReport::default();
    let stays_out = |test: &&PolicyTest| untested.contains(&test.location.file);
    for test in bundle.policies.tests().iter().filter(|test| !stays_out(test)) {
        let differences = check(bundle, test);
        let counter = if differences.is_empty() { &mut report.passed } else { &mut report.failed };
        *counter += 1;
        for difference in differences {
            out.push(difference);
        }
    }
    report
}

/// What differs from the test's expectations.
fn check(bundle: &Bundle, test: &PolicyTest) -> Vec<Diagnostic> {
    let post = match decode_value(&test.post) {
        Ok(post) => post,
        Err(error) => {
            let message = format!("the test `{}` has no valid post: {error}", test.name);
            return vec![Diagnostic::error("B005", test.location.clone(), message)];
        }
    };
    let signals = signals(bundle, &post, test);
    let facts = Facts { signals: &signals, post: &post, as_of: test.at };
    let expected: Vec<Region> = test.expect.keys().copied().collect();
    let audience = post.audience.as_deref().unwrap_or(&expected);
    let ruling = bundle.policies.decide(&facts, &bundle.policies.expand(audience));
    test.differences(&ruling.verdicts)
}

/// What the post says, with the scores that the test gives.
fn signals(bundle: &Bundle, post: &Post, test: &PolicyTest) -> Signals {
    let identity =
        ModelIdentity { name: "test".to_owned(), version: "0".to_owned(), sha256: String::new() };
    let mut scores = test.scores.clone();
    scores.sort();
    let model = ModelSignal::Scored { model: Arc::new(identity), scores, opinions: Vec::new() };
    Reading::of(post, &bundle.rules, test.at).with(model)
}
