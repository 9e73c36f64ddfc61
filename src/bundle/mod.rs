//! Everything that decides, loaded whole or not at all.
//!
//! A bundle is immutable. Its hash covers every file that can change a decision, so that a decision
//! says what made it.

mod live;
mod load;
mod policy_examples;
mod settings;

use std::sync::Arc;

pub use live::{InForce, Live};
pub use load::{Loaded, ModelSource, Report, Sources, load};
pub use policy_examples::PolicyTestReport;
pub use settings::BundleSettings;

use crate::{
    classify::Model, decision::Versions, policy::PolicySet, post::Region, rules::Ruleset,
    taxonomy::Taxonomy,
};

/// Rules, policies, taxonomy, model and settings.
#[derive(Debug)]
pub struct Bundle {
    rules: Ruleset,
    policies: PolicySet,
    taxonomy: Taxonomy,
    model: Option<Arc<dyn Model>>,
    settings: BundleSettings,
    versions: Arc<Versions>,
}

impl Bundle {
    /// The rules.
    pub fn rules(&self) -> &Ruleset {
        &self.rules
    }

    /// The policies of all regions.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// The categories.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// The model that scores every post, when one is routed.
    pub fn model(&self) -> Option<&Arc<dyn Model>> {
        self.model.as_ref()
    }

    /// The regions of a post that names no audience; never empty.
    pub fn regions(&self) -> &[Region] {
        &self.settings.regions
    }

    /// Most bytes of an encoded decision.
    pub fn decision_bytes(&self) -> usize {
        self.settings.decision_bytes
    }

    /// What decides, as decisions say it.
    pub fn versions(&self) -> &Arc<Versions> {
        &self.versions
    }
}
