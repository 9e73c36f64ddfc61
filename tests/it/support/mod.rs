//! What the tests share: a real Kafka node and the `tidegate` binary as child processes.

pub(crate) mod home;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "kafka")]
pub(crate) mod judges;
#[cfg(feature = "kafka")]
pub(crate) mod kafka;
#[cfg(feature = "kafka")]
pub(crate) mod mock;
pub(crate) mod moderate;
#[cfg(feature = "http")]
pub(crate) mod process;
#[cfg(feature = "kafka")]
pub(crate) mod scene;
#[cfg(feature = "kafka")]
pub(crate) mod worker;
