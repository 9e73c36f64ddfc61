//! Posts as JSON in, decisions as JSON out, in order: what the doors without Kafka share.
//!
//! Knows no line, request or thread. A post that cannot be decided about is answered with its error in
//! its place; a panic over one post is that post's error.

use jiff::Timestamp;

use crate::{
    classify::ClassifyError,
    decision::Decision,
    engine::Engine,
    moderator::{Moderator, Panicked, StageTimes, guarded},
    post::{Part, Post},
    wire::{
        DecisionId, ErrorCode, Limits, Origin, Published, WireError, canonical, decode_post,
        encode_decision,
    },
};

/// How a door reads posts and writes decisions.
#[derive(Debug, Clone, Copy)]
pub struct DirectSettings {
    /// What a post may be at most.
    pub limits: Limits,
    /// Whether decisions repeat the post's text.
    pub include_text: bool,
    /// The time that posts are judged at; nothing: their own time, else now.
    pub at: Option<Timestamp>,
}

/// Answers posts on one thread.
pub struct Direct {
    moderator: Moderator,
    settings: DirectSettings,
}

/// A post that was decided about.
#[derive(Debug)]
pub struct Answered {
    /// The decision as it goes out.
    pub json: Vec<u8>,
    /// The same as a value, to be counted.
    pub decision: Decision,
    /// Keys of the post that nobody knows.
    pub unknown_keys: u64,
}

/// A decoded post's rest, while the post itself is decided about.
struct Waiting {
    canonical: String,
    post_id: String,
    text: Option<Vec<Part>>,
    unknown_keys: u64,
}

impl Direct {
    /// A door that decides with `moderator`.
    pub fn new(moderator: Moderator, settings: DirectSettings) -> Self {
        Self { moderator, settings }
    }

    /// Decides with another engine from now on, as [`Moderator::follow`] does.
    pub fn follow(&mut self, engine: Engine) -> Result<(), ClassifyError> {
        self.moderator.follow(engine)
    }

    /// What a post may be at most.
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// One answer for each post, in order.
    pub fn answer(&mut self, posts: &[&[u8]]) -> (Vec<Result<Answered, WireError>>, StageTimes) {
        let received_at = Timestamp::now();
        let mut decoded = Vec::with_capacity(posts.len());
        let waiting: Vec<Result<Waiting, WireError>> = posts
            .iter()
            .map(|bytes| {
                let (post, waiting) =
                    guarded(|| self.decode(bytes)).map_err(|bug| panic_error(bug, None))??;
                let as_of = self.settings.at.or(post.created_at).unwrap_or(received_at);
                decoded.push((post, as_of));
                Ok(waiting)
            })
            .collect();
        let (decisions, times) = self.moderator.decide(decoded);
        let mut decisions = decisions.into_iter();
        let answers = waiting.into_iter().map(|waiting| {
            let waiting = waiting?;
            let decision = decisions.next().expect("every post has a decision");
            let encode = |decision| guarded(|| self.encode(decision, &waiting, received_at));
            decision.and_then(encode).map_err(|bug| panic_error(bug, Some(waiting.post_id.clone())))
        });
        (answers.collect(), times)
    }

    fn decode(&self, bytes: &[u8]) -> Result<(Post, Waiting), WireError> {
        let decoded = decode_post(bytes, &self.settings.limits)?;
        let waiting = Waiting {
            canonical: canonical(bytes),
            post_id: decoded.post.id.as_str().to_owned(),
            text: self.settings.include_text.then(|| decoded.post.parts.clone()),
            unknown_keys: decoded.unknown_keys,
        };
        Ok((decoded.post, waiting))
    }

    fn encode(&self, decision: Decision, waiting: &Waiting, received_at: Timestamp) -> Answered {
        let published = Published {
            id: DecisionId::of(Origin::Direct { post: &waiting.canonical }),
            source: None,
            received_at,
            decided_at: Timestamp::now(),
            text: waiting.text.as_deref(),
        };
        let bytes_max = self.moderator.engine().bundle().decision_bytes();
        let mut json = Vec::with_capacity(1024);
        encode_decision(&decision, &published, bytes_max, &mut json);
        Answered { json, decision, unknown_keys: waiting.unknown_keys }
    }
}

/// The answer for a post over which the engine panicked.
fn panic_error(bug: Panicked, post_id: Option<String>) -> WireError {
    WireError { post_id, ..WireError::new(ErrorCode::Panic, bug.to_string()) }
}
