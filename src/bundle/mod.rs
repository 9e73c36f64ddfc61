//! Everything that decides, loaded whole or not at all.
//!
//! A bundle is immutable. Its hash covers every file that can change a decision, so that a decision
//! says what made it.

mod live;
mod load;
mod models;
mod policy_examples;
mod settings;

use std::sync::Arc;

pub use live::{InForce, Live};
pub use load::{Loaded, ModelSource, Report, Sources, load};
pub use models::{ShadowModel, Share};
pub use policy_examples::PolicyTestReport;
pub use settings::{BundleSettings, Routing};

use self::models::Models;

use crate::{
    classify::Model, decision::Versions, policy::PolicySet, post::Region, rules::Ruleset,
    signal::ModelIdentity, taxonomy::Taxonomy,
};

/// Rules, policies, taxonomy, models and settings.
#[derive(Debug)]
pub struct Bundle {
    rules: Ruleset,
    policies: PolicySet,
    taxonomy: Taxonomy,
    models: Models,
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
        self.models.core.as_ref()
    }

    /// The models that are asked where it is unsure.
    pub fn second_opinions(&self) -> &[Arc<dyn Model>] {
        &self.models.opinions
    }

    /// The model on trial.
    pub fn shadow(&self) -> Option<&ShadowModel> {
        self.models.shadow.as_ref()
    }

    /// Every model that decides, the one that scores every post first.
    pub fn deciding_models(&self) -> impl Iterator<Item = &Arc<ModelIdentity>> {
        self.models.deciding()
    }

    /// Every model, the one on trial too.
    pub fn all_models(&self) -> impl Iterator<Item = &Arc<dyn Model>> {
        let shadow = self.models.shadow.iter().map(|shadow| &shadow.model);
        self.models.core.iter().chain(&self.models.opinions).chain(shadow)
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
