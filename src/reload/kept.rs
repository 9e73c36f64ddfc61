//! A bundle as it is kept for a rollback: its manifest, and the way back to rules folders.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    bundle::{Bundle, Report},
    diagnostic::SourceFile,
    files::RuleFolder,
};

/// The form of manifests that is written and read.
pub(super) const FORMAT: u32 = 1;

/// The manifest of a kept bundle. Benign corpora are not kept: they were a gate, and decide nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The form of the manifest.
    pub format: u32,
    /// The bundle's hash.
    pub hash: String,
    /// The engine that loaded it.
    pub engine: String,
    /// When it came into force for the first time.
    pub first_in_force: Timestamp,
    /// When it came into force most recently.
    pub last_in_force: Timestamp,
    /// Rules of any status.
    pub rules: usize,
    /// Regions that policies name.
    pub regions: usize,
    /// Whether the packs of the first layer take part.
    pub shipped_rules: bool,
    /// Its models, which are not kept themselves.
    pub models: Vec<KeptModel>,
    /// Its rules folders, the shipped one first.
    pub layers: Vec<KeptLayer>,
    /// How it left, unless it is in force.
    pub left: Option<Left>,
}

/// A model by its name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptModel {
    /// The folder below `models`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its manifest.
    pub sha256: String,
}

/// One rules folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLayer {
    /// Where it lay; diagnostics name its files so.
    pub root: PathBuf,
    /// Its deciding files, in the order of loading.
    pub files: Vec<KeptFile>,
}

/// One deciding file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Below the folder.
    pub path: String,
    /// BLAKE3 of its text, which is the name it is kept under.
    pub blake3: String,
    /// Its length.
    pub bytes: usize,
}

/// How a bundle left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Why,
}

/// Why a bundle left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its files changed.
    Replaced,
    /// Somebody rolled back to an older one.
    RolledBack,
    /// The rollback to it was released.
    Released,
}

impl Why {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::RolledBack => "rolled back",
            Self::Released => "released",
        }
    }
}

/// A rollback: the kept bundle that is to be in force, whatever the folders hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The bundle's hash.
    pub bundle: String,
    /// Since when.
    pub since: Timestamp,
}

impl Kept {
    /// The manifest of a bundle that came into force at `now`.
    pub(super) fn new(
        bundle: &Bundle,
        report: &Report,
        (folders, shipped_rules): (&[RuleFolder], bool),
        now: Timestamp,
    ) -> Self {
        let versions = bundle.versions();
        let models = bundle.deciding_models().map(|identity| KeptModel {
            name: identity.name.clone(),
            version: identity.version.clone(),
            sha256: identity.sha256.clone(),
        });
        Self {
            format: FORMAT,
            hash: versions.bundle.clone(),
            engine: versions.engine.to_owned(),
            first_in_force: now,
            last_in_force: now,
            rules: report.rules.iter().sum(),
            regions: bundle.policies().regions().count(),
            shipped_rules,
            models: models.collect(),
            layers: folders.iter().map(layer).collect(),
            left: None,
        }
    }
}

fn layer(folder: &RuleFolder) -> KeptLayer {
    let kept = |file: &Arc<SourceFile>| KeptFile {
        path: folder.relative(file).to_owned(),
        blake3: blake3::hash(file.text.as_bytes()).to_hex().to_string(),
        bytes: file.text.len(),
    };
    KeptLayer { root: folder.root.clone(), files: in_order(folder).map(kept).collect() }
}

/// The deciding files in the order in which they take part.
pub(super) fn in_order(folder: &RuleFolder) -> impl Iterator<Item = &Arc<SourceFile>> {
    let single = folder.bundle.iter().chain(&folder.taxonomy);
    single.chain(&folder.packs).chain(&folder.lists).chain(&folder.policies)
}

/// A rules folder out of kept files; nothing for a path that no rules folder has.
pub(super) fn folder(layer: &KeptLayer, texts: Vec<String>) -> Option<RuleFolder> {
    let mut folder = RuleFolder { root: layer.root.clone(), ..RuleFolder::default() };
    for (kept, text) in layer.files.iter().zip(texts) {
        let path = layer.root.join(&kept.path).display().to_string();
        let file = Arc::new(SourceFile { path, text });
        match kept.path.split('/').next() {
            Some("bundle.yaml") => folder.bundle = Some(file),
            Some("taxonomy.yaml") => folder.taxonomy = Some(file),
            Some("packs") => folder.packs.push(file),
            Some("lists") => folder.lists.push(file),
            Some("policies") => folder.policies.push(file),
            _ => return None,
        }
    }
    Some(folder)
}
