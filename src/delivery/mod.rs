//! How no record is lost: positions, epochs and what became of every record that was read.
//!
//! A *position* is always the **next** offset to read, never the last one finished; that is what
//! is committed, and the type says so. A partition may be taken away and come back: its *epoch*
//! then differs, and whatever is known about the old epoch no longer moves the position.
//!
//! Everything here is a plain value without threads, clock or Kafka. It never fails: what cannot
//! happen is a bug and panics, which stops the worker before it commits.

mod batch;
mod ids;
mod positions;
mod record;
mod sequencer;
mod transaction;
mod window;

pub use batch::{Batch, BatchLimits};
pub use ids::{Epoch, Offset, Partition, Position};
pub use positions::Positions;
pub use record::{Header, Place, Record};
pub use sequencer::Sequencer;
pub use transaction::{Transaction, TransactionLimits, was_committed};
pub use window::{Finished, Progress, Slot, Window};

/// What became of a record. There is no fourth end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// Its decision was acknowledged by the broker.
    Published,
    /// It could not be decided about, and its dead letter was acknowledged by the broker.
    DeadLettered,
    /// Its partition was taken away before it was handed to the producer: the next owner reads it.
    Abandoned,
}

impl Disposition {
    /// Every disposition.
    pub const ALL: [Self; 3] = [Self::Published, Self::DeadLettered, Self::Abandoned];

    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::DeadLettered => "dead_lettered",
            Self::Abandoned => "abandoned",
        }
    }
}
