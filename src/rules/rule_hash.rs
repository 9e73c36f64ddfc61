//! The hash of an effective rule, which decisions carry.

use std::sync::Arc;

use super::{
    entry::Role,
    expectation::Mismatch,
    file::{EntryFile, RuleFile},
};
use crate::{
    hash::ValueHasher,
    signal::{Category, Language},
};

/// The hash of an effective rule: everything that can change what it finds or how it counts.
pub(super) struct RuleHash(ValueHasher);

impl RuleHash {
    pub(super) fn new(rule: &RuleFile) -> Self {
        let mut hasher = ValueHasher::default();
        let languages: Vec<Language> = rule.languages.iter().map(|tag| tag.language).collect();
        hasher
            .bytes(&rule.id)
            .bytes(rule.category.as_ref().map_or("", Category::as_str))
            .integer(rule.severity.level().into())
            .bytes(rule.status.as_str())
            .bytes(rule.combination.min.unwrap_or(1).to_string())
            .bytes(format!("{languages:?} {:?}", rule.surfaces));
        if let Some(count) = rule.combination.count {
            hasher.bytes(count.to_string());
        }
        if rule.languages.iter().any(|tag| tag.has_variety()) {
            hasher.bytes(format!("{:?}", rule.languages));
        }
        if rule.mismatch != Mismatch::Cap {
            hasher.bytes(rule.mismatch.as_str());
        }
        if let Some(when) = &rule.when {
            hasher.bytes(format!("{:?}", when.condition));
        }
        if let Some(expires) = &rule.expires {
            hasher.bytes(expires.date.to_string());
        }
        if let Some(near) = &rule.combination.near {
            hasher.bytes(format!("near {} {}", near.every, near.within));
        }
        Self(hasher)
    }

    pub(super) fn entry(&mut self, role: Role, entry: &EntryFile, literal: &str) {
        let how = format!("{role:?} {:?} {:?}", entry.kind, entry.options);
        self.0.bytes(how).bytes(literal);
    }

    pub(super) fn finish(self) -> Arc<str> {
        self.0.hex()[..16].into()
    }
}
