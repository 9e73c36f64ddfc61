//! How the program ends.

use std::{fmt, process::ExitCode};

use crate::stop::Stop;

/// The codes of `sysexits.h` that the program ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// A check or test found something.
    Findings,
    /// Some input was not usable; everything else was done.
    BadData,
    /// Something that must be there is not.
    NoInput,
    /// A service is not there.
    Unavailable,
    /// A bug.
    Internal,
    /// Reading or writing failed.
    Io,
    /// A configuration, rule or policy file is wrong.
    Configuration,
    /// What a service ended with.
    Worker(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::BadData => 65,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Io => 74,
            Self::Configuration => 78,
            Self::Worker(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An end that is no success: a code and what a person needs to know.
#[derive(Debug)]
pub struct Failure {
    /// The code.
    pub exit: Exit,
    /// What happened, where, and how to mend it; may have many lines. Empty when it was said before.
    pub message: String,
}

impl Failure {
    /// A failure with a sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<Stop> for Failure {
    /// The failure of a service that stopped with a fault.
    fn from(stop: Stop) -> Self {
        Self::new(Exit::Worker(stop.exit_code()), stop.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
