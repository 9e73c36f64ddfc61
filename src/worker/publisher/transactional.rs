//! The transactional calls of the producer. Each waits for the broker, but never longer than it is
//! told, and says what is known when the answer does not come.

use std::time::{Duration, Instant};

use rdkafka::{
    TopicPartitionList, consumer::ConsumerGroupMetadata, error::KafkaError,
    producer::Producer as _, topic_partition_list::Offset as KafkaOffset, types::RDKafkaErrorCode,
};

use super::producer::Producer;
use crate::delivery::Progress;

/// An abort goes on in the background while its reports are served; so long is one look at it.
const ABORT_STEP: Duration = Duration::from_millis(20);
/// Serves reports between two looks.
const SERVE: Duration = Duration::from_millis(1);

/// Why a producer may not begin transactions yet.
#[derive(Debug)]
pub(super) enum NotReady {
    /// No answer yet: ask again.
    Later,
    /// Its id is not granted to us.
    Denied,
    /// This producer never will: build another one.
    Broken(RDKafkaErrorCode),
}

/// Why a transaction is not known to be committed.
#[derive(Debug)]
pub(super) enum NotCommitted {
    /// It is not: abort it.
    Refused(RDKafkaErrorCode),
    /// The answer did not come: it may be.
    Unanswered(RDKafkaErrorCode),
}

impl Producer {
    /// Makes it the only producer of its id: what an earlier one left open is ended, and what that
    /// one still sends is refused.
    pub(super) fn become_ready(&self, wait: Duration) -> Result<(), NotReady> {
        let Err(error) = self.client().init_transactions(wait) else { return Ok(()) };
        let code = code(&error);
        Err(match code {
            RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed => NotReady::Denied,
            _ if is_retriable(&error) => NotReady::Later,
            _ => NotReady::Broken(code),
        })
    }

    /// Opens a transaction, without asking the broker.
    pub(super) fn begin(&self) -> Result<(), RDKafkaErrorCode> {
        self.client().begin_transaction().map_err(|error| code(&error))
    }

    /// Why the open transaction can only be aborted, if it can: the client knows before the reports
    /// come, and what was refused to it is in no report.
    pub(super) fn broken(&self) -> Option<RDKafkaErrorCode> {
        // One is open, so this opens none; it answers with what is wrong with the open one.
        match self.client().begin_transaction() {
            Err(KafkaError::Transaction(told)) if told.txn_requires_abort() || told.is_fatal() => {
                Some(told.code())
            }
            _ => None,
        }
    }

    /// Commits the open transaction together with positions of `topic`, as the member that we were
    /// when they were known to be ours. Everything sent must be acknowledged: the client library
    /// would wait for the rest in steps of 100 ms.
    pub(super) fn commit(
        &self,
        topic: &str,
        progress: &[Progress],
        member: &ConsumerGroupMetadata,
        wait: Duration,
    ) -> Result<(), NotCommitted> {
        let mut positions = TopicPartitionList::with_capacity(progress.len());
        for step in progress {
            let next = KafkaOffset::Offset(step.position.get());
            positions
                .add_partition_offset(topic, step.partition.0, next)
                .expect("a position is a valid offset");
        }
        let sent = self.client().send_offsets_to_transaction(&positions, member, wait);
        sent.map_err(|error| NotCommitted::Refused(code(&error)))?;
        self.client().commit_transaction(wait).map_err(|error| match &error {
            KafkaError::Transaction(told) if told.txn_requires_abort() => {
                NotCommitted::Refused(told.code())
            }
            _ => NotCommitted::Unanswered(code(&error)),
        })
    }

    /// Makes everything since [`Self::begin`] invisible for ever; false when the broker did not say
    /// so, and only another producer can see to it.
    pub(super) fn abort(&self, wait: Duration) -> bool {
        let deadline = Instant::now() + wait;
        loop {
            match self.client().abort_transaction(ABORT_STEP) {
                Ok(()) => break true,
                Err(error) if is_retriable(&error) && Instant::now() < deadline => {
                    // What was purged is reported too, and nobody is interested.
                    self.poll(SERVE);
                }
                Err(error) => {
                    tracing::debug!(%error, "a transaction could not be aborted");
                    break false;
                }
            }
        }
    }
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(told) if told.is_retriable())
}

fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
}
