//! What became of a wave: throughput, actions by region, languages, and the most telling decisions.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use jiff::Timestamp;
use serde_json::Value;

use super::explain::{explain, tells};

/// How many decisions are explained.
const TELLING: usize = 5;

/// The outputs of the worker, counted.
#[derive(Debug, Default)]
pub struct Summary {
    decisions: usize,
    dead_letters: usize,
    actions: BTreeMap<(String, String), usize>,
    languages: BTreeMap<String, usize>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// The first decision of each kind of story, with the text of its post.
    telling: BTreeMap<usize, (Value, String)>,
}

impl Summary {
    /// Counts one output; `text_of` gives a post's text by its id.
    pub fn add<'t>(&mut self, output: &[u8], text_of: impl Fn(&str) -> Option<&'t str>) {
        let Ok(decision) = serde_json::from_slice::<Value>(output) else {
            self.dead_letters += 1;
            return;
        };
        self.decisions += 1;
        self.count(&decision);
        let id = decision["post_id"].as_str().unwrap_or_default();
        if let (Some(story), Some(text)) = (tells(&decision), text_of(id)) {
            self.telling.entry(story).or_insert_with(|| (decision.clone(), text.to_owned()));
        }
    }

    /// Decisions so far.
    pub fn decisions(&self) -> usize {
        self.decisions
    }

    /// Decisions per second between the first post read and the last decision made.
    pub fn per_second(&self) -> Option<f64> {
        let span = self.last?.duration_since(self.first?).as_secs_f64();
        let count = u32::try_from(self.decisions).ok()?;
        (span > 0.0).then(|| f64::from(count) / span)
    }

    fn count(&mut self, decision: &Value) {
        for verdict in array(&decision["verdicts"]) {
            let action = verdict["action"].as_str().unwrap_or("?");
            for region in array(&verdict["regions"]) {
                let key = (region.as_str().unwrap_or("?").to_owned(), action.to_owned());
                *self.actions.entry(key).or_default() += 1;
            }
        }
        let main = decision["languages"][0]["language"].as_str().unwrap_or("none");
        *self.languages.entry(main.to_owned()).or_default() += 1;
        let time = |key: &str| decision[key].as_str().and_then(|t| t.parse::<Timestamp>().ok());
        self.first = self.first.into_iter().chain(time("received_at")).min();
        self.last = self.last.into_iter().chain(time("decided_at")).max();
    }

    fn write_actions(&self, out: &mut String) {
        let count = |region: &str, action: &str| {
            self.actions.get(&(region.to_owned(), action.to_owned())).copied().unwrap_or(0)
        };
        let _ = writeln!(out, "  {:<10}{:>8}{:>8}{:>8}", "region", "allow", "review", "block");
        let mut regions: Vec<&str> =
            self.actions.keys().map(|(region, _)| region.as_str()).collect();
        regions.dedup();
        for region in regions {
            let [allow, review, block] = ["allow", "review", "block"].map(|a| count(region, a));
            let _ = writeln!(out, "  {region:<10}{allow:>8}{review:>8}{block:>8}");
        }
    }

    fn write_languages(&self, out: &mut String) {
        let mut languages: Vec<(&String, &usize)> = self.languages.iter().collect();
        languages.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let shown: Vec<String> = languages
            .iter()
            .take(8)
            .map(|(language, count)| format!("{language} {count}"))
            .collect();
        let _ = writeln!(out, "  languages: {}", shown.join(", "));
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        let _ =
            writeln!(out, "{} posts decided, {} dead letters", self.decisions, self.dead_letters);
        if let Some(rate) = self.per_second() {
            let _ = writeln!(out, "{rate:.0} posts a second through Kafka and back\n");
        }
        self.write_actions(&mut out);
        self.write_languages(&mut out);
        let _ = writeln!(out, "\nFive decisions, in words");
        for (number, (decision, text)) in (1..).zip(self.telling.values().take(TELLING)) {
            let _ = writeln!(out, "\n{number}. {}", explain(decision, text));
        }
        f.write_str(&out)
    }
}

/// The items of a JSON list; nothing for anything else.
pub(super) fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
