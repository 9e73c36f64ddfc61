//! From arguments to a loaded bundle.

use std::{
    io::IsTerminal,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;

use super::{
    PartArgs,
    exit::{Exit, Failure},
    locate, report,
};
use crate::{
    bundle::{Bundle, Loaded, ModelSource},
    classify::Model,
    diagnostic::Diagnostics,
    files::ReadError,
    overrides::{KnownRules, Overrides},
    reload::{Refusal, Watched, read_overrides},
};

/// Where the arguments say that rules and models lie.
pub(super) fn watched(args: &PartArgs) -> Result<Watched, Failure> {
    let home = locate::home(args)?;
    let folders = std::iter::once(home.join("rules")).chain(args.overlays.iter().cloned());
    let models = || {
        let folder = home.join("models");
        let models = Models { args: args.clone(), home: home.clone(), opened: Mutex::default() };
        (folder, Box::new(models) as Box<dyn ModelSource + Send>)
    };
    Ok(Watched {
        folders: folders.collect(),
        shipped_rules: !args.no_default_rules,
        models: (!args.no_model).then(models),
    })
}

/// Loads the bundle that the arguments describe, and the emergency overrides beside it; every problem
/// of both is in the failure's message.
pub(super) fn load_bundle(args: &PartArgs) -> Result<(Loaded, Arc<Overrides>), Failure> {
    let watched = watched(args)?;
    let folders = watched.read().map_err(|error| unreadable(&error))?;
    let mut loaded = watched.build(&folders);
    if let Ok(loaded) = &mut loaded {
        loaded.warn_of_expiry(Timestamp::now());
    }
    let mut problems = Diagnostics::default();
    let known = loaded.as_ref().ok().map(|loaded| known_rules(&loaded.bundle));
    let overrides = read_overrides(watched.emergency_folders(), known, &mut problems);
    if let Err(refused) = &mut loaded {
        problems.sorted().into_iter().for_each(|problem| refused.push(problem.clone()));
    }
    let loaded = loaded.map_err(|refused| refusal(Refusal::Bundle(refused)))?;
    let overrides = overrides.ok_or_else(|| {
        let text = report::render(&problems, std::io::stderr().is_terminal());
        Failure::new(Exit::Configuration, format!("{text}the emergency file was refused"))
    })?;
    Ok((loaded, Arc::new(overrides)))
}

fn known_rules(bundle: &Bundle) -> KnownRules<'_> {
    KnownRules { rules: bundle.rules().known(), taxonomy: bundle.taxonomy() }
}

/// The failure of a bundle that was refused, with its whole report.
pub(super) fn refusal(refusal: Refusal) -> Failure {
    let diagnostics = match refusal {
        Refusal::Read(error) => return unreadable(&error),
        Refusal::Bundle(diagnostics) => diagnostics,
        Refusal::Store(_) | Refusal::OtherModel(_) => {
            let way_out = "`tidegate bundle rollback --release` returns to the folders";
            return Failure::new(Exit::Configuration, format!("{refusal}; {way_out}"));
        }
    };
    let text = report::render(&diagnostics, std::io::stderr().is_terminal());
    let missing_part = diagnostics.sorted().iter().all(|d| d.code == "B004");
    let exit = if missing_part { Exit::NoInput } else { Exit::Configuration };
    Failure::new(exit, format!("{text}the bundle was refused"))
}

/// The failure of a file that could not be read.
pub(super) fn unreadable(error: &ReadError) -> Failure {
    Failure::new(Exit::NoInput, error.to_string())
}

/// The bearer token in a file, where one is named.
#[cfg(feature = "http")]
pub(super) fn token(file: Option<&std::path::Path>) -> Result<Option<String>, Failure> {
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

/// Models below the home folder. The last one stays open: a bundle that routes the same model shares
/// it.
#[cfg_attr(not(feature = "onnx"), expect(dead_code, reason = "nothing can be opened"))]
struct Models {
    args: PartArgs,
    home: PathBuf,
    opened: Mutex<Option<Arc<dyn Model>>>,
}

#[cfg(feature = "onnx")]
impl ModelSource for Models {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let library = locate::onnx_library(&self.args, &self.home)?;
        let folder = self.home.join("models").join(name);
        // Its files are verified each time, so that a damaged one is noticed while the old one is
        // still open.
        let checked = crate::classify::check_folder(&folder).map_err(|error| error.to_string())?;
        let mut opened = self.opened.lock().expect("no thread panics while it holds this");
        let same = opened.as_ref().filter(|model| *model.identity() == checked.identity);
        if let Some(model) = same {
            return Ok(Arc::clone(model));
        }
        let model = crate::classify::open_folder(checked, &library);
        let model = model.map_err(|error| error.to_string())?;
        *opened = Some(Arc::clone(&model));
        Ok(model)
    }
}

#[cfg(not(feature = "onnx"))]
impl ModelSource for Models {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let folder = self.home.join("models").join(name);
        Err(format!("{}: this build has no classifier, say --no-model", folder.display()))
    }
}
