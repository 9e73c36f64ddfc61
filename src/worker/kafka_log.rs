//! librdkafka's own log lines, as ours.

use rdkafka::config::RDKafkaLogLevel as Level;

/// Writes one line of the client named `client`. librdkafka never logs keys or values of records.
pub(super) fn write(client: &str, level: Level, facility: &str, line: &str) {
    // One pass-through map serves two clients, so each is told about keys of the other.
    if facility == "CONFWARN" {
        tracing::debug!(client, facility, "{line}");
        return;
    }
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error | Level::Warning => {
            // The client recovers from all of these by itself; what it cannot mend ends the worker.
            tracing::warn!(client, facility, "{line}");
        }
        Level::Notice | Level::Info => tracing::info!(client, facility, "{line}"),
        Level::Debug => tracing::debug!(client, facility, "{line}"),
    }
}
