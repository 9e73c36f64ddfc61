//! Whether we may do what a worker does: use the group, read posts, write transactions.

use std::time::{Duration, Instant};

use rdkafka::{
    ClientConfig, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    producer::{BaseProducer, Producer as _},
    topic_partition_list::Offset,
    types::RDKafkaErrorCode,
};

use super::{ASK, Patience, fault::Fault, observer::Observer};
use crate::{
    stop::{ExitCode, Stop},
    worker::settings::WorkerSettings,
};

/// The partition that is tried: grants are for whole topics.
const TRIED: i32 = 0;
/// One look at what a client has to say.
const LOOK: Duration = Duration::from_millis(10);

/// Asks for the group's positions and for the end of a partition, without joining the group.
pub(super) fn check_reading(
    settings: &WorkerSettings,
    patience: &Patience<'_>,
) -> Result<(), Stop> {
    let observer = Observer::default();
    let mut config = settings.kafka.consumer();
    config.set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    // The end is told at once, not after waiting for something to come.
    config.set("fetch.wait.max.ms", "10");
    let client: BaseConsumer<Observer> =
        config.create_with_context(observer.clone()).map_err(|error| refused(&error))?;
    let topic = settings.topics.posts.as_str();
    patience.ask(|| ask_positions(&client, &observer, topic))?;
    let mut at_end = TopicPartitionList::new();
    at_end.add_partition_offset(topic, TRIED, Offset::End).expect("the end is an offset");
    client.assign(&at_end).map_err(|error| refused(&error))?;
    let mut denied = false;
    patience.ask(|| ask_end(&client, &observer, topic, &mut denied))
}

/// Makes a producer ready for transactions, and lets it go.
pub(super) fn check_transactions(
    config: &ClientConfig,
    patience: &Patience<'_>,
) -> Result<(), Stop> {
    let observer = Observer::default();
    let client: BaseProducer<Observer> =
        config.create_with_context(observer.clone()).map_err(|error| refused(&error))?;
    patience.ask(|| {
        client.init_transactions(ASK).map_err(|error| {
            client.poll(Duration::ZERO);
            Fault::of(&error, &observer)
        })
    })
}

fn ask_positions(
    client: &BaseConsumer<Observer>,
    observer: &Observer,
    topic: &str,
) -> Result<(), Fault> {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, TRIED);
    let answer = client.committed_offsets(list, ASK).map_err(|error| {
        // Why there is no coordinator may come as an event.
        let told = client.poll(LOOK).and_then(Result::err);
        Fault::of(&told.unwrap_or(error), observer)
    })?;
    let answered = answer.elements().into_iter().try_for_each(|element| element.error());
    answered.map_err(|error| Fault::of(&error, observer))
}

/// A first answer from the partition, whatever it holds. The client tells only once that it was
/// `denied`, and goes on asking.
fn ask_end(
    client: &BaseConsumer<Observer>,
    observer: &Observer,
    topic: &str,
    denied: &mut bool,
) -> Result<(), Fault> {
    let until = Instant::now() + ASK;
    while Instant::now() < until {
        match client.poll(LOOK) {
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(error)) => match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                    *denied = true;
                    return Err(Fault::ReadingForbidden(topic.to_owned()));
                }
                _ => return Err(Fault::of(&error, observer)),
            },
            None => {}
        }
    }
    if *denied {
        return Err(Fault::ReadingForbidden(topic.to_owned()));
    }
    let silence = format!("partition {TRIED} of {topic} cannot be read");
    Err(observer.fault().unwrap_or(Fault::Unreachable(silence)))
}

fn refused(error: &KafkaError) -> Stop {
    Stop::new(ExitCode::Configuration, format!("the Kafka settings are refused: {error}"))
}
