//! Where a bundle comes from, for as long as the program runs: folders, and who opens models.

use std::path::PathBuf;

use super::fingerprint::Fingerprint;
use crate::{
    bundle::{Loaded, ModelSource, Sources, load},
    diagnostic::{Diagnostic, Diagnostics},
    files::{EMERGENCY, ReadError, RuleFolder, read_emergency},
    overrides::{KnownRules, Overrides},
};

/// The folders that are watched.
pub struct Watched {
    /// The shipped rules folder, then overlays.
    pub folders: Vec<PathBuf>,
    /// Whether the packs of the first folder take part.
    pub shipped_rules: bool,
    /// The folder that models lie in, and who opens them; nothing: no classifier.
    pub models: Option<(PathBuf, Box<dyn ModelSource + Send>)>,
}

impl Watched {
    /// What everything that a bundle is made of looks like, and the rollback file beside it.
    pub(super) fn look(&self, pin: PathBuf) -> Fingerprint {
        let models = self.models.iter().map(|(folder, _)| folder.clone());
        let roots: Vec<PathBuf> = self.folders.iter().cloned().chain(models).chain([pin]).collect();
        Fingerprint::of(&roots, Some(EMERGENCY))
    }

    /// What the emergency files look like.
    pub(super) fn look_at_emergency(&self) -> Fingerprint {
        let files = self.folders.iter().map(|folder| folder.join(EMERGENCY));
        // A folder that is gone is another thing than a file that was never there.
        let lost = self.folders.iter().filter(|folder| !folder.is_dir()).cloned();
        Fingerprint::of(&files.chain(lost).collect::<Vec<_>>(), None)
    }

    /// Reads the rules folders.
    pub fn read(&self) -> Result<Vec<RuleFolder>, ReadError> {
        self.folders.iter().map(|folder| RuleFolder::read_filled(folder)).collect()
    }

    /// Builds a bundle of what was read, through every gate.
    pub fn build(&self, folders: &[RuleFolder]) -> Result<Loaded, Diagnostics> {
        load(&Sources {
            folders,
            shipped_rules: self.shipped_rules,
            models: self.models.as_ref().map(|(_, models)| &**models as &dyn ModelSource),
        })
    }

    /// The folders whose emergency files hold: those whose packs take part.
    pub fn emergency_folders(&self) -> &[PathBuf] {
        &self.folders[usize::from(!self.shipped_rules).min(self.folders.len())..]
    }
}

/// Reads the emergency files of rules folders; a missing file overrides nothing, a missing folder is
/// a mistake.
pub fn read_overrides(
    folders: &[PathBuf],
    known: Option<KnownRules<'_>>,
    out: &mut Diagnostics,
) -> Option<Overrides> {
    let mut files = Vec::new();
    let mut unreadable = false;
    for folder in folders {
        match read_emergency(folder) {
            Ok(file) => files.extend(file),
            Err(error) => {
                out.push(Diagnostic::global("E005", error.to_string()));
                unreadable = true;
            }
        }
    }
    Overrides::read(&files, known, out).filter(|_| !unreadable)
}
