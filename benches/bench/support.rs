//! The tests' Kafka node and their child processes.

#[path = "../../tests/it/support/kafka.rs"]
pub(crate) mod kafka;
#[path = "../../tests/it/support/kafka_node.rs"]
mod kafka_node;
#[path = "../../tests/it/support/process.rs"]
pub(crate) mod process;
