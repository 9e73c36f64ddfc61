//! The classifier: calibrated scores for a post, behind a seam that knows no ONNX.
//!
//! A [`Model`] is a verified model folder; a [`Classifier`] is one thread's session of it. Whether and
//! when a score matters is the policies' business.

mod band;
pub mod calibration;
pub mod encode;
#[cfg(feature = "onnx")]
pub mod encoder;
mod event;
pub mod fixed;
#[cfg(feature = "onnx")]
pub mod folder;
#[cfg(feature = "onnx")]
pub mod golden;
pub mod graph;
pub mod import;
#[cfg(feature = "onnx")]
mod load;
pub mod manifest;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "onnx")]
pub mod tokenizer;
pub mod tokens;
pub mod vocabulary;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub use band::{Asked, Band};
pub use event::{Failure, Happened, ModelEvent, Observer};
#[cfg(feature = "onnx")]
pub use load::{LoadError, check_folder, load_model, open_folder};

use crate::signal::{Category, Language, ModelIdentity, Score};

/// Posts that are worth scoring together where a model does not say otherwise.
const TOGETHER: usize = 64;

/// What the classifier reads of one post.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The standard views of title, body, tags, ocr, transcript and alt, joined by newlines.
    pub text: &'a str,
    /// The post's main language, which picks the calibration.
    pub language: Option<Language>,
}

/// Calibrated scores of one post by taxonomy path or `toxic`, sorted by path.
pub type Scores = Vec<(Category, Score)>;

/// Where a model's report has evidence: languages by category. Policies may name no other scores.
pub type Evidence = BTreeMap<Category, BTreeSet<Language>>;

/// A verified model, shared by all threads.
pub trait Model: Send + Sync + std::fmt::Debug {
    /// Which model this is.
    fn identity(&self) -> &Arc<ModelIdentity>;

    /// Where its report has evidence.
    fn evidence(&self) -> &Evidence;

    /// When it is asked for a second opinion; nothing: it is not made for that.
    fn asked(&self) -> Option<&Asked> {
        None
    }

    /// How many posts are worth scoring together.
    fn together(&self) -> usize {
        TOGETHER
    }

    /// Opens a session for one thread, which has scored something before it is given out.
    fn open(&self) -> Result<Box<dyn Classifier>, ClassifyError>;
}

/// One thread's session of a model.
pub trait Classifier: Send {
    /// Scores a micro-batch; one entry for each input, in order. A post's scores never depend on its
    /// neighbours.
    fn score(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Scores>, ClassifyError>;
}

/// Why the classifier gave no scores.
#[derive(Debug, thiserror::Error)]
pub enum ClassifyError {
    /// The runtime's library could not be loaded.
    #[error("ONNX Runtime is not available: {0}")]
    Runtime(String),
    /// The model could not be opened.
    #[error("the model {model} could not be opened: {reason}")]
    Open {
        /// The model.
        model: String,
        /// What the runtime said.
        reason: String,
    },
    /// An inference took longer than it may and was ended.
    #[error("the model {model} took longer than {} ms", .limit.as_millis())]
    Deadline {
        /// The model.
        model: String,
        /// What it may take.
        limit: Duration,
    },
    /// An inference failed or gave something that is no probability.
    #[error("the model {model} failed: {reason}")]
    Inference {
        /// The model.
        model: String,
        /// What happened.
        reason: String,
    },
}

/// A text that an encoder cannot take; it holds none of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text cannot be encoded: {0}")]
pub struct EncodeError(pub String);
