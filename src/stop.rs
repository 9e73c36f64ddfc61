//! How a service ends: on request, or with a fault that names its exit code.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

/// Why a service ended without everything being done, and what the process answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Stop {
    code: ExitCode,
    sentence: String,
}

/// The exit codes of `sysexits.h` that a service uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Kafka cannot be reached.
    Unavailable,
    /// A bug in Tidegate.
    Software,
    /// Kafka failed for too long; a restart goes on where this run ended.
    TemporaryFailure,
    /// Kafka does not let us in.
    NoPermission,
    /// The configuration cannot work.
    Configuration,
}

impl Stop {
    /// A stop with one sentence for the operator.
    pub fn new(code: ExitCode, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    /// The number the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self.code {
            ExitCode::Unavailable => 69,
            ExitCode::Software => 70,
            ExitCode::TemporaryFailure => 75,
            ExitCode::NoPermission => 77,
            ExitCode::Configuration => 78,
        }
    }
}

/// The wish that a service ends in good order.
#[derive(Debug, Clone, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// A signal that only [`Self::request`] raises.
    pub fn manual() -> Self {
        Self::default()
    }

    /// A signal that SIGTERM and SIGINT raise; a second one ends the process at once (143, 130).
    pub fn on_termination() -> io::Result<Self> {
        let signal = Self::default();
        for (number, exit_code) in [(SIGTERM, 143), (SIGINT, 130)] {
            // The order matters: the first signal finds the flag down and raises it.
            flag::register_conditional_shutdown(number, exit_code, Arc::clone(&signal.0))?;
            flag::register(number, Arc::clone(&signal.0))?;
        }
        Ok(signal)
    }

    /// Asks the service to end.
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the service was asked to end.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
