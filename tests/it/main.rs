//! Everything that is tested from outside, in one binary.

mod architecture;
mod bad_input;
#[cfg(feature = "onnx")]
mod classifier;
#[cfg(feature = "onnx")]
mod classifier_cascade;
#[cfg(feature = "onnx")]
mod classifier_import;
#[cfg(feature = "onnx")]
mod classifier_refused;
#[cfg(feature = "onnx")]
mod classifier_swap;
#[cfg(feature = "onnx")]
mod classifier_tokens;
#[cfg(feature = "kafka")]
mod dead_letters;
mod decisions;
#[cfg(feature = "kafka")]
mod deployment;
#[cfg(feature = "kafka")]
mod documents;
mod emergency;
mod explain;
#[cfg(feature = "http")]
mod http;
mod imports;
mod layout;
#[cfg(feature = "http")]
mod openapi;
mod overlays;
mod oversize;
#[cfg(feature = "kafka")]
mod pages;
mod reports;
mod schemas;
#[cfg(feature = "http")]
mod serve;
mod shell;
mod suites;
mod support;

#[cfg(feature = "kafka")]
mod embedded_broker;
#[cfg(feature = "kafka")]
mod exactly_once_on_kafka;
#[cfg(feature = "kafka")]
mod foreign_client;
#[cfg(feature = "kafka")]
mod kafka_node;
#[cfg(feature = "kafka")]
mod moderation_on_kafka;
#[cfg(feature = "kafka")]
mod reload;
#[cfg(feature = "kafka")]
mod security_on_kafka;
#[cfg(feature = "kafka")]
mod worker_on_kafka;
#[cfg(feature = "kafka")]
mod worker_on_mock;
#[cfg(feature = "kafka")]
mod worker_process;
