//! Posts that became dead letters, sent to the posts topic once more.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext,
    error::KafkaError,
    message::{Header as KafkaHeader, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
    types::RDKafkaErrorCode,
};

use super::{LetterTopic, LettersError, Stored};
use crate::{
    config::{Topics, kafka::KafkaSettings},
    delivery::Header,
    wire::dead_letter::{ATTEMPTS_HEADER, REPLAYED_HEADER, is_own_header, sha256},
};

/// How long the brokers may take for what is still on its way at the end.
const FLUSH: Duration = Duration::from_mins(1);
/// One turn of the producer.
const TURN: Duration = Duration::from_millis(5);

/// Sends posts once more.
pub struct Replay {
    posts: LetterTopic,
    producer: BaseProducer<Reports>,
    attempts_max: u32,
}

/// What became of one dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// Its post is on its way.
    Sent,
    /// It stays where it is.
    Skipped(Skipped),
}

/// Why a dead letter stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// It was sent often enough.
    TooOften,
    /// It never had a value.
    Empty,
    /// The original of its claim check is gone, or is another one.
    Gone,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooOften => "sent often enough before",
            Self::Empty => "without a value: nothing to send",
            Self::Gone => "claim checks whose original is gone",
        })
    }
}

impl Replay {
    /// Sends to the posts topic, each post at most so often.
    pub fn open(
        kafka: &KafkaSettings,
        topics: &Topics,
        attempts_max: u32,
    ) -> Result<Self, LettersError> {
        let mut config = kafka.producer();
        // The values that fitted into the topic once fit again.
        config.set("message.max.bytes", "100000000");
        let reports = Reports::default();
        let producer = config
            .create_with_context(reports)
            .map_err(|source| LettersError::Kafka { brokers: kafka.brokers.clone(), source })?;
        let posts = LetterTopic::open(kafka, &topics.posts)?;
        Ok(Self { posts, producer, attempts_max })
    }

    /// What would be sent for a dead letter.
    pub fn post(
        &self,
        letter: &Stored,
        from: &str,
    ) -> Result<Result<Stored, Skipped>, LettersError> {
        let mut post = match (&letter.value, claim(letter)) {
            (Some(_), _) => letter.clone(),
            (None, None) => return Ok(Err(Skipped::Empty)),
            (None, Some(claim)) => match self.original(&claim)? {
                Some(original) => original,
                None => return Ok(Err(Skipped::Gone)),
            },
        };
        // Where a claim check kept no headers, the original has them.
        let attempts = letter.attempts().max(post.attempts());
        if attempts >= self.attempts_max {
            return Ok(Err(Skipped::TooOften));
        }
        post.headers.retain(|header| !is_own_header(&header.name) && !is_ours(&header.name));
        post.headers.push(Header::text(ATTEMPTS_HEADER, (attempts + 1).to_string()));
        let place = format!("{from}:{}:{}", letter.partition, letter.offset);
        post.headers.push(Header::text(REPLAYED_HEADER, place));
        Ok(Ok(post))
    }

    /// Sends the post of a dead letter; it is stored once [`Self::finish`] has returned.
    pub fn send(&self, letter: &Stored, from: &str) -> Result<Replayed, LettersError> {
        let post = match self.post(letter, from)? {
            Ok(post) => post,
            Err(why) => return Ok(Replayed::Skipped(why)),
        };
        let mut record = Some(to_kafka(&post, self.posts.name()));
        loop {
            match self.producer.send(record.take().expect("put back below, else sent")) {
                Ok(()) => break,
                Err((error, back)) if is_full(&error) => {
                    record = Some(back);
                    self.producer.poll(TURN);
                }
                Err((error, _)) => return Err(LettersError::NotSent(error)),
            }
        }
        self.producer.poll(Duration::ZERO);
        self.producer.context().failure().map_or(Ok(Replayed::Sent), Err)
    }

    /// Waits until everything that was sent is stored; how many that are.
    pub fn finish(self) -> Result<usize, LettersError> {
        let deadline = Instant::now() + FLUSH;
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            self.producer.poll(TURN);
        }
        let reports = self.producer.context();
        if let Some(failure) = reports.failure() {
            return Err(failure);
        }
        if self.producer.in_flight_count() > 0 {
            return Err(LettersError::Silent(self.posts.name().to_owned()));
        }
        Ok(reports.stored.load(Ordering::Relaxed))
    }

    /// The record that a claim check stands for.
    fn original(&self, claim: &Claim) -> Result<Option<Stored>, LettersError> {
        if claim.topic != self.posts.name() {
            return Ok(None);
        }
        let found = self.posts.at(claim.partition, claim.offset)?;
        Ok(found
            .filter(|record| sha256(record.value.as_deref().unwrap_or_default()) == claim.sha256))
    }
}

/// What a claim check says of its original.
struct Claim {
    topic: String,
    partition: i32,
    offset: i64,
    sha256: String,
}

fn claim(letter: &Stored) -> Option<Claim> {
    Some(Claim {
        topic: letter.text("tidegate.claim.topic"),
        partition: letter.text("tidegate.claim.partition").parse().ok()?,
        offset: letter.text("tidegate.claim.offset").parse().ok()?,
        sha256: letter.text("tidegate.claim.sha256"),
    })
}

/// Headers of an earlier replay.
fn is_ours(name: &str) -> bool {
    name == ATTEMPTS_HEADER || name == REPLAYED_HEADER
}

fn to_kafka<'a>(post: &'a Stored, topic: &'a str) -> BaseRecord<'a, [u8], [u8]> {
    let mut headers = OwnedHeaders::new_with_capacity(post.headers.len());
    for header in &post.headers {
        let value = header.value.as_deref();
        headers = headers.insert(KafkaHeader { key: &header.name, value });
    }
    let mut record = BaseRecord::to(topic).headers(headers);
    record.key = post.key.as_deref();
    record.payload = post.value.as_deref();
    record
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

#[derive(Default)]
struct Reports {
    stored: AtomicUsize,
    failed: Mutex<Option<KafkaError>>,
}

impl Reports {
    fn failure(&self) -> Option<LettersError> {
        self.lock().clone().map(LettersError::NotSent)
    }

    fn lock(&self) -> MutexGuard<'_, Option<KafkaError>> {
        self.failed.lock().expect("no thread panics while it holds this")
    }
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.stored.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => *self.lock() = Some(error.clone()),
        }
    }
}
