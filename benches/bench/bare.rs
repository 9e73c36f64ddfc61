//! The limit: a loop that reads records and writes them as they are, with the worker's promises.

use std::time::Duration;

use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord},
};

/// How long the loop waits for a record, or for room.
const WAIT: Duration = Duration::from_millis(10);
/// Records between two looks at the delivery reports.
const REPORTS_EVERY: u64 = 100;

/// Copies `input` to `output` until it is killed.
pub(crate) fn run(brokers: &str, input: &str, output: &str, group: &str) -> ! {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers);
    let producer: BaseProducer = client
        .clone()
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "500000")
        .create()
        .expect("a producer can be made");
    let consumer: BaseConsumer = client
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer can be made");
    consumer.subscribe(&[input]).expect("the topic has a name");
    let mut copied: u64 = 0;
    loop {
        let Some(record) = consumer.poll(WAIT) else {
            producer.poll(Duration::ZERO);
            continue;
        };
        let record = record.expect("the broker is up");
        let mut next = BaseRecord::to(output)
            .key(record.key().unwrap_or_default())
            .payload(record.payload().unwrap_or_default());
        while let Err((error, back)) = producer.send(next) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert!(error == full, "the broker takes records: {error}");
            producer.poll(WAIT);
            next = back;
        }
        copied += 1;
        if copied.is_multiple_of(REPORTS_EVERY) {
            producer.poll(Duration::ZERO);
        }
    }
}
