//! What can be wrong at start, how long it may pass by itself, and the sentence about it.

use std::time::Duration;

use rdkafka::{error::KafkaError, types::RDKafkaErrorCode};

use super::observer::Observer;
use crate::{
    stop::{ExitCode, Stop},
    worker::{publisher::denied, settings::WorkerSettings},
};

/// A topic that was just made may be unknown to a broker for this long, and the other way round for
/// what was just granted.
const SPREAD: Duration = Duration::from_secs(3);

/// Why a worker cannot work.
#[derive(Debug)]
pub(super) enum Fault {
    /// No broker answers, and what the client says about it.
    Unreachable(String),
    /// The broker's certificate does not lead to an authority that we trust, or is not for its name.
    NotTrusted(String),
    /// Wrong name or password.
    NotAdmitted(String),
    /// A topic that we may not even ask about.
    TopicForbidden(String),
    /// A topic that we may not read.
    ReadingForbidden(String),
    /// The group is not ours to join.
    GroupForbidden,
    /// Our transactional ids are not granted.
    TransactionsForbidden,
    /// A topic that does not exist.
    Missing(String),
    /// The broker is too old, or something else for what the settings ask.
    Unsupported(String),
}

impl Fault {
    /// What the client's error means, together with what it complained about before.
    pub(super) fn of(error: &KafkaError, observer: &Observer) -> Self {
        if let Some(fault) = observer.fault() {
            return fault;
        }
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) => Self::GroupForbidden,
            Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed) => {
                Self::TransactionsForbidden
            }
            Some(RDKafkaErrorCode::UnsupportedFeature | RDKafkaErrorCode::UnsupportedVersion) => {
                Self::Unsupported(error.to_string())
            }
            _ => Self::Unreachable(observer.reason().unwrap_or_else(|| error.to_string())),
        }
    }

    /// How long it may pass by itself.
    pub(super) fn patience(&self) -> Duration {
        match self {
            Self::NotAdmitted(_) | Self::Unsupported(_) => Duration::ZERO,
            Self::Unreachable(_) => Duration::MAX,
            Self::NotTrusted(_)
            | Self::TopicForbidden(_)
            | Self::ReadingForbidden(_)
            | Self::GroupForbidden
            | Self::TransactionsForbidden
            | Self::Missing(_) => SPREAD,
        }
    }

    /// The end of the start, for the operator.
    pub(super) fn sentence(&self, settings: &WorkerSettings) -> Stop {
        let (brokers, group) = (&settings.kafka.brokers, &settings.kafka.group);
        let (code, sentence) = match self {
            Self::Unreachable(reason) => {
                (ExitCode::Unavailable, format!("no Kafka broker at {brokers} answers: {reason}"))
            }
            Self::NotTrusted(reason) => (
                ExitCode::Unavailable,
                format!(
                    "the certificate of Kafka at {brokers} is not trusted: it is of no authority in \
                     kafka.tls.ca_file, has expired, or is for another host: {reason}"
                ),
            ),
            Self::NotAdmitted(reason) => {
                (ExitCode::NoPermission, format!("Kafka at {brokers} does not let us in: {reason}"))
            }
            Self::TopicForbidden(topic) => (
                ExitCode::NoPermission,
                format!("we may not use the topic {topic}: grant it to us"),
            ),
            Self::ReadingForbidden(topic) => (
                ExitCode::NoPermission,
                format!("we may not read the topic {topic}: grant Read on it to us"),
            ),
            Self::GroupForbidden => (
                ExitCode::NoPermission,
                format!("we may not join the group {group}: grant Read on it to us"),
            ),
            Self::TransactionsForbidden => return denied(group),
            Self::Missing(topic) => (
                ExitCode::Configuration,
                format!(
                    "the topic {topic} does not exist on {brokers}: create it, or correct topics"
                ),
            ),
            Self::Unsupported(what) => (
                ExitCode::Configuration,
                format!("Kafka at {brokers} cannot do what the settings ask of it: {what}"),
            ),
        };
        Stop::new(code, sentence)
    }
}
