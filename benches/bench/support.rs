//! The tests' Kafka node and their child processes.

#[path = "../../tests/it/support/kafka.rs"]
pub(crate) mod kafka;
#[path = "../../tests/it/support/process.rs"]
pub(crate) mod process;
