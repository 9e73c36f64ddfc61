//! Whether the brokers answer, and whether every topic is there and may be used.

use std::time::Duration;

use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    types::{RDKafkaErrorCode, RDKafkaRespErr},
};

use super::{ASK, Patience, fault::Fault, observer::Observer};
use crate::{
    config::kafka::Delivery,
    stop::{ExitCode, Stop},
    worker::settings::WorkerSettings,
};

/// Events that are served between two questions.
const EVENTS: usize = 64;

/// Checks the brokers and the topics.
pub(super) fn check(settings: &WorkerSettings, patience: &Patience<'_>) -> Result<(), Stop> {
    let observer = Observer::default();
    let client: BaseConsumer<Observer> =
        settings.kafka.observer().create_with_context(observer.clone()).map_err(|error| {
            Stop::new(ExitCode::Configuration, format!("the Kafka settings are refused: {error}"))
        })?;
    for topic in settings.topics.all() {
        let found = patience.ask(|| ask(&client, &observer, topic))?;
        let Found { partitions, brokers, replicas } = found;
        tracing::info!(topic, partitions, brokers, replicas, "topic found");
        if settings.kafka.delivery == Delivery::ExactlyOnce && replicas < 2 {
            tracing::warn!(
                topic,
                "exactly once needs topics with replicas: the death of a broker that has the only copy \
                 may break a transaction in two"
            );
        }
    }
    Ok(())
}

/// What is told of a topic.
struct Found {
    partitions: usize,
    brokers: usize,
    /// Copies of the partition with the fewest.
    replicas: usize,
}

/// Serves the events that tell why it fails. One poll serves one event, and lines of the client's log
/// are events too.
fn hear(client: &BaseConsumer<Observer>) {
    for _ in 0..EVENTS {
        client.poll(Duration::ZERO);
    }
}

fn ask(client: &BaseConsumer<Observer>, observer: &Observer, topic: &str) -> Result<Found, Fault> {
    hear(client);
    if let Some(fault) = observer.fault() {
        return Err(fault);
    }
    let metadata = client.fetch_metadata(Some(topic), ASK).map_err(|error| {
        hear(client);
        Fault::of(&error, observer)
    })?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let Some(found) = found else { return Err(Fault::Missing(topic.to_owned())) };
    match found.error() {
        None if !found.partitions().is_empty() => {
            let copies = found.partitions().iter().map(|partition| partition.replicas().len());
            Ok(Found {
                partitions: found.partitions().len(),
                brokers: metadata.brokers().len(),
                replicas: copies.min().unwrap_or_default(),
            })
        }
        None | Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => {
            Err(Fault::Missing(topic.to_owned()))
        }
        Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
            Err(Fault::TopicForbidden(topic.to_owned()))
        }
        Some(error) => Err(Fault::Unreachable(RDKafkaErrorCode::from(error).to_string())),
    }
}
