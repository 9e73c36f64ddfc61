//! A decision as JSON, version 1, within its size.
//!
//! Consumers must be able to read every decision, so an over-full one loses evidence step by step,
//! never its verdicts: first the repeated text, then spans, then hits of rules that do not act, then all
//! evidence, then every reason but the gravest of each verdict.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::decision_id::DecisionId;
use crate::{
    decision::{Decision, Degraded, Effect, Outcome, Reason, RegionVerdict, ReviewWhen},
    post::Region,
    signal::{
        Answer, AtMost, Category, LanguageShare, ModelSignal, Opinion, RuleHit, Score, Status,
        TextSpan,
    },
};

/// What the door adds to a decision.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// The decision's id.
    pub id: DecisionId,
    /// Topic, partition and offset of the record; nothing on other doors.
    pub source: Option<(&'a str, i32, i64)>,
    /// When the door received the post.
    pub received_at: Timestamp,
    /// When the decision was made.
    pub decided_at: Timestamp,
    /// The post's texts, when the operator wants them repeated.
    pub text: Option<&'a [crate::post::Part]>,
}

/// How much of the evidence is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    Full,
    WithoutText,
    WithoutSpans,
    WithoutShadow,
    VerdictsOnly,
    GravestReasons,
}

impl Evidence {
    /// How many reasons a verdict keeps.
    fn reasons_max(self) -> usize {
        if self == Self::GravestReasons { 1 } else { usize::MAX }
    }
}

/// Appends the decision to `buffer`, using at most `bytes_max` where dropping evidence can do that.
pub fn encode_decision(
    decision: &Decision,
    published: &Published<'_>,
    bytes_max: usize,
    buffer: &mut Vec<u8>,
) {
    let start = buffer.len();
    let steps = [
        Evidence::Full,
        Evidence::WithoutText,
        Evidence::WithoutSpans,
        Evidence::WithoutShadow,
        Evidence::VerdictsOnly,
        Evidence::GravestReasons,
    ];
    for evidence in steps {
        buffer.truncate(start);
        let view = DecisionV1::new(decision, published, evidence);
        serde_json::to_writer(&mut *buffer, &view).expect("a decision is plain JSON");
        if buffer.len() - start <= bytes_max {
            return;
        }
    }
}

#[derive(Serialize)]
struct DecisionV1<'a> {
    id: DecisionId,
    schema: u32,
    operation: &'static str,
    post_id: &'a str,
    revision: u64,
    content_hash: &'a str,
    text_hash: &'a str,
    action: &'static str,
    withheld_in: Codes,
    held_in: Codes,
    verdicts: Vec<VerdictV1<'a>>,
    languages: Vec<LanguageV1<'a>>,
    signals: SignalsV1<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reviews: Vec<ReviewV1<'a>>,
    versions: VersionsV1<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceV1<'a>>,
    as_of: Timestamp,
    received_at: Timestamp,
    decided_at: Timestamp,
    degraded: Vec<&'static str>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Vec<TextV1<'a>>>,
}

impl<'a> DecisionV1<'a> {
    fn new(decision: &'a Decision, published: &Published<'a>, evidence: Evidence) -> Self {
        let mut degraded: BTreeSet<Degraded> = decision.degraded.clone();
        if evidence > Evidence::Full {
            degraded.insert(Degraded::EvidenceTruncated);
        }
        let versions = &decision.versions;
        Self {
            id: published.id,
            schema: 1,
            operation: decision.operation.as_str(),
            post_id: decision.post_id.as_str(),
            revision: decision.revision,
            content_hash: &decision.content_hash,
            text_hash: &decision.text_hash,
            action: decision.action.as_str(),
            withheld_in: Codes(decision.withheld_in()),
            held_in: Codes(decision.held_in()),
            verdicts: decision.verdicts.iter().map(|of| VerdictV1::new(of, evidence)).collect(),
            languages: decision.signals.languages.iter().map(LanguageV1::new).collect(),
            signals: SignalsV1::new(decision, evidence),
            reviews: reviews(decision, published.id),
            versions: VersionsV1 {
                engine: versions.engine,
                bundle: &versions.bundle,
                rules: &versions.rules,
                policies: &versions.policies,
                models: &versions.models,
            },
            source: published.source.map(|(topic, partition, offset)| SourceV1 {
                topic,
                partition,
                offset,
            }),
            as_of: decision.as_of,
            received_at: published.received_at,
            decided_at: published.decided_at,
            degraded: degraded.into_iter().map(Degraded::as_str).collect(),
            truncated: decision.signals.truncated || evidence > Evidence::Full,
            text: published
                .text
                .filter(|_| evidence == Evidence::Full)
                .map(|parts| parts.iter().map(TextV1::new).collect()),
        }
    }
}

