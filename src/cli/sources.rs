//! From arguments to a loaded bundle.

use std::{
    collections::BTreeMap,
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
    diagnostic::{Diagnostic, Diagnostics},
    files::ReadError,
    overrides::{KnownRules, Overrides},
    reload::{Refusal, Watched, read_overrides},
};

/// Most models that stay open: what is beyond was replaced long ago.
#[cfg(feature = "onnx")]
const OPEN_MAX: usize = 32;

/// Where the arguments say that rules and models lie.
pub(super) fn watched(args: &PartArgs) -> Result<Watched, Failure> {
    let home = locate::home(args)?;
    let folders = std::iter::once(home.join("rules")).chain(args.overlays.iter().cloned());
    let models = || {
        let folder = args.models.clone().unwrap_or_else(|| home.join("models"));
        let (args, home) = (args.clone(), home.clone());
        let models = Models { args, home, folder: folder.clone(), opened: Mutex::default() };
        (folder, Box::new(models) as Box<dyn ModelSource + Send>)
    };
    Ok(Watched {
        folders: folders.collect(),
        shipped_rules: !args.no_default_rules,
        models: (!args.no_model).then(models),
    })
}

/// Why there is no bundle.
pub(super) enum Unloaded {
    /// A folder or file cannot be read.
    Unreadable(ReadError),
    /// The files were refused.
    Refused {
        /// Everything that is wrong with them.
        problems: Diagnostics,
        /// What was refused, for the last line.
        what: &'static str,
    },
}

impl Unloaded {
    /// What the program ends with.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Unreadable(_) => Exit::NoInput,
            Self::Refused { problems, .. } => {
                let missing_part = problems.sorted().iter().all(|d| d.code == "B004");
                if missing_part { Exit::NoInput } else { Exit::Configuration }
            }
        }
    }

    /// Everything that is wrong.
    pub(super) fn into_diagnostics(self) -> Diagnostics {
        match self {
            Self::Refused { problems, .. } => problems,
            Self::Unreadable(error) => {
                let mut out = Diagnostics::default();
                out.push(Diagnostic::global("B020", error.to_string()));
                out
            }
        }
    }
}

impl From<Unloaded> for Failure {
    fn from(unloaded: Unloaded) -> Self {
        let exit = unloaded.exit();
        match unloaded {
            Unloaded::Unreadable(error) => unreadable(&error),
            Unloaded::Refused { problems, what } => {
                Self::new(exit, format!("{}{what} was refused", report::for_people(&problems)))
            }
        }
    }
}

/// Loads the bundle that the arguments describe, and the emergency overrides beside it; every problem
/// of both is in the failure's message.
pub(super) fn load_bundle(args: &PartArgs) -> Result<(Loaded, Arc<Overrides>), Failure> {
    try_load(args)?.map_err(Failure::from)
}

/// The same; what is wrong with the files is not yet a failure.
pub(super) fn try_load(
    args: &PartArgs,
) -> Result<Result<(Loaded, Arc<Overrides>), Unloaded>, Failure> {
    let watched = watched(args)?;
    Ok(watched.read().map_err(Unloaded::Unreadable).and_then(|folders| {
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
        let refused = |problems| Unloaded::Refused { problems, what: "the bundle" };
        let loaded = loaded.map_err(refused)?;
        let what = "the emergency file";
        let overrides = overrides.ok_or(Unloaded::Refused { problems, what })?;
        Ok((loaded, Arc::new(overrides)))
    }))
}

fn known_rules(bundle: &Bundle) -> KnownRules<'_> {
    KnownRules { rules: bundle.rules().known(), taxonomy: bundle.taxonomy() }
}

/// The failure of a bundle that was refused, with its whole report.
pub(super) fn refusal(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Read(error) => unreadable(&error),
        Refusal::Bundle(problems) => Unloaded::Refused { problems, what: "the bundle" }.into(),
        Refusal::Store(_) | Refusal::OtherModel(_) => {
            let way_out = "`tidegate bundle rollback --release` returns to the folders";
            Failure::new(Exit::Configuration, format!("{refusal}; {way_out}"))
        }
    }
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

/// Model folders. The last one of each name stays open: a bundle that routes the same model shares it.
#[cfg_attr(not(feature = "onnx"), expect(dead_code, reason = "nothing can be opened"))]
struct Models {
    args: PartArgs,
    home: PathBuf,
    folder: PathBuf,
    opened: Mutex<BTreeMap<String, Arc<dyn Model>>>,
}

#[cfg(feature = "onnx")]
impl ModelSource for Models {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let library = locate::onnx_library(&self.args, &self.home)?;
        let folder = self.folder.join(name);
        // Its files are verified each time, so that a damaged one is noticed while the old one is
        // still open.
        let checked = crate::classify::check_folder(&folder).map_err(|error| error.to_string())?;
        let mut opened = self.opened.lock().expect("no thread panics while it holds this");
        let same = opened.get(name).filter(|model| *model.identity() == checked.identity);
        if let Some(model) = same {
            return Ok(Arc::clone(model));
        }
        let model = crate::classify::open_folder(checked, &library);
        let model = model.map_err(|error| error.to_string())?;
        if opened.len() >= OPEN_MAX && !opened.contains_key(name) {
            opened.clear();
        }
        opened.insert(name.to_owned(), Arc::clone(&model));
        Ok(model)
    }
}

#[cfg(not(feature = "onnx"))]
impl ModelSource for Models {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let folder = self.folder.join(name);
        Err(format!("{}: this build has no classifier, say --no-model", folder.display()))
    }
}
