//! librdkafka's own words, as log lines of ours: each kind of trouble once in a while, not each try.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use rdkafka::{config::RDKafkaLogLevel as Level, error::KafkaError, types::RDKafkaErrorCode};

/// A kind of trouble is told again after this time.
const REPEAT_AFTER: Duration = Duration::from_secs(30);

/// The voice of one client.
#[derive(Debug)]
pub(super) struct KafkaLog {
    client: &'static str,
    told: Mutex<BTreeMap<i32, Instant>>,
}

impl KafkaLog {
    /// The voice of the client named so.
    pub(super) fn new(client: &'static str) -> Self {
        Self { client, told: Mutex::default() }
    }

    /// Writes one line. librdkafka never logs keys or values of records.
    pub(super) fn line(&self, level: Level, facility: &str, line: &str) {
        let client = self.client;
        match level {
            // Failed connections come as errors too; and one pass-through map serves two clients,
            // so each is told about keys of the other.
            _ if matches!(facility, "FAIL" | "CONFWARN") => {
                tracing::debug!(client, facility, "{line}");
            }
            // The client recovers from all of these; what it cannot mend ends the worker.
            Level::Emerg | Level::Alert | Level::Critical | Level::Error | Level::Warning => {
                tracing::warn!(client, facility, "{line}");
            }
            Level::Notice | Level::Info => tracing::info!(client, facility, "{line}"),
            Level::Debug => tracing::debug!(client, facility, "{line}"),
        }
    }

    /// Tells of a failure that the client goes on after.
    pub(super) fn trouble(&self, error: &KafkaError, what: &str) {
        let client = self.client;
        if self.is_news(error.rdkafka_error_code()) {
            tracing::warn!(client, %error, "{what}");
        } else {
            tracing::debug!(client, %error, "{what}");
        }
    }

    fn is_news(&self, code: Option<RDKafkaErrorCode>) -> bool {
        // The codes are a closed set, so the map is bounded.
        let kind = code.map_or(i32::MIN, |code| code as i32);
        let mut told = self.told.lock().expect("nobody panics while holding this");
        let is_news = told.get(&kind).is_none_or(|last| last.elapsed() >= REPEAT_AFTER);
        if is_news {
            told.insert(kind, Instant::now());
        }
        is_news
    }
}
