//! Lists that lost many of their entries: more often a damaged file than somebody's wish.

use crate::diagnostic::{Diagnostic, Location};

/// A list may lose one entry in so many at once.
const LOSS_SHARE: usize = 5;

/// How long a list of a pack is.
#[derive(Debug, Clone)]
pub(super) struct ListSize {
    /// The list's file.
    pub(super) path: String,
    pub(super) entries: usize,
    /// Where the pack names it.
    pub(super) location: Location,
    /// `shrink: accepted`.
    pub(super) may_shrink: bool,
}

impl ListSize {
    /// What is wrong where the list had so many entries `before`.
    pub(super) fn shrunk(&self, before: usize) -> Option<Diagnostic> {
        let now = self.entries;
        if self.may_shrink || before.saturating_sub(now) * LOSS_SHARE <= before {
            return None;
        }
        let message = format!("the list had {before} entries and has {now}");
        let help = "where that is meant, write `shrink: accepted` beside its file for once";
        Some(Diagnostic::error("R014", self.location.clone(), message).help(help))
    }
}
