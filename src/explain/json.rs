//! An explanation as JSON, for tools.
//!
//! The decision stands in it as every door publishes it; texts are cut, so that no post makes an
//! explanation without end.

use serde_json::{Value, json};

use super::{Explanation, Viewed, words};
use crate::{
    policy::{PolicyTrace, Weighed},
    post::Region,
    rules::{Expected, NearHit},
    signal::{Language, RuleHit, TextSpan},
    text::NormalizedText,
    wire::{Published, encode_decision},
};

/// Most bytes of a text.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Most texts, and rows of one policy.
const PARTS_MAX: usize = 32;
const ROWS_MAX: usize = 32;

impl Explanation {
    /// The explanation with the decision as it is `published`, which uses at most `bytes_max`.
    pub fn json(&self, published: &Published<'_>, bytes_max: usize) -> Value {
        let mut decision = Vec::new();
        encode_decision(&self.decision, published, bytes_max, &mut decision);
        let decision: Value = serde_json::from_slice(&decision).expect("a decision is JSON");
        let hits = self.trace.scanned.hits.iter().zip(&self.trace.expected);
        json!({
            "schema": 1,
            "decision": decision,
            "texts": self.parts.iter().take(PARTS_MAX).map(viewed).collect::<Vec<_>>(),
            "languages": self.languages(),
            "hits": hits.map(|(of, expected)| hit(of, expected)).collect::<Vec<_>>(),
            "near": self.trace.near.iter().map(near).collect::<Vec<_>>(),
            "drafts": self.drafts.iter().map(draft).collect::<Vec<_>>(),
            "scores": self.scores_json(),
            "regions": self.policies.iter().map(policy).collect::<Vec<_>>(),
            "truncated": self.trace.more || self.parts.len() > PARTS_MAX,
        })
    }

    fn languages(&self) -> Vec<Value> {
        let pairs = self.decision.signals.languages.iter().zip(&self.languages);
        let language =
            |(share, spoken): (&crate::signal::LanguageShare, &crate::text::SentenceLanguage)| {
                json!({
                    "language": share.language.as_str(),
                    "confidence": share.confidence.probability(),
                    "share": share.share.probability(),
                    "because": spoken.basis.as_str(),
                })
            };
        pairs.map(language).collect()
    }

    fn scores_json(&self) -> Vec<Value> {
        let scored = self.scores();
        let of = |scored: &super::scores::Scored<'_>| {
            let threshold = |t: &super::scores::Threshold<'_>| {
                json!({
                    "row": t.row,
                    "action": t.asks.as_str(),
                    "threshold": t.from.probability(),
                    "distance": f64::from(t.distance(scored.score)) / 1000.0,
                    "regions": codes(&t.regions),
                })
            };
            json!({
                "category": scored.category.as_str(),
                "score": scored.score.probability(),
                "thresholds": scored.thresholds.iter().map(threshold).collect::<Vec<_>>(),
            })
        };
        scored.iter().map(of).collect()
    }
}

fn viewed(of: &Viewed) -> Value {
    let (text, cut) = cut(&of.part.text);
    let view = |view: &Option<NormalizedText>| {
        view.as_ref().map(|view| self::cut(view.text()).0.to_owned())
    };
    json!({
        "field": of.part.field.as_str(),
        "index": of.part.index,
        "text": text,
        "standard": view(&of.standard),
        "skeleton": view(&of.skeleton),
        "truncated": cut,
    })
}

fn cut(text: &str) -> (&str, bool) {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    (&text[..end], end < text.len())
}

fn hit(of: &RuleHit, expected: &Expected) -> Value {
    let languages: Vec<&str> = expected.languages.iter().map(Language::as_str).collect();
    let mut hit = draft(of);
    let more = json!({
        "view": of.view.as_str(),
        "obfuscated": of.obfuscated,
        "language_mismatch": of.language_mismatch,
        "cancelled_by": of.cancelled_by.as_deref(),
        "expects": languages,
        "sentence": {
            "language": expected.sentence.language.as_str(),
            "confidence": expected.sentence.confidence.probability(),
            "letters": expected.sentence.letters,
        },
    });
    if let (Value::Object(hit), Value::Object(more)) = (&mut hit, more) {
        hit.extend(more);
    }
    hit
}

fn draft(of: &RuleHit) -> Value {
    json!({
        "rule": of.rule.id.as_str(),
        "entry": &*of.entry,
        "category": of.rule.category.as_str(),
        "severity": of.rule.severity.level(),
        "status": of.rule.status.as_str(),
        "field": of.field.as_str(),
        "index": of.index,
        "spans": of.spans.iter().map(span).collect::<Vec<_>>(),
    })
}

fn near(of: &NearHit) -> Value {
    json!({
        "rule": of.rule.id.as_str(),
        "entry": &*of.entry,
        "exception": of.exception,
        "field": of.field.as_str(),
        "index": of.index,
        "span": span(&of.span),
        "times": of.times,
        "view": of.view.as_str(),
        "why": words::why_kind(&of.why),
        "says": words::why(&of.why),
    })
}

fn span(of: &TextSpan) -> Value {
    json!({
        "start": of.bytes.start(),
        "end": of.bytes.end(),
        "utf16_start": of.utf16.start(),
        "utf16_end": of.utf16.end(),
    })
}

fn policy(of: &PolicyTrace) -> Value {
    let rows =
        |rows: &[&Weighed]| rows.iter().take(ROWS_MAX).map(|w| weighed(w)).collect::<Vec<_>>();
    let decided: Vec<&Weighed> = of.decided().collect();
    json!({
        "regions": codes(&of.regions),
        "action": of.verdict.outcome.action().as_str(),
        "hold": of.verdict.outcome.hold(),
        "decided": rows(&decided),
        "beside": rows(&of.weaker()),
        "not_enough": rows(&of.stricter()),
    })
}

fn weighed(of: &Weighed) -> Value {
    json!({
        "row": of.row.as_str(),
        "asks": of.asks.as_str(),
        "tier": of.tier.as_str(),
        "category": of.category.as_str(),
        "threshold": of.threshold.map(crate::signal::Score::probability),
        "fate": words::fate_kind(of),
        "says": words::fate(of),
    })
}

fn codes(regions: &[Region]) -> Vec<&str> {
    regions.iter().map(Region::as_str).collect()
}
