//! What one record becomes on its way out: a decision with its copies, or a dead letter.

use std::sync::Arc;

use super::producer::Outgoing;
use crate::{
    config::Topics,
    delivery::{Disposition, Place, Record},
    wire::{
        dead_letter::{Copy, DeadLetter, Letter, Origin, Stage},
        error::{ErrorCode, WireError},
    },
    worker::{
        judge::{Judgement, Publication},
        settings::WorkerSettings,
    },
};

/// A topic that gets a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addressee {
    Decisions,
    Reviews,
    Blocks,
    DeadLetters,
}

/// A judged record with what is published for it.
pub(super) struct Parcel {
    record: Record,
    bundle: Arc<str>,
    content: Content,
}

enum Content {
    Decision(Publication),
    Letter { cause: DeadLetter, letter: Letter, copy: Copy },
}

/// What took the place of something too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Smaller {
    /// A dead letter instead of the decision.
    DeadLetter,
    /// A claim check instead of the whole dead letter.
    ClaimCheck,
    /// Nothing is smaller.
    Impossible,
}

impl Parcel {
    /// The parcel of a judged record.
    pub(super) fn new(
        record: Record,
        judgement: Judgement,
        bundle: &Arc<str>,
        settings: &WorkerSettings,
    ) -> Self {
        let bundle = Arc::clone(bundle);
        let content = match judgement {
            Judgement::Publish(publication) => Content::Decision(publication),
            Judgement::DeadLetter(cause) => {
                let copy = Copy::UpTo(settings.dead_letter_bytes);
                letter(&record, cause, &bundle, settings, copy)
            }
        };
        Self { record, bundle, content }
    }

    /// Where the record comes from.
    pub(super) fn place(&self) -> Place {
        self.record.place
    }

    /// What becomes of the record once everything is acknowledged.
    pub(super) fn disposition(&self) -> Disposition {
        match self.content {
            Content::Decision(_) => Disposition::Published,
            Content::Letter { .. } => Disposition::DeadLettered,
        }
    }

    /// About how many bytes are written for it, without copies.
    pub(super) fn size(&self) -> usize {
        match &self.content {
            Content::Decision(publication) => publication.payload.len(),
            Content::Letter { letter, .. } => letter.value.as_ref().map_or(0, Vec::len),
        }
    }

    /// What is wrong with the record, if it becomes a dead letter.
    pub(super) fn error_code(&self) -> Option<ErrorCode> {
        match &self.content {
            Content::Decision(_) => None,
            Content::Letter { cause, .. } => Some(cause.error.code),
        }
    }

    /// The topics that get it: one to three.
    pub(super) fn addressees(
        &self,
        topics: &Topics,
    ) -> impl Iterator<Item = Addressee> + Clone + use<> {
        let all = match &self.content {
            Content::Decision(publication) => {
                let reviews = publication.copies.reviews && topics.reviews.is_some();
                let blocks = publication.copies.blocks && topics.blocks.is_some();
                [
                    Some(Addressee::Decisions),
                    reviews.then_some(Addressee::Reviews),
                    blocks.then_some(Addressee::Blocks),
                ]
            }
            Content::Letter { .. } => [Some(Addressee::DeadLetters), None, None],
        };
        all.into_iter().flatten()
    }

    /// What one of them gets.
    pub(super) fn outgoing<'a>(&'a self, to: Addressee, topics: &'a Topics) -> Outgoing<'a> {
        let topic = match to {
            Addressee::Decisions => &topics.decisions,
            Addressee::DeadLetters => &topics.dead_letters,
            Addressee::Reviews => topics.reviews.as_ref().expect("an addressee is configured"),
            Addressee::Blocks => topics.blocks.as_ref().expect("an addressee is configured"),
        };
        match &self.content {
            Content::Decision(publication) => Outgoing {
                topic,
                key: Some(&publication.key),
                payload: Some(&publication.payload),
                headers: &publication.headers,
            },
            Content::Letter { letter, .. } => Outgoing {
                topic,
                key: letter.key.as_deref(),
                payload: letter.value.as_deref(),
                headers: &letter.headers,
            },
        }
    }

    /// Replaces the content by something smaller.
    pub(super) fn shrink(&mut self, settings: &WorkerSettings) -> Smaller {
        let (cause, copy, smaller) = match &self.content {
            Content::Decision(publication) => {
                let bytes = publication.payload.len();
                let message =
                    format!("the decision of {bytes} bytes is larger than its topic takes");
                let error = WireError::new(ErrorCode::DecisionTooLarge, message);
                let copy = Copy::UpTo(settings.dead_letter_bytes);
                (DeadLetter { error, stage: Stage::Publish }, copy, Smaller::DeadLetter)
            }
            Content::Letter { cause, copy: Copy::UpTo(_), .. } => {
                (cause.clone(), Copy::Nothing, Smaller::ClaimCheck)
            }
            Content::Letter { copy: Copy::Nothing, .. } => return Smaller::Impossible,
        };
        self.content = letter(&self.record, cause, &self.bundle, settings, copy);
        smaller
    }
}

fn letter(
    record: &Record,
    cause: DeadLetter,
    bundle: &str,
    settings: &WorkerSettings,
    copy: Copy,
) -> Content {
    let origin = Origin { source: &settings.source, topic: &settings.topics.posts, bundle };
    let letter = cause.write(record, origin, copy);
    Content::Letter { cause, letter, copy }
}