/// Region codes as a list.
struct Codes(Vec<Region>);

impl Serialize for Codes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Region::as_str))
    }
}

#[derive(Serialize)]
struct VerdictV1<'a> {
    regions: Vec<&'a str>,
    action: &'static str,
    hold: bool,
    effects: Vec<&'static str>,
    reasons: Vec<ReasonV1<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    would: Option<WouldV1<'a>>,
}

impl<'a> VerdictV1<'a> {
    fn new(of: &'a RegionVerdict, evidence: Evidence) -> Self {
        let outcome = &of.verdict.outcome;
        let max = evidence.reasons_max();
        let written = outcome.reasons();
        let cut =
            written.is_some_and(|reasons| reasons.truncated() || reasons.as_slice().len() > max);
        let would = of.verdict.would.as_ref().filter(|_| evidence < Evidence::GravestReasons);
        Self {
            regions: of.regions.iter().map(Region::as_str).collect(),
            action: outcome.action().as_str(),
            hold: outcome.hold(),
            effects: of.verdict.effects.iter().copied().map(Effect::as_str).collect(),
            reasons: reasons(outcome, max),
            truncated: cut,
            would: would.map(WouldV1::new),
        }
    }
}

#[derive(Serialize)]
struct WouldV1<'a> {
    action: &'static str,
    reasons: Vec<ReasonV1<'a>>,
}

impl<'a> WouldV1<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        Self { action: outcome.action().as_str(), reasons: reasons(outcome, usize::MAX) }
    }
}

fn reasons(outcome: &Outcome, max: usize) -> Vec<ReasonV1<'_>> {
    let all = outcome.reasons().map(crate::decision::Reasons::as_slice).unwrap_or_default();
    all.iter().take(max).map(ReasonV1::new).collect()
}

#[derive(Serialize)]
struct ReasonV1<'a> {
    row: &'a str,
    category: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    tier: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    legal: Option<LegalV1<'a>>,
    scope: &'static str,
}

impl<'a> ReasonV1<'a> {
    fn new(reason: &'a Reason) -> Self {
        Self {
            row: reason.row.as_str(),
            category: reason.category.as_str(),
            severity: reason.severity.map(crate::signal::Severity::level),
            rule: reason.rule.as_ref().map(crate::signal::RuleId::as_str),
            entry: reason.entry.as_deref(),
            score: reason.score.map(Score::probability),
            threshold: reason.threshold.map(Score::probability),
            tier: reason.tier.as_str(),
            legal: reason.legal.as_deref().map(|legal| LegalV1 {
                act: &legal.act,
                article: legal.article.as_deref(),
                url: legal.url.as_deref(),
            }),
            scope: reason.scope.as_str(),
        }
    }
}

#[derive(Serialize)]
struct LegalV1<'a> {
    act: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct LanguageV1<'a> {
    language: &'a str,
    confidence: f64,
    share: f64,
}

impl<'a> LanguageV1<'a> {
    fn new(of: &'a LanguageShare) -> Self {
        let (confidence, share) = (of.confidence.probability(), of.share.probability());
        Self { language: of.language.as_str(), confidence, share }
    }
}

#[derive(Serialize)]
struct SignalsV1<'a> {
    rules: Vec<HitV1<'a>>,
    scores: Scores<'a>,
    model: ModelV1<'a>,
}

impl<'a> SignalsV1<'a> {
    fn new(decision: &'a Decision, evidence: Evidence) -> Self {
        let written = |hit: &&RuleHit| match evidence {
            Evidence::Full | Evidence::WithoutText | Evidence::WithoutSpans => true,
            Evidence::WithoutShadow => hit.rule.status == Status::Enforced,
            Evidence::VerdictsOnly | Evidence::GravestReasons => false,
        };
        let with_spans = evidence <= Evidence::WithoutText;
        let hits = decision.signals.hits.iter().filter(written);
        let (status, model) = match &decision.signals.model {
            ModelSignal::Scored { model, .. } => ("scored", Some(model)),
            ModelSignal::Unavailable(model) => ("unavailable", model.as_ref()),
            ModelSignal::NotRouted => ("not_routed", None),
        };
        Self {
            rules: hits.map(|hit| HitV1::new(hit, with_spans)).collect(),
            scores: Scores(decision.signals.model.scores()),
            model: ModelV1 {
                status,
                name: model.map(|model| model.name.as_str()),
                version: model.map(|model| model.version.as_str()),
                opinions: decision.signals.model.opinions().iter().map(OpinionV1::new).collect(),
            },
        }
    }
}

/// Scores as an object by taxonomy path.
struct Scores<'a>(&'a [(Category, Score)]);

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (category, score) in self.0 {
            map.serialize_entry(category.as_str(), &score.probability())?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct ModelV1<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    opinions: Vec<OpinionV1<'a>>,
}

