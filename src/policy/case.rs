//! Tests that stand in policy files: a post, and what is expected of it in each region.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{codes, context::Context};
use crate::{
    decision::{Action, Outcome, RegionVerdict, RowId},
    diagnostic::{Diagnostic, Location},
    post::Region,
    signal::{Category, Score},
    yaml::{Node, NodeKind},
};

/// A test of a policy file. Rules run for real; scores are those of the test.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyTest {
    /// What it shows.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// The post as on the wire; an `id` and, where the file names none, the audience are supplied.
    pub post: Value,
    /// What is expected where; a group in the file stands here as its members.
    pub expect: BTreeMap<Region, Expectation>,
    /// Scores of the classifier; what is absent is 0.
    pub scores: Vec<(Category, Score)>,
    /// The time it is judged at; without one every row is in effect and nothing has expired.
    pub at: Option<Timestamp>,
}

/// What a test expects of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The action.
    pub action: Action,
    /// Whether a review holds the post back.
    pub hold: Option<bool>,
    /// Rows that must be among the reasons.
    pub rows: Vec<RowId>,
    /// What shadow rows and cells must have done.
    pub would: Option<Action>,
    /// Where the expectation stands.
    pub location: Location,
}

impl PolicyTest {
    /// What differs from the expectation; empty when the test passes. A region that no verdict
    /// names is a difference.
    pub fn differences(&self, verdicts: &[RegionVerdict]) -> Vec<Diagnostic> {
        let difference = |(region, expectation): (&Region, &Expectation)| match verdicts
            .iter()
            .find(|verdict| verdict.regions.contains(region))
        {
            Some(verdict) => self.difference(*region, expectation, verdict),
            None => Some(self.failure(expectation, &format!("no verdict is for `{region}`"))),
        };
        self.expect.iter().filter_map(difference).collect()
    }

    fn difference(
        &self,
        region: Region,
        expected: &Expectation,
        found: &RegionVerdict,
    ) -> Option<Diagnostic> {
        let outcome = &found.verdict.outcome;
        let words = |outcome: &Outcome| match (outcome.action(), outcome.hold()) {
            (Action::Review, true) => "review and hold",
            (action, _) => action.as_str(),
        };
        let rows: Vec<&str> = outcome
            .reasons()
            .map(|reasons| reasons.as_slice().iter().map(|reason| reason.row.as_str()).collect())
            .unwrap_or_default();
        let would = found.verdict.would.as_ref().map(Outcome::action);
        let missing = expected.rows.iter().find(|row| !rows.contains(&row.as_str()));
        let message = if outcome.action() != expected.action {
            let (expected, found) = (expected.action.as_str(), words(outcome));
            format!("{region}: expected {expected}, found {found}")
        } else if expected.hold.is_some_and(|hold| hold != outcome.hold()) {
            let not = if outcome.hold() { "" } else { "not " };
            format!("{region}: the review does {not}hold the post back")
        } else if let Some(row) = missing {
            format!("{region}: `{}` is not among the reasons", row.as_str())
        } else if expected.would.is_some() && expected.would != would {
            let found = would.map_or("nothing else", Action::as_str);
            format!("{region}: shadow rows would do {found}")
        } else {
            return None;
        };
        let mut failure = self.failure(expected, &message);
        if !rows.is_empty() {
            failure = failure.help(format!("decided by {}", rows.join(", ")));
        }
        Some(failure)
    }

    fn failure(&self, expected: &Expectation, message: &str) -> Diagnostic {
        let message = format!("the test `{}` fails: {message}", self.name);
        Diagnostic::error(codes::TEST_FAILED, expected.location.clone(), message)
    }
}

