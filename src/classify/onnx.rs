//! Models on ONNX Runtime: the one place that knows the runtime's library.
//!
//! The network is loaded from memory after its hash was checked, runs on the calling thread alone, and
//! takes windows in micro-batches of like length. It knows no policies and no languages but the one
//! that picks a calibration curve. It fails with [`ClassifyError`]: no library, no session, or an
//! output that is no probability.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex},
};

use ort::{
    environment::Environment,
    session::{Session, builder::SessionBuilder},
    value::{TensorElementType, TensorRef, ValueType},
};

use super::{Classifier, ClassifyError, Evidence, Input, Model, Scores, folder::Folder};
use crate::signal::{Category, ModelIdentity};

/// Most windows of one inference: more costs memory and gains nothing.
const MICRO_BATCH: usize = 64;
/// Fewest rows of one inference. A single row takes another path through the runtime's matrix product,
/// whose sums differ in the last digits; two rows and more do not, so a score has no neighbours.
const ROWS_MIN: usize = 2;
/// The network's input: `[windows, n-grams]` of `int32`, padded with 0.
const INPUT: &str = "ids";
/// The network's output: `[windows, labels]` of `float32`, probabilities before calibration.
const OUTPUT: &str = "scores";

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

/// A model folder that runs on ONNX Runtime.
#[derive(Debug, Clone)]
pub struct OnnxModel {
    runtime: Runtime,
    folder: Arc<Folder>,
    /// The categories in order of their paths, each with its place among the outputs.
    labels: Arc<[(Category, usize)]>,
}

impl OnnxModel {
    /// A model whose network opens and has the inputs and outputs that its manifest needs.
    pub fn new(folder: Folder, runtime: &Runtime) -> Result<Self, ClassifyError> {
        let mut labels: Vec<(Category, usize)> =
            folder.manifest.labels.iter().cloned().zip(0..).collect();
        labels.sort();
        let folder = Arc::new(folder);
        let model = Self { runtime: runtime.clone(), folder, labels: labels.into() };
        let session = model.session()?;
        model.check_shapes(&session)?;
        Ok(model)
    }

    fn session(&self) -> Result<Session, ClassifyError> {
        let open = || -> ort::Result<Session> {
            configured(Session::builder(&self.runtime.0)?)?.commit_from_memory(&self.folder.graph)
        };
        open().map_err(|error| self.refuse(&error.to_string()))
    }

    fn check_shapes(&self, session: &Session) -> Result<(), ClassifyError> {
        let [input] = session.inputs() else {
            return Err(self.refuse("it must have exactly one input"));
        };
        if input.name() != INPUT || !is_matrix(input.dtype(), TensorElementType::Int32, -1) {
            return Err(self.refuse("its input must be `ids`, int32 of any two dimensions"));
        }
        let labels = i64::try_from(self.labels.len()).expect("labels are few");
        let [output] = session.outputs() else {
            return Err(self.refuse("it must have exactly one output"));
        };
        if output.name() != OUTPUT || !is_matrix(output.dtype(), TensorElementType::Float32, labels)
        {
            let reason = format!("its output must be `scores`, float32 of [any, {labels}]");
            return Err(self.refuse(&reason));
        }
        Ok(())
    }

    fn refuse(&self, reason: &str) -> ClassifyError {
        let model = self.folder.identity.name.clone();
        ClassifyError::Open { model, reason: reason.to_owned() }
    }
}

/// One thread, no spinning: the pipeline's own threads are the parallelism. Shapes vary, so the memory
/// of one run says nothing about the next.
fn configured(builder: SessionBuilder) -> ort::Result<SessionBuilder> {
    let builder = builder.with_intra_threads(1)?.with_intra_op_spinning(false)?;
    let builder = builder.with_inter_op_spinning(false)?.with_memory_pattern(false)?;
    Ok(builder)
}