/// A second opinion that was wanted, with what the first model had said.
#[derive(Serialize)]
struct OpinionV1<'a> {
    name: &'a str,
    version: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    core: Option<Scores<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flipped: Option<bool>,
}

impl<'a> OpinionV1<'a> {
    fn new(opinion: &'a Opinion) -> Self {
        let (scores, core, flipped) = match &opinion.answer {
            Answer::Scored { scores, core, flipped } => {
                (Some(Scores(scores)), Some(Scores(core)), Some(*flipped))
            }
            Answer::Skipped | Answer::Unavailable => (None, None, None),
        };
        Self {
            name: &opinion.model.name,
            version: &opinion.model.version,
            status: opinion.answer.as_str(),
            scores,
            core,
            flipped,
        }
    }
}

#[derive(Serialize)]
struct HitV1<'a> {
    rule: &'a str,
    hash: &'a str,
    entry: &'a str,
    category: &'a str,
    severity: u8,
    status: &'static str,
    field: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u16>,
    spans: Vec<SpanV1>,
    view: &'static str,
    obfuscated: bool,
    language_mismatch: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

impl<'a> HitV1<'a> {
    fn new(hit: &'a RuleHit, with_spans: bool) -> Self {
        let spans = if with_spans { &*hit.spans } else { &[] };
        Self {
            rule: hit.rule.id.as_str(),
            hash: &hit.rule.hash,
            entry: &hit.entry,
            category: hit.rule.category.as_str(),
            severity: hit.rule.severity.level(),
            status: hit.rule.status.as_str(),
            field: hit.field.as_str(),
            index: hit.index,
            spans: spans.iter().map(SpanV1::new).collect(),
            view: hit.view.as_str(),
            obfuscated: hit.obfuscated,
            language_mismatch: hit.language_mismatch,
            cancelled_by: hit.cancelled_by.as_deref(),
            at_most: hit.at_most.map(AtMost::as_str),
            truncated: hit.truncated || !with_spans,
        }
    }
}

#[derive(Serialize)]
struct SpanV1 {
    start: u32,
    end: u32,
    utf16_start: u32,
    utf16_end: u32,
}

impl SpanV1 {
    fn new(span: &TextSpan) -> Self {
        let TextSpan { bytes, utf16 } = span;
        let (start, end) = (bytes.start(), bytes.end());
        Self { start, end, utf16_start: utf16.start(), utf16_end: utf16.end() }
    }
}

#[derive(Serialize)]
struct VersionsV1<'a> {
    engine: &'static str,
    bundle: &'a str,
    rules: &'a str,
    policies: &'a str,
    models: &'a [String],
}

#[derive(Serialize)]
struct SourceV1<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
}

#[derive(Serialize)]
struct TextV1<'a> {
    field: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u16>,
    text: &'a str,
}

impl<'a> TextV1<'a> {
    fn new(part: &'a crate::post::Part) -> Self {
        Self { field: part.field.as_str(), index: part.index, text: &part.text }
    }
}

/// A job for people: what rows of several regions ask of one queue at one time.
#[derive(Serialize)]
struct ReviewV1<'a> {
    id: DecisionId,
    queue: &'a str,
    priority: u8,
    regions: Vec<&'a str>,
    rows: Vec<&'a str>,
    when: &'static str,
    hold: bool,
    languages: Vec<&'a str>,
}

fn reviews(decision: &Decision, id: DecisionId) -> Vec<ReviewV1<'_>> {
    let mut jobs: BTreeMap<(&str, ReviewWhen), ReviewV1<'_>> = BTreeMap::new();
    let languages: Vec<&str> =
        decision.signals.languages.iter().map(|share| share.language.as_str()).collect();
    for of in &decision.verdicts {
        for ask in &of.verdict.reviews {
            let (queue, when) = (&*ask.queue, ask.when);
            let job = jobs.entry((queue, when)).or_insert_with(|| ReviewV1 {
                id: id.derive(&format!("review {queue} {}", when.as_str())),
                queue,
                priority: 0,
                regions: Vec::new(),
                rows: Vec::new(),
                when: when.as_str(),
                hold: false,
                languages: languages.clone(),
            });
            job.priority = job.priority.max(ask.priority);
            job.hold |= of.verdict.outcome.hold();
            job.regions.extend(of.regions.iter().map(Region::as_str));
            job.rows.push(ask.row.as_str());
        }
    }
    let mut jobs: Vec<ReviewV1<'_>> = jobs.into_values().collect();
    for job in &mut jobs {
        for list in [&mut job.regions, &mut job.rows] {
            list.sort_unstable();
            list.dedup();
        }
    }
    jobs
}
