//! Where the parts lie: rules, models, ONNX Runtime, the configuration file.

#[cfg(any(feature = "http", feature = "onnx"))]
use std::path::Path;
use std::path::PathBuf;

use super::{
    PartArgs,
    exit::{Exit, Failure},
};

/// The home folder: the first of `--home`, `.` and `<program>/../share/tidegate` that has `rules`.
pub(super) fn home(args: &PartArgs) -> Result<PathBuf, Failure> {
    let shared = beside_program("share/tidegate");
    let candidates: Vec<PathBuf> = match &args.home {
        Some(home) => vec![home.clone()],
        None => std::iter::once(PathBuf::from(".")).chain(shared).collect(),
    };
    let found = candidates.iter().find(|home| home.join("rules/taxonomy.yaml").is_file());
    found.cloned().ok_or_else(|| {
        let searched: Vec<String> = candidates.iter().map(|p| p.display().to_string()).collect();
        let message = format!(
            "no rules were found: none of {} has rules/taxonomy.yaml; \
             start in the repository's root or say --home FOLDER",
            searched.join(", ")
        );
        Failure::new(Exit::NoInput, message)
    })
}

/// ONNX Runtime's library: `--onnx-library` or `ORT_DYLIB_PATH`, `<home>/.tidegate/lib`,
/// `<program>/../lib`.
#[cfg(feature = "onnx")]
pub(super) fn onnx_library(args: &PartArgs, home: &Path) -> Result<PathBuf, String> {
    if let Some(library) = &args.onnx_library {
        let found = library.is_file().then(|| library.clone());
        return found.ok_or_else(|| format!("ONNX Runtime is not at {}", library.display()));
    }
    let beside = beside_program("lib");
    let folders = std::iter::once(home.join(".tidegate/lib")).chain(beside);
    let mut libraries = folders.map(|folder| folder.join("libonnxruntime.so"));
    libraries.find(|library| library.is_file()).ok_or_else(|| {
        "ONNX Runtime's library was not found; fetch it with `make setup`, \
         or decide without a classifier: --no-model"
            .to_owned()
    })
}

/// The configuration file: `--config`, `./tidegate.yaml`, `/etc/tidegate/tidegate.yaml`, or none.
#[cfg(feature = "http")]
pub(super) fn configuration(given: Option<&Path>) -> Option<PathBuf> {
    let standard = ["tidegate.yaml", "/etc/tidegate/tidegate.yaml"].map(PathBuf::from);
    given.map(Path::to_owned).or_else(|| standard.into_iter().find(|path| path.is_file()))
}

/// A folder next to the one that the program lies in.
fn beside_program(folder: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    Some(program.parent()?.parent()?.join(folder))
}
