//! The whole flow for one post on one screen: screen, score, decide.
//!
//! A pure function of a post, a time, a bundle and the overrides in force: no clock, disk, network, environment, log or
//! metric. The same post, time, bundle, overrides and engine give the same decision.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use crate::{
    bundle::{Bundle, InForce},
    condition::{Circumstances, MissingKeys},
    decision::{Action, Decision, Degraded, summary},
    hash::ValueHasher,
    overrides::Overrides,
    policy::Facts,
    post::{Field, Operation, Part, Post, PostId, Region},
    rules::{Ruleset, ScanPart, Scanned},
    signal::{Answer, Category, Language, LanguageShare, ModelSignal, RuleHit, Score, Signals},
    text::{NormalizedText, languages, standard},
};

/// A model's scores of one post.
type Scores = [(Category, Score)];

/// The engine's version, part of every decision.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Decides with one bundle, under the overrides in force.
#[derive(Debug, Clone)]
pub struct Engine {
    bundle: Arc<Bundle>,
    overrides: Arc<Overrides>,
}

/// A post that rules and languages have been found in; it is decided once.
#[derive(Debug)]
pub struct Screened {
    post: Post,
    as_of: Timestamp,
    scanned: Scanned,
    languages: Vec<LanguageShare>,
    classifier_text: String,
    content_hash: String,
    text_hash: String,
    missing: MissingKeys,
}

/// What a post says, before anything follows from it.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The standard view of each part.
    pub(crate) views: Vec<NormalizedText>,
    /// What the rules found.
    pub(crate) scanned: Scanned,
    /// The languages, the largest share first.
    pub(crate) languages: Vec<LanguageShare>,
    /// What the classifier reads.
    pub(crate) classifier_text: String,
    /// What conditions of rules asked for and the post does not give.
    pub(crate) missing: MissingKeys,
}

impl Reading {
    /// Reads a post; of one that is deleted nothing is found.
    pub(crate) fn of(post: &Post, rules: &Ruleset, as_of: Option<Timestamp>) -> Self {
        let views: Vec<NormalizedText> = post.parts.iter().map(|p| standard(&p.text)).collect();
        let classifier_text = classifier_text(&post.parts, &views);
        let alive = post.operation != Operation::Delete;
        let languages =
            if alive { languages(&classifier_text, declared(post)) } else { Vec::new() };
        let circumstances = Circumstances::new(post, as_of, main_language(&languages));
        let scanned = if alive {
            rules.scan_under(&ScanPart::of(&post.parts, &views), &circumstances)
        } else {
            Scanned::default()
        };
        let missing = circumstances.missing.get();
        Self { views, scanned, languages, classifier_text, missing }
    }

    /// The evidence, with what a model says about it.
    pub(crate) fn with(self, model: ModelSignal) -> Signals {
        let Scanned { hits, truncated } = self.scanned;
        Signals { hits, languages: self.languages, model, truncated }
    }
}

/// The language that the author declared.
pub(crate) fn declared(post: &Post) -> Option<Language> {
    post.language.as_deref().and_then(Language::of_tag)
}

impl Screened {
    /// Which post it is.
    pub fn post_id(&self) -> &PostId {
        &self.post.id
    }

    /// What the classifier reads; nothing when there is nothing to score.
    pub fn classifier_text(&self) -> Option<&str> {
        let scored = self.post.operation != Operation::Delete;
        (scored && !self.classifier_text.trim().is_empty()).then_some(&self.classifier_text)
    }

    /// The post's main language, when it is certain.
    pub fn main_language(&self) -> Option<Language> {
        main_language(&self.languages)
    }
}

impl Engine {
    /// An engine that decides with `bundle`, and under no override.
    pub fn new(bundle: Arc<Bundle>) -> Self {
        Self { bundle, overrides: Arc::default() }
    }

    /// An engine that decides with what is in force.
    pub fn in_force(now: InForce) -> Self {
        Self { bundle: now.bundle, overrides: now.overrides }
    }

    /// The same under these overrides.
    #[must_use]
    pub fn under(self, overrides: Arc<Overrides>) -> Self {
        Self { overrides, ..self }
    }

    /// The bundle it decides with.
    pub fn bundle(&self) -> &Arc<Bundle> {
        &self.bundle
    }

    /// Reads the post: views, languages, rule hits. `as_of` is the time everything is judged at.
    pub fn screen(&self, post: Post, as_of: Timestamp) -> Screened {
        let Reading { views, mut scanned, languages, classifier_text, missing } =
            Reading::of(&post, self.bundle.rules(), Some(as_of));
        self.weaken(&mut scanned.hits, as_of);
        let content_hash = hash(post.parts.iter().map(|part| (part, part.text.as_str())));
        let text_hash = hash(post.parts.iter().zip(&views).map(|(part, view)| (part, view.text())));
        Screened {
            post,
            as_of,
            scanned,
            languages,
            classifier_text,
            content_hash,
            text_hash,
            missing,
        }
    }

