//! What is in force, shared by every door: the bundle, and the overrides over it.
//!
//! A door looks between two batches: it pins what it got for as long as it decides, so that no
//! decision is made of two bundles.

use std::sync::{Arc, RwLock};

use super::Bundle;
use crate::overrides::Overrides;

/// What decides now; another bundle, or other overrides, may follow.
#[derive(Debug)]
pub struct Live(RwLock<InForce>);

/// What was in force at one moment.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The bundle.
    pub bundle: Arc<Bundle>,
    /// The emergency overrides.
    pub overrides: Arc<Overrides>,
    /// How many times either was replaced before: equal numbers mean the same of both.
    pub generation: u64,
}

impl Live {
    /// Starts with this bundle and no overrides.
    pub fn new(bundle: Arc<Bundle>) -> Self {
        Self(RwLock::new(InForce { bundle, overrides: Arc::default(), generation: 0 }))
    }

    /// What is in force now.
    pub fn now(&self) -> InForce {
        self.0.read().expect("no thread panics while it holds this").clone()
    }

    /// Puts another bundle in force; who has pinned the old one goes on with it.
    pub fn replace(&self, bundle: Arc<Bundle>) {
        self.change(|in_force| in_force.bundle = bundle);
    }

    /// Puts other overrides in force.
    pub fn set_overrides(&self, overrides: Arc<Overrides>) {
        self.change(|in_force| in_force.overrides = overrides);
    }

    fn change(&self, change: impl FnOnce(&mut InForce)) {
        let mut in_force = self.0.write().expect("no thread panics while it holds this");
        change(&mut in_force);
        in_force.generation += 1;
    }
}
