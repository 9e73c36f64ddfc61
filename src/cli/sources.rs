//! From arguments to a loaded bundle.

use std::{io::IsTerminal, path::Path, sync::Arc};

use super::{
    PartArgs,
    exit::{Exit, Failure},
    locate, report,
};
use crate::{
    bundle::{Loaded, ModelSource, Sources, load},
    classify::Model,
    files::{ReadError, RuleFolder},
};

/// Loads the bundle that the arguments describe; every problem is in the failure's message.
pub(super) fn load_bundle(args: &PartArgs) -> Result<Loaded, Failure> {
    let home = locate::home(args)?;
    let folders = std::iter::once(home.join("rules")).chain(args.overlays.iter().cloned());
    let folders: Vec<RuleFolder> =
        folders.map(|folder| read_folder(&folder)).collect::<Result<_, _>>()?;
    #[cfg(feature = "onnx")]
    let models = Models { args, home: &home };
    #[cfg(not(feature = "onnx"))]
    let models = Models { home: &home };
    let sources = Sources {
        folders: &folders,
        shipped_rules: !args.no_default_rules,
        models: (!args.no_model).then_some(&models),
    };
    load(&sources).map_err(|diagnostics| {
        let text = report::render(&diagnostics, std::io::stderr().is_terminal());
        let missing_part = diagnostics.sorted().iter().all(|d| d.code == "B004");
        let exit = if missing_part { Exit::NoInput } else { Exit::Configuration };
        Failure::new(exit, format!("{text}the bundle was refused"))
    })
}

fn read_folder(folder: &Path) -> Result<RuleFolder, Failure> {
    let read = RuleFolder::read(folder).map_err(|error| unreadable(&error))?;
    if read.is_empty() {
        let message = format!(
            "{}: nothing to load; a rules folder has packs/, policies/ or bundle.yaml in it",
            folder.display()
        );
        return Err(Failure::new(Exit::NoInput, message));
    }
    Ok(read)
}

/// The failure of a file that could not be read.
pub(super) fn unreadable(error: &ReadError) -> Failure {
    Failure::new(Exit::NoInput, error.to_string())
}

/// The bearer token in a file, where one is named.
#[cfg(feature = "http")]
pub(super) fn token(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(path) = file else { return Ok(None) };
    let file = crate::files::read_text(path).map_err(|error| unreadable(&error))?;
    let token = file.text.trim();
    if token.is_empty() {
        let message =
            format!("{}: a token file holds a token, and this one is empty", path.display());
        return Err(Failure::new(Exit::Configuration, message));
    }
    Ok(Some(token.to_owned()))
}

/// Models below the home folder.
struct Models<'a> {
    #[cfg(feature = "onnx")]
    args: &'a PartArgs,
    home: &'a Path,
}

#[cfg(feature = "onnx")]
impl ModelSource for Models<'_> {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let library = locate::onnx_library(self.args, self.home)?;
        let folder = self.home.join("models").join(name);
        crate::classify::load_model(&folder, &library).map_err(|error| error.to_string())
    }
}

#[cfg(not(feature = "onnx"))]
impl ModelSource for Models<'_> {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let folder = self.home.join("models").join(name);
        Err(format!("{}: this build has no classifier, say --no-model", folder.display()))
    }
}
