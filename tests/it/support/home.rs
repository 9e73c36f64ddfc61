//! A home folder with one rule, one policy and no model: it loads in no time.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The text that the rule finds.
pub(crate) const AD: &str = "please buy now";

/// A home folder; it goes when it is dropped.
pub(crate) struct Home(TempDir);

impl Home {
    /// With the rule at this severity: 3 blocks, 1 asks for a review.
    pub(crate) fn with(severity: u8) -> Self {
        let home = Self(tempfile::tempdir().expect("a scratch folder"));
        let taxonomy = "categories:\n  - {id: spam, definition: spam}\n";
        let policy = "region: default\n\
                      categories: {spam: {review: {severity: 1}, block: {severity: 3}}}\n";
        home.write("taxonomy.yaml", taxonomy);
        home.write("policies/default.yaml", policy);
        home.write("packs/spam.yaml", &pack(severity));
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn rules(&self) -> PathBuf {
        self.path().join("rules")
    }

    /// Puts a file into the rules folder as editors do: beside its place, then over it.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.rules().join(file);
        let folder = path.parent().expect("it has one");
        fs::create_dir_all(folder).expect("it is writable");
        let fresh = folder.join(".fresh.swp");
        fs::write(&fresh, text).expect("it is writable");
        fs::rename(&fresh, &path).expect("it is writable");
    }
}

/// The pack of the one rule.
pub(crate) fn pack(severity: u8) -> String {
    format!(
        "pack: spam
rules:
  - id: ads
    category: spam
    severity: {severity}
    status: enforced
    any: [buy now]
    hit: [{AD}]
    miss: [hello there]
"
    )
}

/// An emergency file with one override of the rule.
pub(crate) fn emergency(at_most: &str, from: &str, until: &str) -> String {
    format!(
        "overrides:
  - rule: spam/ads
    at_most: {at_most}
    from: {from}
    until: {until}
    by: on call
    reason: it hits donations
"
    )
}
