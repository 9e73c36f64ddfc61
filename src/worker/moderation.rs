//! The worker's judge: decodes records, has them decided, encodes decisions, counts.

use std::{num::NonZeroUsize, sync::Arc};

use jiff::Timestamp;

use super::judge::{Copies, Judge, JudgeError, JudgeFactory, Judgement, Publication};
use crate::{
    bundle::Live,
    decision::{Action, Decision},
    delivery::{Header, Record},
    engine::Engine,
    moderator::{Moderator, Panicked, Upkeep, guarded},
    post::{Operation, Part, Post},
    reload::Status,
    telemetry::{Counts, Instruments, ModelStatus, Stage as Timed, model_observer},
    wire::{
        DecisionId, ErrorCode, Limits, Origin, Published, WireError,
        dead_letter::{DeadLetter, Stage},
        decode_post, encode_decision,
    },
};

/// Headers of a record that its decision passes on: W3C Trace Context.
const TRACE_HEADERS: [&str; 2] = ["traceparent", "tracestate"];

/// What the judge needs to know beside the bundle.
#[derive(Debug, Clone)]
pub struct ModerationSettings {
    /// The configured name of the source.
    pub source: String,
    /// The posts topic.
    pub topic: String,
    /// What a record may be at most.
    pub limits: Limits,
    /// Whether decisions repeat the post's text.
    pub include_text: bool,
}

/// Makes judges that moderate under the bundle in force.
#[derive(Debug)]
pub struct ModeratorFactory {
    settings: Arc<ModerationSettings>,
    instruments: Arc<Instruments>,
    live: Arc<Live>,
    upkeep: Arc<Upkeep>,
    status: Option<Arc<Status>>,
}

impl ModeratorFactory {
    /// A factory of judges under what is in force in `live`.
    pub fn new(
        live: Arc<Live>,
        settings: ModerationSettings,
        instruments: Arc<Instruments>,
    ) -> Self {
        let bundle = live.now().bundle;
        instruments.set_bundle(&bundle.versions().bundle);
        instruments.set_model_status(ModelStatus::at_start(bundle.model().is_some()));
        let upkeep = Arc::new(Upkeep::watched(model_observer(&instruments)));
        Self { settings: Arc::new(settings), instruments, live, upkeep, status: None }
    }

    /// The same; second opinions take no more than their share of so many threads.
    #[must_use]
    pub fn on_threads(self, threads: NonZeroUsize) -> Self {
        let upkeep = Upkeep::watched(model_observer(&self.instruments)).within_share_of(threads);
        Self { upkeep: Arc::new(upkeep), ..self }
    }

    /// The same, with what a reloader tells operators.
    #[must_use]
    pub fn reporting(self, status: Arc<Status>) -> Self {
        Self { status: Some(status), ..self }
    }
}

impl JudgeFactory for ModeratorFactory {
    fn judge(&self) -> Result<Box<dyn Judge>, JudgeError> {
        let engine = Engine::in_force(self.live.now());
        let moderator = Moderator::with(engine, Arc::clone(&self.upkeep));
        let moderator = moderator.map_err(|error| JudgeError(error.to_string()))?;
        Ok(Box::new(ModerationJudge {
            hash: hash(&moderator),
            moderator,
            settings: Arc::clone(&self.settings),
            instruments: Arc::clone(&self.instruments),
            live: Arc::clone(&self.live),
        }))
    }

    fn generation(&self) -> u64 {
        self.live.now().generation
    }

    fn status(&self) -> Option<Arc<Status>> {
        self.status.clone()
    }
}

struct ModerationJudge {
    moderator: Moderator,
    hash: Arc<str>,
    settings: Arc<ModerationSettings>,
    instruments: Arc<Instruments>,
    live: Arc<Live>,
}

/// The hash of the bundle that a moderator decides with.
fn hash(moderator: &Moderator) -> Arc<str> {
    moderator.engine().bundle().versions().bundle.as_str().into()
}

/// A record that holds a post, while the post is decided about.
struct Waiting {
    post_id: String,
    text: Option<Vec<Part>>,
}