/// Reads one item of `tests`.
pub(super) fn read(context: Context<'_, '_>, node: &Node) -> Option<PolicyTest> {
    let reader = context.reader;
    let mut keys = reader.keys(node)?;
    let name = keys.require("name", reader).and_then(|node| reader.filled(node));
    let post = keys.require("post", reader);
    let expect = keys.require("expect", reader).map(|node| read_expectations(context, node));
    let scores = keys.take("scores").map(|node| read_scores(context, node)).unwrap_or_default();
    let at =
        keys.take("at").and_then(|n| reader.parsed(n, "a moment such as 2026-11-22T12:00:00Z"));
    reader.finish(&keys);
    let expect = expect?;
    let post = complete(json(post?), &expect);
    if !post.is_object() {
        let message = "a post has keys, such as `{text: …, audience: [DE, US]}`";
        reader.error(&node.range, codes::TEST_INVALID, message);
        return None;
    }
    let location = reader.location(&node.range);
    Some(PolicyTest { name: name?.to_owned(), location, post, expect, scores, at })
}

fn read_expectations(context: Context<'_, '_>, node: &Node) -> BTreeMap<Region, Expectation> {
    let reader = context.reader;
    let mut expectations = BTreeMap::new();
    let entries = reader.keys(node).map_or(&[][..], |keys| keys.entries());
    if entries.is_empty() {
        reader.error(&node.range, codes::TEST_INVALID, "this test expects nothing");
    }
    for entry in entries {
        let Ok(region) = entry.key.parse::<Region>() else {
            let message = format!("`{}` is no region", entry.key);
            reader.error(&entry.key_range, codes::REGION_UNKNOWN, message);
            continue;
        };
        if let Some(expectation) = read_expectation(context, &entry.value) {
            expectations.insert(region, expectation);
        }
    }
    expectations
}

/// `block`, or `{action: review, hold: true, rows: [...]}`.
fn read_expectation(context: Context<'_, '_>, node: &Node) -> Option<Expectation> {
    let reader = context.reader;
    let location = reader.location(&node.range);
    let action = |node: &Node| reader.choice(node, &Action::ALL, Action::as_str);
    if matches!(node.kind, NodeKind::Scalar { .. }) {
        let action = action(node)?;
        return Some(Expectation { action, hold: None, rows: Vec::new(), would: None, location });
    }
    let mut keys = reader.keys(node)?;
    let expected = keys.require("action", reader).and_then(action);
    let hold = keys.take("hold").and_then(|node| reader.boolean(node));
    let rows = keys.take("rows").map(|node| reader.texts(node)).unwrap_or_default();
    let rows = rows.into_iter().map(RowId::new).collect();
    let would = keys.take("would").and_then(action);
    reader.finish(&keys);
    Some(Expectation { action: expected?, hold, rows, would, location })
}

fn read_scores(context: Context<'_, '_>, node: &Node) -> Vec<(Category, Score)> {
    let entries = context.reader.keys(node).map_or(&[][..], |keys| keys.entries());
    let scores = entries.iter().filter_map(|entry| {
        let category = context.category_of(&entry.key, &entry.key_range)?;
        Some((category, context.score(&entry.value)?))
    });
    let mut scores: Vec<_> = scores.collect();
    scores.sort();
    scores
}

/// Supplies the id, and the audience where the test leaves it to its expectations.
fn complete(post: Value, expect: &BTreeMap<Region, Expectation>) -> Value {
    let mut post = match post {
        Value::String(text) => serde_json::json!({ "text": text }),
        other => other,
    };
    if let Value::Object(keys) = &mut post {
        keys.entry("id").or_insert_with(|| "test".into());
        let regions: Vec<Value> = expect.keys().map(|region| region.as_str().into()).collect();
        keys.entry("audience").or_insert(Value::Array(regions));
    }
    post
}

/// A node as JSON: plain numbers, booleans and null are typed, everything quoted is text.
fn json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar { text, plain, .. } => {
            let typed =
                || serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string());
            plain.then(typed).flatten().unwrap_or_else(|| Value::String(text.clone()))
        }
        NodeKind::Sequence(items) => items.iter().map(json).collect(),
        NodeKind::Mapping(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect()
        }
    }
}
