//! What models do, in numbers and lines of the log: never a post's text.

use std::{collections::BTreeSet, sync::Arc, sync::Mutex};

use prometheus::{CounterVec, IntCounter, IntCounterVec, IntGaugeVec};

use super::{
    Instruments, OpinionResult, TrialResult,
    instruments::{Maker, capped},
};
use crate::{
    classify::{Happened, ModelEvent, Observer},
    decision::{Decision, Shadowed},
    signal::{Answer, Category, Score},
};

/// Most models with series of their own; more were never routed at once.
const MODELS_MAX: usize = 64;
/// Most differences that one chunk writes into the log.
const DIFFERENCES_MAX: usize = 5;

/// Metrics of single models.
#[derive(Debug)]
pub(super) struct ModelInstruments {
    posts: IntCounterVec,
    seconds: CounterVec,
    failures: IntCounterVec,
    suspended: IntGaugeVec,
    opinions: IntCounterVec,
    shadow: IntCounterVec,
    seen: Mutex<BTreeSet<String>>,
}

impl ModelInstruments {
    pub(super) fn new(make: &Maker<'_>) -> Self {
        Self {
            posts: make.counters("model_posts_total", "Posts that a model has scored", &["model"]),
            seconds: make.seconds(
                "model_seconds_total",
                "Time that a model took for them, in seconds of one thread",
                &["model"],
            ),
            failures: make.counters(
                "model_failures_total",
                "Batches that a model gave no scores for",
                &["model", "failure"],
            ),
            suspended: make.gauges(
                "model_suspended",
                "1 while a model that failed too often is left alone",
                &["model"],
            ),
            opinions: make.counters(
                "second_opinions_total",
                "Second opinions that could have changed a verdict, by what came of them",
                &["model", "result"],
            ),
            shadow: make.counters(
                "shadow_posts_total",
                "Posts that a model on trial has scored, by whether it would decide otherwise",
                &["model", "result"],
            ),
            seen: Mutex::default(),
        }
    }

    fn model<'a>(&self, name: &'a str) -> &'a str {
        capped(&self.seen, name, MODELS_MAX)
    }

    fn happened(&self, event: &ModelEvent) {
        let model = self.model(&event.model.name);
        match &event.what {
            Happened::Scored { posts, time } => {
                let posts = u64::try_from(*posts).unwrap_or(u64::MAX);
                self.posts.with_label_values(&[model]).inc_by(posts);
                self.seconds.with_label_values(&[model]).inc_by(time.as_secs_f64());
            }
            Happened::Failed { failure, reason } => {
                let failure = failure.as_str();
                self.failures.with_label_values(&[model, failure]).inc();
                tracing::warn!(model, failure, reason, "a model gave no scores");
            }
            Happened::Suspended => {
                self.suspended.with_label_values(&[model]).set(1);
                tracing::error!(model, "a model failed too often: it is left alone for a while");
            }
            Happened::Resumed => {
                self.suspended.with_label_values(&[model]).set(0);
                tracing::info!(model, "a model answers again");
            }
        }
    }

    pub(super) fn opinions(&self, model: &str, result: OpinionResult) -> IntCounter {
        self.opinions.with_label_values(&[self.model(model), result.as_str()])
    }

    pub(super) fn shadow(&self, model: &str, result: TrialResult) -> IntCounter {
        self.shadow.with_label_values(&[self.model(model), result.as_str()])
    }
}

/// Who watches models for these instruments.
pub fn model_observer(instruments: &Arc<Instruments>) -> Observer {
    let instruments = Arc::clone(instruments);
    Observer::new(move |event| instruments.models().happened(event))
}

impl From<&Answer> for OpinionResult {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Scored { flipped: true, .. } => Self::Flipped,
            Answer::Scored { flipped: false, .. } => Self::Kept,
            Answer::Skipped => Self::Skipped,
            Answer::Unavailable => Self::Unavailable,
        }
    }
}

impl From<&Shadowed> for TrialResult {
    fn from(shadow: &Shadowed) -> Self {
        match (&shadow.scores, shadow.differs) {
            (None, _) => Self::Unavailable,
            (Some(_), true) => Self::Differs,
            (Some(_), false) => Self::Same,
        }
    }
}

/// Posts over which a model on trial would decide otherwise, for the log: ids and scores, no text.
#[derive(Debug, Default)]
pub(super) struct Differences {
    lines: Vec<Difference>,
    more: usize,
}

#[derive(Debug)]
struct Difference {
    post: String,
    model: String,
    action: &'static str,
    decided: String,
    trial: String,
}

impl Differences {
    /// Keeps a decision, where the model on trial differs.
    pub(super) fn add(&mut self, decision: &Decision) {
        let Some(shadow) = decision.shadow.as_ref().filter(|shadow| shadow.differs) else { return };
        if self.lines.len() >= DIFFERENCES_MAX {
            self.more += 1;
            return;
        }
        self.lines.push(Difference {
            post: decision.post_id.as_str().to_owned(),
            model: shadow.model.name.clone(),
            action: decision.action.as_str(),
            decided: listed(decision.signals.model.scores()),
            trial: listed(shadow.scores.as_deref().unwrap_or_default()),
        });
    }

    /// Writes them into the log.
    pub(super) fn log(&self) {
        for Difference { post, model, action, decided, trial } in &self.lines {
            tracing::info!(post, model, action, decided, trial, "a model on trial would differ");
        }
        if self.more > 0 {
            tracing::info!(more = self.more, "a model on trial would differ over other posts");
        }
    }
}

/// `hate 0.812, toxic 0.900`.
fn listed(scores: &[(Category, Score)]) -> String {
    let all: Vec<String> =
        scores.iter().map(|(category, score)| format!("{} {score:?}", category.as_str())).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{classify::Failure, signal::ModelIdentity};

    #[test]
    fn what_happens_to_a_model_is_counted_under_its_name() {
        let instruments = Arc::new(Instruments::new());
        let observer = model_observer(&instruments);
        let identity =
            ModelIdentity { name: "zh".into(), version: "1".into(), sha256: String::new() };
        let model = Arc::new(identity);
        let failed = Happened::Failed { failure: Failure::Deadline, reason: "slow".to_owned() };
        let scored = Happened::Scored { posts: 3, time: Duration::from_millis(1500) };
        for what in [scored, failed, Happened::Suspended] {
            observer.tell(&ModelEvent { model: Arc::clone(&model), what });
        }
        let page = instruments.render();
        for series in [
            r#"tidegate_model_posts_total{model="zh"} 3"#,
            r#"tidegate_model_seconds_total{model="zh"} 1.5"#,
            r#"tidegate_model_failures_total{failure="deadline",model="zh"} 1"#,
            r#"tidegate_model_suspended{model="zh"} 1"#,
        ] {
            assert!(page.contains(series), "{series} in\n{page}");
        }
        observer.tell(&ModelEvent { model, what: Happened::Resumed });
        assert!(instruments.render().contains(r#"tidegate_model_suspended{model="zh"} 0"#));
    }
}