fn is_matrix(kind: &ValueType, element: TensorElementType, columns: i64) -> bool {
    match kind {
        ValueType::Tensor { ty, shape, .. } => {
            *ty == element && matches!(**shape, [-1, n] if n == columns)
        }
        _ => false,
    }
}

impl Model for OnnxModel {
    fn identity(&self) -> &Arc<ModelIdentity> {
        &self.folder.identity
    }

    fn evidence(&self) -> &Evidence {
        &self.folder.manifest.evidence
    }

    fn open(&self) -> Result<Box<dyn Classifier>, ClassifyError> {
        Ok(Box::new(OnnxClassifier {
            session: self.session()?,
            model: self.clone(),
            ids: Vec::new(),
        }))
    }
}

/// One thread's session.
struct OnnxClassifier {
    session: Session,
    model: OnnxModel,
    /// The padded ids of one inference; kept to spare allocations.
    ids: Vec<i32>,
}

impl Classifier for OnnxClassifier {
    fn score(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Scores>, ClassifyError> {
        let mut windows: Vec<(usize, Vec<i32>)> = Vec::with_capacity(inputs.len());
        for (owner, input) in inputs.iter().enumerate() {
            self.model.folder.encoder.encode(input.text, |ids| windows.push((owner, ids)));
        }
        windows.sort_by_key(|(_, ids)| ids.len());
        let labels = self.model.labels.len();
        let mut highest = vec![0.0_f32; inputs.len() * labels];
        for batch in windows.chunks(MICRO_BATCH) {
            self.infer(batch, &mut highest)?;
        }
        let scores = inputs.iter().zip(highest.chunks(labels)).map(|(input, raw)| {
            let calibration = &self.model.folder.manifest.calibration;
            let score = |(category, output): &(Category, usize)| {
                let score = calibration.score(category, input.language, raw[*output])?;
                Some((category.clone(), score))
            };
            let scores: Option<Scores> = self.model.labels.iter().map(score).collect();
            scores.ok_or_else(|| self.broken("an output has no calibrated score"))
        });
        scores.collect()
    }
}

impl OnnxClassifier {
    /// Runs one micro-batch and raises `highest` to its outputs.
    fn infer(
        &mut self,
        batch: &[(usize, Vec<i32>)],
        highest: &mut [f32],
    ) -> Result<(), ClassifyError> {
        let labels = self.model.labels.len();
        let rows = batch.len().max(ROWS_MIN);
        let columns = batch.iter().map(|(_, ids)| ids.len()).max().unwrap_or_default().max(1);
        self.ids.clear();
        self.ids.resize(rows * columns, 0);
        for ((_, ids), row) in batch.iter().zip(self.ids.chunks_mut(columns)) {
            row[..ids.len()].copy_from_slice(ids);
        }
        let name = &self.model.folder.identity.name;
        let failed = |reason: String| ClassifyError::Inference { model: name.clone(), reason };
        let input = TensorRef::from_array_view(([rows, columns], self.ids.as_slice()))
            .map_err(|error| failed(error.to_string()))?;
        let outputs = self
            .session
            .run(ort::inputs![INPUT => input])
            .map_err(|error| failed(error.to_string()))?;
        let (_, raw) = outputs[OUTPUT]
            .try_extract_tensor::<f32>()
            .map_err(|error| failed(error.to_string()))?;
        if raw.len() != rows * labels {
            return Err(failed(format!("{} outputs for {rows} windows", raw.len())));
        }
        for ((owner, _), row) in batch.iter().zip(raw.chunks(labels)) {
            for (high, &value) in highest[owner * labels..][..labels].iter_mut().zip(row) {
                if !(0.0..=1.0).contains(&value) {
                    return Err(failed(format!("{value} is no probability")));
                }
                *high = high.max(value);
            }
        }
        Ok(())
    }

    fn broken(&self, reason: &str) -> ClassifyError {
        let model = self.model.folder.identity.name.clone();
        ClassifyError::Inference { model, reason: reason.to_owned() }
    }
}
