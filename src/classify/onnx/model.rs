//! A model folder as a model: its network opens, has the inputs and outputs that the manifest needs,
//! and has scored something before it is given out.

use std::sync::Arc;

use ort::{
    session::{Session, builder::SessionBuilder},
    value::{Outlet, TensorElementType, ValueType},
};

use super::{Runtime, session::OnnxClassifier};
use crate::{
    classify::{
        Asked, Classifier, ClassifyError, Evidence, Model,
        folder::Folder,
        golden,
        manifest::{EncoderSpec, Manifest},
    },
    signal::{Category, ModelIdentity},
};

/// The input of a network that reads n-grams: `[windows, n-grams]` of `int32`, padded with 0.
pub(super) const IDS: &str = "ids";
/// Its output: `[windows, labels]` of `float32`, probabilities before calibration.
const SCORES: &str = "scores";
/// The output of a network that reads tokens: `[windows, labels]` of `float32`.
const LOGITS: &str = "logits";

/// Most windows of n-grams of one inference: more costs memory and gains nothing.
pub(super) const NGRAM_WINDOWS: usize = 64;

/// A model folder that runs on ONNX Runtime.
#[derive(Debug, Clone)]
pub struct OnnxModel {
    pub(super) runtime: Runtime,
    pub(super) folder: Arc<Folder>,
    /// The categories in order of their paths.
    pub(super) labels: Arc<[Category]>,
    /// The place among the labels that each output speaks for.
    pub(super) columns: Arc<[Option<usize>]>,
}

/// An input or output of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its type, such as `int64 [?, ?]`.
    pub kind: String,
}

impl OnnxModel {
    /// A model whose network opens and has the inputs and outputs that its manifest needs.
    pub fn new(folder: Folder, runtime: &Runtime) -> Result<Self, ClassifyError> {
        let labels = folder.manifest.labels();
        let place = |category: &Category| labels.binary_search(category).ok();
        let outputs = folder.manifest.outputs.iter();
        let columns = outputs.map(|output| output.as_ref().and_then(place)).collect();
        let model = Self {
            runtime: runtime.clone(),
            folder: Arc::new(folder),
            labels: labels.into(),
            columns,
        };
        let session = model.session()?;
        model.check_shapes(&session)?;
        OnnxClassifier::new(model.clone(), session)?.warm_up()?;
        Ok(model)
    }

    /// Where it says something else on this machine than where it was made, in a sentence each.
    pub fn differences(&self) -> Result<Vec<String>, ClassifyError> {
        let mut session = OnnxClassifier::new(self.clone(), self.session()?)?;
        golden::differences(&self.folder.golden, &self.folder.encoder, &mut session)
    }

    /// The names of a network's inputs, before there is a folder for it.
    pub fn inputs_of(network: &[u8], runtime: &Runtime) -> Result<Vec<String>, ClassifyError> {
        let open = || -> ort::Result<Session> {
            configured(Session::builder(&runtime.0)?)?.commit_from_memory(network)
        };
        let session = open().map_err(|error| ClassifyError::Open {
            model: "to import".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(session.inputs().iter().map(|input| input.name().to_owned()).collect())
    }

    /// The folder it was made of.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The network's inputs and outputs.
    pub fn ports(&self) -> Result<(Vec<Port>, Vec<Port>), ClassifyError> {
        let session = self.session()?;
        Ok((ports(session.inputs()), ports(session.outputs())))
    }

    /// The name of the output that is read.
    pub(super) fn output(&self) -> &'static str {
        match self.manifest().encoder {
            EncoderSpec::NGrams { .. } => SCORES,
            EncoderSpec::Tokens { .. } => LOGITS,
        }
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.folder.manifest
    }

    fn session(&self) -> Result<Session, ClassifyError> {
        let open = || -> ort::Result<Session> {
            configured(Session::builder(&self.runtime.0)?)?.commit_from_memory(&self.folder.graph)
        };
        open().map_err(|error| self.refuse(&error.to_string()))
    }

    fn check_shapes(&self, session: &Session) -> Result<(), ClassifyError> {
        let (mut wanted, element) = match &self.manifest().encoder {
            EncoderSpec::NGrams { .. } => (vec![IDS], TensorElementType::Int32),
            EncoderSpec::Tokens { parameters, .. } => {
                let names = parameters.inputs.iter().map(|input| input.as_str());
                (names.collect(), TensorElementType::Int64)
            }
        };
        let mut found: Vec<&str> = session.inputs().iter().map(Outlet::name).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        if wanted != found {
            let (found, wanted) = (found.join(", "), wanted.join(", "));
            return Err(self.refuse(&format!("its inputs are {found}; they must be {wanted}")));
        }
        let odd = session.inputs().iter().find(|input| !is_matrix(input.dtype(), element, -1));
        if let Some(odd) = odd {
            let (name, kind) = (odd.name(), described(odd.dtype()));
            let element = word(element);
            let reason = format!("its input `{name}` is {kind}; it must be {element} [?, ?]");
            return Err(self.refuse(&reason));
        }
        let labels = i64::try_from(self.columns.len()).expect("labels are few");
        let name = self.output();
        let output = session.outputs().iter().find(|output| output.name() == name);
        let output = output.map(Outlet::dtype);
        if output.is_some_and(|kind| is_matrix(kind, TensorElementType::Float32, labels)) {
            return Ok(());
        }
        let found = output.map_or_else(|| "not there".to_owned(), described);
        let reason = format!("its output `{name}` is {found}; it must be float32 [?, {labels}]");
        Err(self.refuse(&reason))
    }

    pub(super) fn refuse(&self, reason: &str) -> ClassifyError {
        let model = self.folder.identity.name.clone();
        ClassifyError::Open { model, reason: reason.to_owned() }
    }
}

impl Model for OnnxModel {
    fn identity(&self) -> &Arc<ModelIdentity> {
        &self.folder.identity
    }

    fn evidence(&self) -> &Evidence {
        &self.manifest().evidence
    }

    fn asked(&self) -> Option<&Asked> {
        self.manifest().asked.as_ref()
    }

    fn together(&self) -> usize {
        match &self.manifest().encoder {
            EncoderSpec::NGrams { .. } => NGRAM_WINDOWS,
            EncoderSpec::Tokens { parameters, .. } => parameters.batch,
        }
    }

    fn open(&self) -> Result<Box<dyn Classifier>, ClassifyError> {
        let mut session = OnnxClassifier::new(self.clone(), self.session()?)?;
        session.warm_up()?;
        session.hurry();
        Ok(Box::new(session))
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

fn ports(outlets: &[Outlet]) -> Vec<Port> {
    let port =
        |outlet: &Outlet| Port { name: outlet.name().to_owned(), kind: described(outlet.dtype()) };
    outlets.iter().map(port).collect()
}

/// `float32 [?, 7]`.
fn described(kind: &ValueType) -> String {
    let ValueType::Tensor { ty, shape, .. } = kind else { return "no tensor".to_owned() };
    let size = |size: &i64| if *size < 0 { "?".to_owned() } else { size.to_string() };
    let sizes: Vec<String> = shape.iter().map(size).collect();
    format!("{} [{}]", word(*ty), sizes.join(", "))
}

/// An element type as those name it who export networks.
fn word(element: TensorElementType) -> String {
    match element {
        TensorElementType::Float32 => "float32".to_owned(),
        TensorElementType::Int32 => "int32".to_owned(),
        TensorElementType::Int64 => "int64".to_owned(),
        other => other.to_string(),
    }
}
