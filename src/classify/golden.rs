//! Golden outputs: what a model said where it was made, to be said again on every machine it runs on.
//!
//! Processors differ in how they multiply small integers; one on which a quantised network says
//! something else must not decide. Ids must be equal, scores nearly so.

use serde::Deserialize;

use super::{Classifier, ClassifyError, Input, encoder::TextEncoder};
use crate::signal::{Category, Language, Score};

/// The file in a model folder.
pub const GOLDEN: &str = "golden.jsonl";
/// Most bytes of the file.
pub const GOLDEN_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most lines.
const LINES_MAX: usize = 1000;
/// By how many thousandths a score may differ: what another order of the same sums may cost.
const NEAR: u16 = 5;

/// One text with what the model made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Golden {
    /// A standard view.
    pub text: String,
    /// The main language.
    pub language: Option<Language>,
    /// The ids of each window.
    pub ids: Vec<Vec<i32>>,
    /// The scores, sorted by path.
    pub scores: Vec<(Category, Score)>,
}

/// One line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: String,
    language: Option<String>,
    ids: Vec<Vec<i32>>,
    scores: std::collections::BTreeMap<String, f64>,
}

/// Reads the file; one sentence with the line where it is wrong.
pub fn parse(text: &str) -> Result<Vec<Golden>, String> {
    if text.lines().nth(LINES_MAX).is_some() {
        return Err(format!("it has more than {LINES_MAX} lines"));
    }
    let line = |(number, line): (usize, &str)| {
        golden(line).map_err(|reason| format!("line {}: {reason}", number + 1))
    };
    text.lines().enumerate().map(line).collect()
}

fn golden(line: &str) -> Result<Golden, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let language = line.language.as_deref();
    let known = language.map(|code| Language::new(code).ok_or(format!("no language `{code}`")));
    let score = |(category, probability): (String, f64)| {
        let score = Score::new(probability).ok_or(format!("{probability} is no score"))?;
        Ok((Category::new(&category), score))
    };
    let scores: Result<_, String> = line.scores.into_iter().map(score).collect();
    Ok(Golden { text: line.text, language: known.transpose()?, ids: line.ids, scores: scores? })
}

/// Where the model says something else now, in a sentence each.
pub fn differences(
    golden: &[Golden],
    encoder: &TextEncoder,
    session: &mut dyn Classifier,
) -> Result<Vec<String>, ClassifyError> {
    let mut found = Vec::new();
    for (wanted, number) in golden.iter().zip(1..) {
        let mut ids = Vec::new();
        let encoded = encoder.encode(&wanted.text, |window| ids.push(window));
        if encoded.is_err() || ids != wanted.ids {
            found.push(format!("{GOLDEN}:{number}: other ids"));
        }
        let input = Input { text: &wanted.text, language: wanted.language };
        let scores = session.score(&[input])?.pop().unwrap_or_default();
        if let Some(difference) = difference(&scores, &wanted.scores) {
            found.push(format!("{GOLDEN}:{number}: {difference}"));
        }
    }
    Ok(found)
}

fn difference(scores: &[(Category, Score)], wanted: &[(Category, Score)]) -> Option<String> {
    let names = |of: &[(Category, Score)]| -> Vec<Category> {
        of.iter().map(|(category, _)| category.clone()).collect()
    };
    if names(scores) != names(wanted) {
        return Some("scores of other categories".to_owned());
    }
    let far = |((_, score), (_, wanted)): &(&(_, Score), &(_, Score))| {
        score.thousandths().abs_diff(wanted.thousandths()) > NEAR
    };
    let ((category, score), (_, wanted)) = scores.iter().zip(wanted).find(far)?;
    Some(format!("{} is {score:?}, not {wanted:?}", category.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let sound = r#"{"text": "a", "language": null, "ids": [[1]], "scores": {"hate": 0.5}}"#;
        assert_eq!(parse(sound).expect("it is sound")[0].ids, [[1]]);
        for (from, to, reason) in [
            ("null", "\"chinese\"", "no language"),
            ("0.5", "1.5", "no score"),
            ("\"ids\"", "\"idz\"", "idz"),
        ] {
            let wrong = parse(&format!("{sound}\n{}", sound.replace(from, to)));
            let wrong = wrong.expect_err("it is wrong");
            assert!(wrong.starts_with("line 2: ") && wrong.contains(reason), "{wrong}");
        }
        assert!(parse(&format!("{sound}\n").repeat(LINES_MAX + 1)).is_err());
    }

    #[test]
    fn a_score_may_differ_by_what_rounding_costs() {
        let scores = |t| [(Category::new("hate"), Score::from_thousandths(t).expect("in range"))];
        assert_eq!(difference(&scores(505), &scores(500)), None);
        let said = difference(&scores(506), &scores(500)).expect("too far");
        assert_eq!(said, "hate is 0.506, not 0.500");
        assert!(difference(&[], &scores(500)).is_some(), "a category is missing");
    }
}
