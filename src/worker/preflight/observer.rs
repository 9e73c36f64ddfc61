//! Remembers what a client complains about while it is asked.

use std::sync::{Arc, Mutex};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::KafkaError,
    producer::{DeliveryResult, ProducerContext},
    types::RDKafkaErrorCode,
};

use super::fault::Fault;

/// The complaints of one client.
#[derive(Clone, Default)]
pub(super) struct Observer(Arc<Mutex<Complaints>>);

#[derive(Default)]
struct Complaints {
    last: Option<String>,
    denied: Option<String>,
    untrusted: Option<String>,
    group_forbidden: bool,
}

impl Observer {
    /// The one complaint that explains everything else.
    pub(super) fn fault(&self) -> Option<Fault> {
        let complaints = self.0.lock().expect("nobody panics while holding this");
        let denied = complaints.denied.clone().map(Fault::NotAdmitted);
        let untrusted = || complaints.untrusted.clone().map(Fault::NotTrusted);
        denied
            .or_else(untrusted)
            .or_else(|| complaints.group_forbidden.then_some(Fault::GroupForbidden))
    }

    /// The latest complaint.
    pub(super) fn reason(&self) -> Option<String> {
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
            // The group's coordinator is asked for in the background, which tells of it only here.
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) => complaints.group_forbidden = true,
            // OpenSSL's own words are the only way to tell it from other failures of a handshake.
            Some(RDKafkaErrorCode::SSL) if reason.contains("certificate verify failed") => {
                complaints.untrusted = Some(reason.to_owned());
            }
            // It only sums up the others.
            Some(RDKafkaErrorCode::AllBrokersDown) => {}
            _ => complaints.last = Some(reason.to_owned()),
        }
    }
}

impl ConsumerContext for Observer {}

impl ProducerContext for Observer {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
