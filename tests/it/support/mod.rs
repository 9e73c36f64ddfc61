//! What the tests share: a real Kafka node and the `tidegate` binary as child processes. The fault
//! suite uses the same parts, and a few of their functions alone.
#![allow(dead_code, reason = "each of the two test binaries uses its share")]

#[cfg(feature = "kafka")]
pub(crate) mod acls;
pub(crate) mod home;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "kafka")]
pub(crate) mod judges;
#[cfg(feature = "kafka")]
pub(crate) mod kafka;
#[cfg(feature = "kafka")]
mod kafka_node;
#[cfg(feature = "kafka")]
pub(crate) mod mock;
#[cfg(feature = "onnx")]
pub(crate) mod model;
pub(crate) mod moderate;
#[cfg(feature = "onnx")]
pub(crate) mod onnx;
#[cfg(feature = "http")]
pub(crate) mod process;
#[cfg(feature = "kafka")]
pub(crate) mod scene;
pub(crate) mod schemas;
#[cfg(feature = "kafka")]
pub(crate) mod secured;
#[cfg(feature = "kafka")]
pub(crate) mod worker;
