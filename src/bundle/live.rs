//! The bundle in force, shared by every door.
//!
//! A door looks between two batches: it pins what it got for as long as it decides, so that no
//! decision is made of two bundles.

use std::sync::{Arc, RwLock};

use super::Bundle;

/// The bundle that decides now; another may follow.
#[derive(Debug)]
pub struct Live(RwLock<InForce>);

/// What was in force at one moment.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The bundle.
    pub bundle: Arc<Bundle>,
    /// How many times the bundle was replaced before: equal numbers mean the same bundle.
    pub generation: u64,
}

impl Live {
    /// Starts with this bundle.
    pub fn new(bundle: Arc<Bundle>) -> Self {
        Self(RwLock::new(InForce { bundle, generation: 0 }))
    }

    /// What is in force now.
    pub fn now(&self) -> InForce {
        self.0.read().expect("no thread panics while it holds this").clone()
    }

    /// Puts another bundle in force; who has pinned the old one goes on with it.
    pub fn replace(&self, bundle: Arc<Bundle>) {
        let mut in_force = self.0.write().expect("no thread panics while it holds this");
        *in_force = InForce { bundle, generation: in_force.generation + 1 };
    }
}
