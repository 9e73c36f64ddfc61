//! A rule's own tests: what it must hit, must miss, and ought to hit one day.

use std::sync::Arc;

use super::{
    file::{EntryKind, Example, PackFile, RuleFile},
    given::Given,
    ruleset::{Ruleset, ScanPart, Setting},
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Level, Location, SourceFile},
    post::{Field, Surface},
    signal::{RuleHit, Status},
    text::standard,
};

/// How many examples ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExampleReport {
    /// Texts that had to hit and did.
    pub hits: usize,
    /// Texts that had to miss and did.
    pub misses: usize,
    /// Known misses that still miss.
    pub todo: usize,
    /// Known misses that hit by now: they can move to `hit`.
    pub done: Vec<Location>,
    /// Examples that failed.
    pub failed: usize,
}

/// Runs the examples of every rule. A failure refuses the bundle, but for drafts, where it warns.
pub fn check_examples(
    packs: &[PackFile],
    scanned: &Ruleset,
    drafts: &Ruleset,
    out: &mut Diagnostics,
) -> ExampleReport {
    let mut report = ExampleReport::default();
    for pack in packs {
        for rule in pack.rules.iter().filter(|rule| rule.status != Status::Deprecated) {
            let rules = if rule.status == Status::Draft { drafts } else { scanned };
            RuleExamples { file: &pack.file, rule, rules, out, report: &mut report }.run();
        }
    }
    report
}

struct RuleExamples<'a> {
    file: &'a Arc<SourceFile>,
    rule: &'a RuleFile,
    rules: &'a Ruleset,
    out: &'a mut Diagnostics,
    report: &'a mut ExampleReport,
}

impl RuleExamples<'_> {
    fn run(&mut self) {
        let rule = self.rule;
        let mut used: Vec<Arc<str>> = Vec::new();
        for example in &rule.hit {
            let entries = self.evidence(example);
            if entries.is_empty() {
                self.fail(example, "the rule misses a text that it must hit");
            } else {
                self.report.hits += 1;
                used.extend(entries);
            }
        }
        for example in &rule.miss {
            match self.evidence(example).first() {
                Some(entry) => {
                    let message = format!("the rule hits a text that it must miss, by `{entry}`");
                    self.fail(example, &message);
                }
                None => self.report.misses += 1,
            }
        }
        for example in &rule.todo {
            if self.evidence(example).is_empty() {
                self.report.todo += 1;
            } else {
                self.report.done.push(self.location(&example.range));
            }
        }
        if rule.status == Status::Enforced {
            self.require(&used);
        }
    }

    /// The entries of this rule that give evidence in the text.
    fn evidence(&self, example: &Example) -> Vec<Arc<str>> {
        let text = standard(&example.text);
        let given = example.given.as_deref().and_then(Given::surface);
        let surface = given.or(self.rule.surfaces.first().copied()).unwrap_or(Surface::Post);
        let post = example.post(surface);
        let circumstances = example.circumstances(&post);
        let circumstances = circumstances.as_ref();
        let setting = Setting { surface, declared: example.language, circumstances };
        let original = example.text.as_str();
        let part = ScanPart { field: Field::Body, index: None, original, standard: &text };
        let ours =
            |hit: &RuleHit| hit.rule.id.as_str() == self.rule.id && hit.cancelled_by.is_none();
        let hits = self.rules.scan_before(&[part], setting, &mut ()).hits.into_iter().filter(ours);
        hits.map(|hit| hit.entry).collect()
    }

    fn require(&mut self, used: &[Arc<str>]) {
        let rule = self.rule;
        for (examples, key) in [(&rule.hit, "hit"), (&rule.miss, "miss")] {
            if examples.is_empty() {
                let message = format!("an enforced rule needs at least one `{key}`");
                let help = format!("write a text that the rule must {key}, or say `status: draft`");
                let location = self.location(&rule.range);
                self.out.push(Diagnostic::error("R040", location, message).help(help));
            }
        }
        let finds = rule.any.iter().chain(rule.combination.all.iter().flatten());
        let regexes = finds.filter(|entry| entry.kind == EntryKind::Regex);
        for entry in regexes {
            let name = format!("regex: {}", entry.text);
            if !used.iter().any(|seen| **seen == *name) {
                let location = self.location(&entry.range);
                let message = "no `hit` of the rule is found by this regex";
                let help = "add a text that it finds; untested regexes surprise";
                self.out.push(Diagnostic::error("R042", location, message).help(help));
            }
        }
    }

    fn fail(&mut self, example: &Example, message: &str) {
        self.report.failed += 1;
        let level = if self.rule.status == Status::Draft { Level::Warning } else { Level::Error };
        let location = self.location(&example.range);
        let message = format!("{}: {message}", self.rule.id);
        self.out.push(Diagnostic { level, ..Diagnostic::error("R041", location, message) });
    }

    fn location(&self, range: &std::ops::Range<usize>) -> Location {
        Location { file: Arc::clone(self.file), range: range.clone() }
    }
}
