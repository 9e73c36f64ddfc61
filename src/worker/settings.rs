//! What a worker needs to know, validated by the configuration.

use std::{num::NonZeroUsize, time::Duration};

use crate::{
    config::{Topics, kafka::KafkaSettings},
    delivery::BatchLimits,
    http::AdminSettings,
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
    /// Threads of the CPU pool.
    pub threads: NonZeroUsize,
    /// How long the broker may acknowledge nothing before the worker stops.
    pub give_up: Duration,
    /// How large a dead letter may be before it becomes a claim check.
    pub dead_letter_bytes: usize,
    /// How the worker is watched.
    pub admin: AdminSettings,
    /// The times that shape start, rebalance and end.
    pub deadlines: Deadlines,
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
