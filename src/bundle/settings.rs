//! `bundle.yaml`: model routing, limits that touch decisions, the configured regions.

use std::sync::Arc;

use super::Share;
use crate::{
    condition::{Declared, read_declared},
    diagnostic::{Diagnostics, SourceFile},
    post::Region,
    units::Bytes,
    yaml::{Node, Reader, parse},
};

/// Least room for a decision: its verdicts without evidence must fit.
const DECISION_BYTES_MIN: usize = 64 * 1024;
/// Most second opinions: each costs memory in every thread.
const OPINIONS_MAX: usize = 16;

/// What `bundle.yaml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleSettings {
    /// The regions of a post that names no audience; never empty.
    pub regions: Vec<Region>,
    /// Most bytes of an encoded decision.
    pub decision_bytes: usize,
    /// Which models are asked.
    pub models: Routing,
    /// The platform's own keys of posts, for conditions.
    pub extra: Declared,
}

/// Model folders by what they do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing {
    /// The one that scores every post.
    pub core: Option<String>,
    /// Those that are asked where it is unsure.
    pub second_opinions: Vec<String>,
    /// The one on trial, and the share of posts that it scores.
    pub shadow: Option<(String, Share)>,
}

impl Routing {
    /// Every folder that is named.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let shadow = self.shadow.iter().map(|(name, _)| name);
        self.core.iter().chain(&self.second_opinions).chain(shadow).map(String::as_str)
    }
}

impl Default for BundleSettings {
    fn default() -> Self {
        Self {
            regions: vec![Region::DEFAULT],
            decision_bytes: 512 * 1024,
            models: Routing::default(),
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
        if let Some(routing) = keys.take("models").and_then(|node| routing(&reader, node)) {
            self.models = routing;
        }
        if let Some(node) = keys.take("extra") {
            self.extra = read_declared(&reader, node);
        }
        reader.finish(&keys);
    }
}

fn routing(reader: &Reader<'_>, node: &Node) -> Option<Routing> {
    let mut models = reader.keys(node)?;
    let core = models.take("core").and_then(|node| folder(reader, node));
    let opinions = models.take("second_opinions").map_or(&[][..], |node| reader.items(node));
    if opinions.len() > OPINIONS_MAX {
        let message = format!("a bundle may have {OPINIONS_MAX} second opinions");
        reader.error(&node.range, "B010", message);
    }
    let second_opinions = opinions.iter().filter_map(|node| folder(reader, node)).collect();
    let shadow = models.take("shadow").and_then(|node| shadow(reader, node));
    reader.finish(&models);
    Some(Routing { core, second_opinions, shadow })
}

fn shadow(reader: &Reader<'_>, node: &Node) -> Option<(String, Share)> {
    let mut keys = reader.keys(node)?;
    let model = keys.require("model", reader).and_then(|node| folder(reader, node));
    let share = keys.require("share", reader);
    let share = share.and_then(|node| reader.parsed(node, "a share such as 5%, up to 100%"));
    reader.finish(&keys);
    Some((model?, share?))
}

/// The name of a folder below `models`, which is no path.
fn folder(reader: &Reader<'_>, node: &Node) -> Option<String> {
    let name = reader.filled(node)?;
    let plain = !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !plain {
        let message = format!("`{name}` is no name of a folder below models/");
        reader.error(&node.range, "B010", message);
    }
    plain.then(|| name.to_owned())
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
