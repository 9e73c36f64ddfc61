//! The producer behind a small seam: send, poll, reports. Another delivery guarantee changes this
//! side of the seam and the publisher's loop, and nothing before them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::{Header as KafkaHeader, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
    types::RDKafkaErrorCode,
};

use crate::{
    delivery::{Header, Slot},
    worker::{health::Health, kafka_log::KafkaLog},
};

/// One record to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) key: Option<&'a [u8]>,
    pub(super) payload: Option<&'a [u8]>,
    pub(super) headers: &'a [Header],
}

/// Whether the producer took a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// A report will come for it.
    Taken,
    /// Its queue is full: poll and try again.
    Full,
    /// It will never take it, and why.
    Refused(Failure),
}

/// Why a record did not reach the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Too large for the client or the topic: trying again cannot help. The broker refuses whole
    /// requests, so a report may blame records that were only in company.
    TooLarge,
    /// Anything else: trying again may help.
    Broken(RDKafkaErrorCode),
}

/// What became of one record that the producer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) slot: Slot,
    pub(super) result: Result<(), Failure>,
}

/// A producer and the reports of its deliveries. Dropping it forgets whatever it still holds.
pub(super) struct Producer {
    client: BaseProducer<Reports>,
}

impl Producer {
    /// A producer with these settings.
    pub(super) fn new(config: &ClientConfig, health: &Arc<Health>) -> Result<Self, KafkaError> {
        let log = KafkaLog::new("producer");
        let reports = Reports { arrived: Mutex::default(), health: Arc::clone(health), log };
        Ok(Self { client: config.create_with_context(reports)? })
    }

    /// Hands one record over without waiting.
    pub(super) fn send(&self, slot: Slot, outgoing: Outgoing<'_>) -> Sent {
        let opaque = usize::try_from(slot.0).expect("slots fit in a pointer on 64-bit machines");
        let mut record = BaseRecord::with_opaque_to(outgoing.topic, opaque);
        record.key = outgoing.key;
        record.payload = outgoing.payload;
        record.headers = (!outgoing.headers.is_empty()).then(|| to_kafka(outgoing.headers));
        match self.client.send::<[u8], [u8]>(record) {
            Ok(()) => Sent::Taken,
            Err((error, _)) => match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => Sent::Full,
                Some(code) => Sent::Refused(failure(code)),
                None => Sent::Refused(Failure::Broken(RDKafkaErrorCode::InvalidArgument)),
            },
        }
    }

    /// Serves the producer for all of `wait`, and takes the reports that came.
    pub(super) fn poll(&self, wait: Duration) -> Vec<Report> {
        self.client.poll(wait);
        std::mem::take(&mut *self.client.context().lock())
    }
}

/// The callbacks of the producer. They run inside [`Producer::poll`].
struct Reports {
    arrived: Mutex<Vec<Report>>,
    health: Arc<Health>,
    log: KafkaLog,
}

impl Reports {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Report>> {
        self.arrived.lock().expect("only the publishing thread takes this")
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let slot = Slot(u64::try_from(opaque).expect("it was made from a slot"));
        let result = match result {
            Ok(_) => Ok(()),
            Err((error, _)) => {
                Err(failure(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)))
            }
        };
        self.lock().push(Report { slot, result });
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.log.line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.trouble(&error, reason);
        self.health.trouble(Some(format!("{error}: {reason}")));
    }
}

fn failure(code: RDKafkaErrorCode) -> Failure {
    match code {
        RDKafkaErrorCode::MessageSizeTooLarge => Failure::TooLarge,
        other => Failure::Broken(other),
    }
}

fn to_kafka(headers: &[Header]) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(headers.len());
    headers.iter().fold(empty, |all, header| {
        all.insert(KafkaHeader { key: &header.name, value: header.value.as_deref() })
    })
}
