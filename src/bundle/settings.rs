//! `bundle.yaml`: model routing, limits that touch decisions, the configured regions.

use std::sync::Arc;

use crate::{
    condition::{Declared, read_declared},
    diagnostic::{Diagnostics, SourceFile},
    post::Region,
    units::Bytes,
    yaml::{Node, Reader, parse},
};

/// Least room for a decision: its verdicts without evidence must fit.
const DECISION_BYTES_MIN: usize = 64 * 1024;

/// What `bundle.yaml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleSettings {
    /// The regions of a post that names no audience; never empty.
    pub regions: Vec<Region>,
    /// Most bytes of an encoded decision.
    pub decision_bytes: usize,
    /// The model folder that scores every post.
    pub core_model: Option<String>,
    /// The platform's own keys of posts, for conditions.
    pub extra: Declared,
}

impl Default for BundleSettings {
    fn default() -> Self {
        Self {
            regions: vec![Region::DEFAULT],
            decision_bytes: 512 * 1024,
            core_model: None,
            extra: Declared::new(),
        }
    }
}

impl BundleSettings {
    /// Lets the keys of a later layer replace those of the earlier ones.
    pub(super) fn merge(&mut self, file: &Arc<SourceFile>, out: &mut Diagnostics) {
        let Some(root) = parse(file, out) else { return };
        let reader = Reader::new(file, out);
        let Some(mut keys) = reader.keys(&root) else { return };
        if let Some(node) = keys.take("regions") {
            self.regions = regions(&reader, node);
        }
        if let Some(bytes) = keys.take("decision_bytes").and_then(|n| decision_bytes(&reader, n)) {
            self.decision_bytes = bytes;
        }
        if let Some(node) = keys.take("models")
            && let Some(mut models) = reader.keys(node)
        {
            let core = models.take("core").and_then(|node| reader.filled(node));
            self.core_model = core.map(str::to_owned);
            reader.finish(&models);
        }
        if let Some(node) = keys.take("extra") {
            self.extra = read_declared(&reader, node);
        }
        reader.finish(&keys);
    }
}

fn regions(reader: &Reader<'_>, node: &Node) -> Vec<Region> {
    let region = |item| reader.parsed::<Region>(item, "a region such as DE or default");
    let regions: Vec<Region> = reader.items(node).iter().filter_map(region).collect();
    if regions.is_empty() {
        reader.error(&node.range, "B001", "at least one region is needed");
        return vec![Region::DEFAULT];
    }
    regions
}

fn decision_bytes(reader: &Reader<'_>, node: &Node) -> Option<usize> {
    let Bytes(bytes) = reader.parsed::<Bytes>(node, "a size such as 512KiB")?;
    if bytes < DECISION_BYTES_MIN {
        reader.error(&node.range, "B002", "a decision needs at least 64KiB");
        return None;
    }
    Some(bytes)
}
