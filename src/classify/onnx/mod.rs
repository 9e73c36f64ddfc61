//! Models on ONNX Runtime: the one place that knows the runtime's library.
//!
//! The network is loaded from memory after its hash was checked, runs on the calling thread alone, and
//! takes windows in micro-batches of like length. It knows no policies and no languages but the one
//! that picks a calibration curve. It fails with [`ClassifyError`]: no library, no session, an
//! inference that takes too long, or an output that is no probability.

mod model;
mod session;
mod watchdog;

use std::{fmt, path::Path, sync::Mutex};

use ort::environment::Environment;

pub use self::model::{OnnxModel, Port};
use super::ClassifyError;

/// ONNX Runtime, loaded from its shared library; one for the process.
#[derive(Clone)]
pub struct Runtime(Environment);

/// The process loads the library once, ever: the runtime allows no second environment.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// Loads the library at `library`, or gives the one that the process has loaded already.
    pub fn load(library: &Path) -> Result<Self, ClassifyError> {
        let failed = |reason: String| {
            ClassifyError::Runtime(format!("{} cannot be used: {reason}", library.display()))
        };
        let mut loaded = LOADED.lock().expect("nobody panics while holding it");
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        let builder = ort::init_from(library).map_err(|error| failed(error.to_string()))?;
        let environment = builder.with_name("tidegate").with_telemetry(false).build();
        let runtime = Self(environment.map_err(|error| failed(error.to_string()))?);
        Ok(loaded.insert(runtime).clone())
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}
