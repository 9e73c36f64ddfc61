//! The published schemas, and what must conform to them.

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock};

use jsonschema::Validator;
use serde_json::Value;

/// A schema of `docs/schema`.
pub(crate) fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What stands against a value; empty when it conforms.
pub(crate) fn problems(name: &str, value: &Value) -> Vec<String> {
    static VALIDATORS: OnceLock<BTreeMap<&'static str, Validator>> = OnceLock::new();
    let validators = VALIDATORS.get_or_init(|| {
        let compiled = |name: &'static str| {
            let validator = jsonschema::validator_for(&schema(name));
            (name, validator.unwrap_or_else(|error| panic!("{name} is a schema: {error}")))
        };
        NAMES.into_iter().map(compiled).collect()
    });
    let errors = validators[name].iter_errors(value);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Every schema.
pub(crate) const NAMES: [&str; 10] = [
    "bundle.json",
    "dead-letter.json",
    "decision.json",
    "error.json",
    "pack.json",
    "policy.json",
    "post.json",
    "report.json",
    "shown.json",
    "taxonomy.json",
];

/// Fails unless a door's answer is a decision or an error as the schemas promise it.
pub(crate) fn assert_answer(answer: &Value) {
    let name = if answer.get("error").is_some() { "error.json" } else { "decision.json" };
    let problems = problems(name, answer);
    assert!(problems.is_empty(), "against {name}: {problems:#?}\n{answer:#}");
}

/// Fails unless the headers of a dead letter are as promised.
#[cfg(feature = "kafka")]
pub(crate) fn assert_dead_letter<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) {
    let text = |value: &[u8]| Value::from(String::from_utf8_lossy(value).into_owned());
    let headers: Value = headers.map(|(name, value)| (name.to_owned(), text(value))).collect();
    let problems = problems("dead-letter.json", &headers);
    assert!(problems.is_empty(), "{problems:#?}\n{headers:#}");
}
