//! The producer behind a small seam: send, poll, reports. What transactions need besides stands in
//! `transactional.rs`.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::{Header as KafkaHeader, Message as _, OwnedHeaders},
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
        let reports = Reports {
            arrived: Mutex::default(),
            forbidden: Mutex::default(),
            health: Arc::clone(health),
            log,
        };
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

    /// The same, and asks the producer not to wait for fuller requests. Returns at once when
    /// nothing is on its way.
    pub(super) fn flush(&self, wait: Duration) -> Vec<Report> {
        // An error says that something is still on its way, which is nothing new.
        let _ = self.client.flush(wait);
        std::mem::take(&mut *self.client.context().lock())
    }

    /// The topic that we may not write to, if a report since the last look said so.
    pub(super) fn forbidden(&self) -> Option<String> {
        self.client.context().forbidden.lock().expect("nobody panics with this").take()
    }

    /// The client, for its transactional calls.
    pub(super) fn client(&self) -> &BaseProducer<impl ProducerContext> {
        &self.client
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
    forbidden: Mutex<Option<String>>,
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
            Err((error, record)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
                if code == RDKafkaErrorCode::TopicAuthorizationFailed {
                    let mut forbidden = self.forbidden.lock().expect("nobody panics with this");
                    *forbidden = Some(record.topic().to_owned());
                }
                Err(failure(code))
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
