//! Why a post was decided as it was: what was seen, what was nearly seen, and how every policy weighed
//! it.
//!
//! An explanation stands beside a decision that the engine has made; it never decides. It asks the
//! scan and the policies to go over the same post once more and to say what they dropped, so it
//! cannot tell another story. Everything it shows is bounded, and what a post holds is made harmless
//! before it reaches a terminal.

mod human;
mod json;
mod marks;

mod scores;
mod shown;
pub mod words;

use crate::{
    condition::Circumstances,
    decision::Decision,
    engine::{Engine, Reading, declared},
    policy::{Facts, PolicyTrace},
    post::{Operation, Part, Post},
    rules::{Ruleset, ScanPart, Trace},
    signal::RuleHit,
    text::{NormalizedText, SentenceLanguage, skeleton, spoken},
};

/// A decision with the way to it.
#[derive(Debug)]
pub struct Explanation {
    decision: Decision,
    parts: Vec<Viewed>,
    languages: Vec<SentenceLanguage>,
    trace: Trace,
    drafts: Vec<RuleHit>,
    policies: Vec<PolicyTrace>,
}

/// One text with the views that say something else than it.
#[derive(Debug)]
struct Viewed {
    part: Part,
    standard: Option<NormalizedText>,
    skeleton: Option<NormalizedText>,
}

impl Explanation {
    /// Explains `decision`, which `engine` made about `post`. `drafts` are rules that only their own
    /// tests see.
    pub fn new(engine: &Engine, drafts: &Ruleset, post: &Post, decision: Decision) -> Self {
        let as_of = Some(decision.as_of);
        let reading = Reading::of(post, engine.bundle().rules(), as_of);
        let parts = ScanPart::of(&post.parts, &reading.views);
        let alive = post.operation != Operation::Delete;
        let scanned: &[ScanPart<'_>] = if alive { &parts } else { &[] };
        let language = decision.signals.main_language();
        let circumstances = Circumstances::new(post, as_of, language);
        let trace = engine.bundle().rules().trace(scanned, &circumstances);
        let facts = Facts { signals: &decision.signals, post, as_of };
        let regions = if alive { engine.audience(post) } else { Vec::new() };
        let policies = engine.bundle().policies().trace(&facts, &regions);
        let drafts = drafts.scan_under(scanned, &circumstances).hits;
        let languages =
            if alive { spoken(&reading.classifier_text, declared(post)) } else { Vec::new() };
        let parts =
            post.parts.iter().zip(&reading.views).map(|(part, view)| Viewed::new(part, view));
        Self { parts: parts.collect(), decision, languages, trace, drafts, policies }
    }

    /// What was decided.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What the scan saw and dropped.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// How every policy of the audience weighed the evidence.
    pub fn policies(&self) -> &[PolicyTrace] {
        &self.policies
    }
}

impl Viewed {
    fn new(part: &Part, standard: &NormalizedText) -> Self {
        let skeleton = skeleton(&part.text, standard).map(|skeleton| skeleton.view().clone());
        Self {
            skeleton: skeleton.filter(|view| view.text() != standard.text()),
            standard: Some(standard.clone()).filter(|view| view.text() != part.text),
            part: part.clone(),
        }
    }
}
