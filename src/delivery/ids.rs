//! Numbers that must not be mistaken for each other.

use std::fmt;

/// A partition of the posts topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub i32);

/// The place of one record in its partition. Offsets rise but have gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The position once this record is finished.
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }

    /// The position from which this record is the first one read.
    pub fn position(self) -> Position {
        Position(self.0)
    }
}

/// The next offset to read: what is stored and committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(i64);

impl Position {
    /// The position that Kafka has committed.
    pub fn committed(next: i64) -> Self {
        Self(next)
    }

    /// The number that Kafka commits.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// One uninterrupted stretch of holding a partition; unique in the life of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    pub(super) fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
