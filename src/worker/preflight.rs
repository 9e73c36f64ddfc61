//! Checks before the first record: a worker that cannot work says so at once, in one sentence.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
    types::{RDKafkaErrorCode, RDKafkaRespErr},
    util::get_rdkafka_version,
};

use super::settings::WorkerSettings;
use crate::{
    config::kafka::Protocol,
    stop::{ExitCode, Stop, StopSignal},
};

/// Before 2.10, cooperative rebalancing could lose an assignment after a commit.
const VERSION_MIN: (i32, &str) = (0x020a_0000, "2.10");
/// Before 2.15, KIP-848 groups can stall for minutes.
const VERSION_FOR_KIP_848: i32 = 0x020f_0000;
/// A topic that was just made may be unknown to a broker for this long.
const SPREAD: Duration = Duration::from_secs(3);
/// How long one question to the brokers may take.
const ASK: Duration = Duration::from_secs(2);

/// Checks the library, the settings, the brokers and the topics.
pub(super) fn check(settings: &WorkerSettings, stop: &StopSignal) -> Result<(), Stop> {
    check_version(settings.kafka.protocol)?;
    let problems = settings.kafka.problems();
    if !problems.is_empty() {
        return Err(Stop::new(ExitCode::Configuration, problems.join("; ")));
    }
    let observer = Observer::default();
    let client: BaseConsumer<Observer> =
        settings.kafka.observer().create_with_context(observer.clone()).map_err(|error| {
            Stop::new(ExitCode::Configuration, format!("the Kafka settings are refused: {error}"))
        })?;
    let deadline = Instant::now() + settings.deadlines.start;
    let asked = Asked { client, observer, brokers: &settings.kafka.brokers, deadline };
    for topic in settings.topics.all() {
        let partitions = asked.partitions(topic, stop)?;
        tracing::info!(topic, partitions, "topic found");
    }
    Ok(())
}

fn check_version(protocol: Protocol) -> Result<(), Stop> {
    let (number, version) = get_rdkafka_version();
    tracing::info!(version, "librdkafka");
    if number < VERSION_MIN.0 {
        let sentence =
            format!("librdkafka {version} is too old: {} or newer is needed", VERSION_MIN.1);
        return Err(Stop::new(ExitCode::Configuration, sentence));
    }
    if protocol == Protocol::Consumer && number < VERSION_FOR_KIP_848 {
        tracing::warn!(version, "protocol: consumer is experimental on librdkafka below 2.15");
    }
    Ok(())
}

/// A client that asks about topics.
struct Asked<'a> {
    client: BaseConsumer<Observer>,
    observer: Observer,
    brokers: &'a str,
    deadline: Instant,
}

impl Asked<'_> {
    /// The number of partitions of `topic`.
    fn partitions(&self, topic: &str, stop: &StopSignal) -> Result<usize, Stop> {
        let since = Instant::now();
        loop {
            let fault = match self.ask(topic) {
                Ok(partitions) => return Ok(partitions),
                Err(fault) => fault,
            };
            let over = Instant::now() >= self.deadline || stop.is_requested();
            if over || since.elapsed() >= fault.patience() {
                return Err(self.sentence(topic, fault));
            }
            // Serves the events that tell why it fails.
            self.client.poll(Duration::from_millis(100));
        }
    }

    fn ask(&self, topic: &str) -> Result<usize, Fault> {
        self.client.poll(Duration::ZERO);
        if let Some(reason) = self.observer.denied() {
            return Err(Fault::NotAdmitted(reason));
        }
        let metadata = match self.client.fetch_metadata(Some(topic), ASK) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.client.poll(Duration::ZERO);
                return Err(self.observer.denied().map_or_else(
                    || {
                        Fault::Unreachable(
                            self.observer.reason().unwrap_or_else(|| error.to_string()),
                        )
                    },
                    Fault::NotAdmitted,
                ));
            }
        };
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Err(Fault::Missing);
        };
        match found.error() {
            None if !found.partitions().is_empty() => Ok(found.partitions().len()),
            None | Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => {
                Err(Fault::Missing)
            }
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
                Err(Fault::Forbidden)
            }
            Some(error) => Err(Fault::Unreachable(RDKafkaErrorCode::from(error).to_string())),
        }
    }

    fn sentence(&self, topic: &str, fault: Fault) -> Stop {
        let brokers = self.brokers;
        let (code, sentence) = match fault {
            Fault::Unreachable(reason) => {
                (ExitCode::Unavailable, format!("no Kafka broker at {brokers} answers: {reason}"))
            }
            Fault::NotAdmitted(reason) => {
                (ExitCode::NoPermission, format!("Kafka at {brokers} does not let us in: {reason}"))
            }
            Fault::Forbidden => (
                ExitCode::NoPermission,
                format!("we may not use the topic {topic}: grant it to us"),
            ),
            Fault::Missing => (
                ExitCode::Configuration,
                format!(
                    "the topic {topic} does not exist on {brokers}: create it, or correct topics"
                ),
            ),
        };
        Stop::new(code, sentence)
    }
}

/// Why a topic cannot be used.
enum Fault {
    Unreachable(String),
    NotAdmitted(String),
    Forbidden,
    Missing,
}

impl Fault {
    /// How long it may pass by itself.
    fn patience(&self) -> Duration {
        match self {
            Self::NotAdmitted(_) | Self::Forbidden => Duration::ZERO,
            Self::Missing => SPREAD,
            Self::Unreachable(_) => Duration::MAX,
        }
    }
}

/// Remembers what the client complains about.
#[derive(Clone, Default)]
struct Observer(Arc<Mutex<Complaints>>);

#[derive(Default)]
struct Complaints {
    last: Option<String>,
    denied: Option<String>,
}

impl Observer {
    fn denied(&self) -> Option<String> {
        self.0.lock().expect("nobody panics while holding this").denied.clone()
    }

    fn reason(&self) -> Option<String> {
        self.0.lock().expect("nobody panics while holding this").last.clone()
    }
}

impl ClientContext for Observer {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        // The sentence at the end says what matters; until then these are details.
        tracing::debug!(client = "preflight", ?level, facility, "{line}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let mut complaints = self.0.lock().expect("nobody panics while holding this");
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed) => {
                complaints.denied = Some(reason.to_owned());
            }
            // It only sums up the others.
            Some(RDKafkaErrorCode::AllBrokersDown) => {}
            _ => complaints.last = Some(reason.to_owned()),
        }
    }
}

impl ConsumerContext for Observer {}