    /// Applies the policy of every region that will see the post. What second opinions came to stands
    /// in `model`; their allowance is the caller's.
    pub fn decide(&self, screened: Screened, model: ModelSignal) -> Decision {
        let Screened { post, as_of, scanned, languages, content_hash, text_hash, .. } = screened;
        let missing_keys = screened.missing;
        let unavailable = matches!(model, ModelSignal::Unavailable(_));
        let Scanned { hits, truncated } = scanned;
        let overridden = hits.iter().any(|hit| hit.at_most.is_some());
        let answered = |wanted: &Answer| {
            let opinions = model.opinions();
            opinions.iter().any(|opinion| opinion.answer == *wanted)
        };
        let (skipped, unheard) = (answered(&Answer::Skipped), answered(&Answer::Unavailable));
        let signals = Signals { hits, languages, model, truncated };
        let (verdicts, unnamed_regions, missing) = match post.operation {
            Operation::Delete => (Vec::new(), Vec::new(), MissingKeys::default()),
            Operation::Create | Operation::Edit => {
                let regions = self.audience(&post);
                let facts = Facts { signals: &signals, post: &post, as_of: Some(as_of) };
                let ruling = self.bundle.policies().decide(&facts, &regions);
                (ruling.verdicts, ruling.unnamed, ruling.missing)
            }
        };
        let action =
            if post.operation == Operation::Delete { Action::Allow } else { summary(&verdicts) };
        let degraded = [
            unavailable.then_some(Degraded::ModelUnavailable),
            overridden.then_some(Degraded::EmergencyOverride),
            skipped.then_some(Degraded::SecondOpinionSkipped),
            unheard.then_some(Degraded::SecondOpinionUnavailable),
        ];
        Decision {
            post_id: post.id,
            revision: post.revision,
            operation: post.operation,
            content_hash,
            text_hash,
            action,
            verdicts,
            signals,
            versions: Arc::clone(self.bundle.versions()),
            as_of,
            degraded: degraded.into_iter().flatten().collect::<BTreeSet<_>>(),
            unnamed_regions,
            missing_keys: missing_keys.and(missing),
            shadow: None,
        }
    }

    /// Whether scores that differ in these two ways lead to different verdicts on a post: the test of
    /// whether a second opinion could matter, and of whether it did. Adding evidence never lowers an
    /// action, so two ends that agree leave nothing between them.
    pub fn differ(&self, screened: &Screened, one: &Scores, other: &Scores) -> bool {
        let Some(model) = self.bundle.model() else { return false };
        let signals = |scores: &Scores| Signals {
            hits: screened.scanned.hits.clone(),
            languages: screened.languages.clone(),
            model: ModelSignal::Scored {
                model: Arc::clone(model.identity()),
                scores: scores.to_vec(),
                opinions: Vec::new(),
            },
            truncated: screened.scanned.truncated,
        };
        let (one, other) = (signals(one), signals(other));
        let facts = |signals| Facts { signals, post: &screened.post, as_of: Some(screened.as_of) };
        let regions = self.audience(&screened.post);
        self.bundle.policies().differ(&facts(&one), &facts(&other), &regions)
    }

    /// Marks the evidence that an override holds down. What is mandatory stays as it is, whatever an
    /// override says.
    fn weaken(&self, hits: &mut [RuleHit], as_of: Timestamp) {
        if self.overrides.is_empty() {
            return;
        }
        let taxonomy = self.bundle.taxonomy();
        for hit in hits.iter_mut().filter(|hit| hit.is_evidence()) {
            if !taxonomy.is_mandatory(&hit.rule.category) {
                hit.at_most = self.overrides.at_most(&hit.rule.id, as_of);
            }
        }
    }

    /// The regions that will see the post, groups expanded.
    pub(crate) fn audience(&self, post: &Post) -> Vec<Region> {
        let named = post.audience.as_deref().unwrap_or_else(|| self.bundle.regions());
        self.bundle.policies().expand(named)
    }
}

/// The largest language, when it is certain.
fn main_language(languages: &[LanguageShare]) -> Option<Language> {
    let first = languages.first()?.language;
    (first != Language::UNDETERMINED).then_some(first)
}

/// The standard views of everything but links, joined by newlines.
fn classifier_text(parts: &[Part], views: &[NormalizedText]) -> String {
    let mut text = String::new();
    let read = parts.iter().zip(views).filter(|(part, _)| part.field != Field::Links);
    for (_, view) in read {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(view.text());
    }
    text
}

/// The hash of texts with their places, in hexadecimal digits.
fn hash<'a>(texts: impl Iterator<Item = (&'a Part, &'a str)>) -> String {
    let mut hasher = ValueHasher::default();
    for (part, text) in texts {
        hasher.bytes(part.field.as_str()).integer(part.index.unwrap_or(0).into()).bytes(text);
    }
    hasher.hex()
}
