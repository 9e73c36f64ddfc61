//! From a path to a model that is ready to be opened: the one call that doors need.

use std::{fmt, path::Path, sync::Arc};

use super::{ClassifyError, Model, folder::Folder, onnx::OnnxModel, onnx::Runtime};
use crate::diagnostic::Diagnostics;

/// Loads and verifies the model folder at `folder`, to run on the ONNX Runtime at `library`.
pub fn load_model(folder: &Path, library: &Path) -> Result<Arc<dyn Model>, LoadError> {
    open_folder(check_folder(folder)?, library).map_err(LoadError::Runtime)
}

/// Opens a verified model folder on the ONNX Runtime at `library`. A model that says something else
/// on this machine than where it was made is refused.
pub fn open_folder(folder: Folder, library: &Path) -> Result<Arc<dyn Model>, ClassifyError> {
    let runtime = Runtime::load(library)?;
    let model = OnnxModel::new(folder, &runtime)?;
    let differences = model.differences()?;
    if let Some(first) = differences.first() {
        let count = differences.len();
        let reason = format!("{count} golden outputs are others on this machine: {first}");
        return Err(ClassifyError::Open { model: model.identity().name.clone(), reason });
    }
    Ok(Arc::new(model))
}

/// Reads and verifies a model folder without opening its network.
pub fn check_folder(folder: &Path) -> Result<Folder, LoadError> {
    let mut out = Diagnostics::default();
    Folder::read(folder, &mut out).ok_or(LoadError::Folder(out))
}

/// Why there is no model.
#[derive(Debug)]
pub enum LoadError {
    /// The folder is not what it should be.
    Folder(Diagnostics),
    /// The runtime, or the network in it, does not open.
    Runtime(ClassifyError),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let diagnostics = match self {
            Self::Folder(diagnostics) => diagnostics,
            Self::Runtime(error) => return error.fmt(f),
        };
        for (number, diagnostic) in diagnostics.sorted().into_iter().enumerate() {
            let separator = if number > 0 { "; " } else { "" };
            write!(f, "{separator}{}", diagnostic.message)?;
            if let Some(location) = &diagnostic.location {
                let (line, column) = location.line_column();
                write!(f, " ({}:{line}:{column})", location.file.path)?;
            }
            if let Some(help) = &diagnostic.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}