impl Judge for ModerationJudge {
    fn judge(&mut self, records: &[Record]) -> Vec<Judgement> {
        let received_at = Timestamp::now();
        let mut posts = Vec::with_capacity(records.len());
        let decoded: Vec<Result<Waiting, DeadLetter>> = records
            .iter()
            .map(|record| {
                let decoded = guarded(|| self.decode(record));
                let (post, waiting) =
                    decoded.map_err(|bug| panic_letter(bug, Stage::Decode, None))??;
                let as_of = record.timestamp.or(post.created_at).unwrap_or(received_at);
                posts.push((post, as_of));
                Ok(waiting)
            })
            .collect();
        let (decisions, times) = self.moderator.decide(posts);
        let stages = [
            (Timed::Screen, times.screen),
            (Timed::Score, times.score),
            (Timed::Decide, times.decide),
        ];
        for (stage, time) in stages {
            self.instruments.stage(stage).observe(time.as_secs_f64());
        }
        let mut decisions = decisions.into_iter();
        let mut counts = Counts::default();
        let judged = records.iter().zip(decoded).map(|(record, waiting)| {
            let waiting = match waiting {
                Ok(waiting) => waiting,
                Err(letter) => return Judgement::DeadLetter(letter),
            };
            match decisions.next().expect("every post has a decision") {
                Ok(decision) => {
                    counts.add(&decision);
                    let publication =
                        guarded(|| self.publication(record, &decision, &waiting, received_at));
                    publication.map_or_else(
                        |bug| {
                            let letter = panic_letter(bug, Stage::Publish, Some(waiting.post_id));
                            Judgement::DeadLetter(letter)
                        },
                        Judgement::Publish,
                    )
                }
                Err(bug) => {
                    Judgement::DeadLetter(panic_letter(bug, Stage::Decide, Some(waiting.post_id)))
                }
            }
        });
        let judged = judged.collect();
        counts.report(&self.instruments);
        judged
    }

    fn follow(&mut self) -> Result<(), JudgeError> {
        let engine = Engine::in_force(self.live.now());
        self.moderator.follow(engine).map_err(|error| JudgeError(error.to_string()))?;
        self.hash = hash(&self.moderator);
        Ok(())
    }

    fn bundle(&self) -> Arc<str> {
        Arc::clone(&self.hash)
    }
}

impl ModerationJudge {
    fn decode(&self, record: &Record) -> Result<(Post, Waiting), DeadLetter> {
        let letter = |error| DeadLetter { error, stage: Stage::Decode };
        let Some(value) = &record.value else {
            return Err(letter(WireError::new(ErrorCode::Empty, "the record has no value")));
        };
        let decoded = decode_post(value, &self.settings.limits).map_err(letter)?;
        self.instruments.unknown_keys().inc_by(decoded.unknown_keys);
        let post = decoded.post;
        let post_id = post.id.as_str().to_owned();
        let text = self.settings.include_text.then(|| post.parts.clone());
        Ok((post, Waiting { post_id, text }))
    }

    fn publication(
        &self,
        record: &Record,
        decision: &Decision,
        waiting: &Waiting,
        received_at: Timestamp,
    ) -> Publication {
        let (topic, place) = (self.settings.topic.as_str(), record.place);
        let (partition, offset) = (place.partition.0, place.offset.0);
        let value = record.value.as_deref().expect("a record without a value is no post");
        let id = DecisionId::of(Origin::Record {
            source: &self.settings.source,
            topic,
            partition,
            offset,
            value,
        });
        let published = Published {
            id,
            source: Some((topic, partition, offset)),
            received_at,
            decided_at: Timestamp::now(),
            text: waiting.text.as_deref(),
        };
        let mut payload = Vec::with_capacity(1024);
        let bytes_max = self.moderator.engine().bundle().decision_bytes();
        encode_decision(decision, &published, bytes_max, &mut payload);
        let passed_on = |header: &&Header| TRACE_HEADERS.contains(&header.name.as_str());
        let actions = decision.verdicts.iter().map(|of| of.verdict.outcome.action());
        Publication {
            payload,
            key: record.key.clone().unwrap_or_else(|| waiting.post_id.clone().into_bytes()),
            headers: record.headers.iter().filter(passed_on).cloned().collect(),
            copies: Copies {
                reviews: decision.operation == Operation::Delete
                    || actions.clone().any(|action| action == Action::Review)
                    || decision.verdicts.iter().any(|of| !of.verdict.reviews.is_empty()),
                blocks: actions.clone().any(|action| action == Action::Block),
            },
        }
    }
}

/// The dead letter of a record over which the engine panicked.
fn panic_letter(bug: Panicked, stage: Stage, post_id: Option<String>) -> DeadLetter {
    let error = WireError { post_id, ..WireError::new(ErrorCode::Panic, bug.to_string()) };
    DeadLetter { error, stage }
}
