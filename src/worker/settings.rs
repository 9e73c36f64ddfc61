//! What a worker needs to know, validated by the configuration.

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use crate::{
    config::{BreakerSettings, Topics, kafka::KafkaSettings},
    delivery::{BatchLimits, TransactionLimits},
    http::{AdminSettings, Probes},
};

/// The settings of one worker.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The name of the source; part of every decision id.
    pub source: String,
    /// How Kafka is reached.
    pub kafka: KafkaSettings,
    /// Where posts come from and decisions go.
    pub topics: Topics,
    /// When a batch is complete.
    pub batch: BatchLimits,
    /// How many batches may be between reading and commit.
    pub batches_in_flight: NonZeroUsize,
    /// When a transaction is complete, where delivery is exactly once.
    pub transaction: TransactionLimits,
    /// Threads of the CPU pool.
    pub threads: NonZeroUsize,
    /// How long the broker may acknowledge nothing before the worker stops.
    pub give_up: Duration,
    /// How large a dead letter may be before it becomes a claim check.
    pub dead_letter_bytes: usize,
    /// When a partition that yields only dead letters is held back.
    pub breaker: BreakerSettings,
    /// How the worker is watched.
    pub admin: AdminSettings,
    /// What runs in the same process and is watched with it.
    pub beside: Beside,
    /// The times that shape start, rebalance and end.
    pub deadlines: Deadlines,
}

/// Something beside the worker: `/livez` is true while both live.
#[derive(Clone, Default)]
pub struct Beside(pub Option<Arc<dyn Probes>>);

impl Beside {
    /// Whether it lives, or is not there.
    pub(super) fn is_live(&self) -> bool {
        self.0.as_ref().is_none_or(|probes| probes.is_live())
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Beside").field(&self.0.is_some()).finish()
    }
}

/// How long things may take that wait for somebody else.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Brokers and topics must answer within this time at start.
    pub start: Duration,
    /// What was handed over is awaited so long when partitions are taken away. Far below the poll
    /// interval after which the group would exclude the worker.
    pub revoke: Duration,
    /// The same at the end of the worker.
    pub drain: Duration,
    /// The process ends after this time, whatever still waits; below the 30 s after which
    /// Kubernetes kills.
    pub shutdown: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            revoke: Duration::from_secs(10),
            drain: Duration::from_secs(20),
            shutdown: Duration::from_secs(25),
        }
    }
}
