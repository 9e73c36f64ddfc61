//! What the tests share: a real Kafka node and the `tidegate` binary as child processes.

#[cfg(feature = "kafka")]
pub(crate) mod judges;
#[cfg(feature = "kafka")]
pub(crate) mod kafka;
#[cfg(feature = "kafka")]
pub(crate) mod mock;
pub(crate) mod moderate;
#[cfg(feature = "kafka")]
pub(crate) mod process;
#[cfg(feature = "kafka")]
pub(crate) mod scene;
pub(crate) mod schemas;
#[cfg(feature = "kafka")]
pub(crate) mod worker;
