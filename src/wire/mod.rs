//! The contract with the platform: what stands in the topics and in the answers of every door.

pub mod dead_letter;
pub mod error;
