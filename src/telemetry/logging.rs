//! Logs go to standard error: lines for people on a terminal, JSON elsewhere.
//!
//! ERROR: something is lost or an operator must act. WARN: recovered. INFO: life-cycle. Nothing per
//! record above DEBUG, and never a post's text.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{EnvFilter, fmt};

/// What is logged where nothing else is asked for.
const DEFAULT_FILTER: &str = "info";

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// For people on a terminal, JSON elsewhere.
    pub fn for_stderr() -> Self {
        if io::stderr().is_terminal() { Self::Human } else { Self::Json }
    }
}

/// Sets up logging for the process; `filter` as in `info,tidegate::worker=debug`. A second call
/// changes nothing. A filter that cannot be read is replaced by the default, with a warning.
pub fn init(filter: Option<&str>, format: LogFormat) {
    let wanted = filter.unwrap_or(DEFAULT_FILTER);
    let parsed = EnvFilter::try_new(wanted);
    let refused = parsed.is_err();
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    // Told of a log that takes nothing, the library would panic over a standard error that takes
    // nothing either; so lines are lost instead, and the service goes on.
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    let set = match format {
        LogFormat::Human => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if set.is_ok() && refused {
        tracing::warn!(filter = wanted, "the log filter cannot be read; info is used");
    }
}
