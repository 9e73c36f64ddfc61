//! One thread's session: windows in micro-batches through the network, outputs to scores.

use std::{borrow::Cow, sync::Arc, time::Duration};

use ort::{
    session::{RunOptions, Session, SessionInputValue},
    value::TensorRef,
};

use super::{
    model::{IDS, NGRAM_WINDOWS, OnnxModel},
    watchdog::watch,
};
use crate::classify::{
    Classifier, ClassifyError, Input, Scores,
    encoder::TextEncoder,
    manifest::{EncoderSpec, Head},
    tokens::{TokenInput, TokenParameters},
};

/// Most tokens of one inference, padding included, unless a single window has more: it bounds memory.
const TOKENS_MAX: usize = 4096;
/// Fewest rows of an inference that may have neighbours. A single row takes another path through the
/// runtime's matrix product, whose sums differ in the last digits; two rows and more do not, so a
/// score has no neighbours.
const ROWS_MIN: usize = 2;
/// How long an inference may take at least before a model is in force, when no post waits for it: the
/// first makes room in memory, and a start on a machine without time to spare must succeed too.
const UNHURRIED: Duration = Duration::from_secs(30);

/// A window of ids with the place of the input that it is of.
type Window = (usize, Vec<i32>);

pub(super) struct OnnxClassifier {
    session: Session,
    model: OnnxModel,
    options: Arc<RunOptions>,
    /// How long an inference may take.
    limit: Duration,
    rows: Rows,
}

/// The padded rows of one inference; kept to spare allocations.
#[derive(Default)]
struct Rows {
    count: usize,
    columns: usize,
    ngrams: Vec<i32>,
    ids: Vec<i64>,
    mask: Vec<i64>,
    types: Vec<i64>,
}

impl OnnxClassifier {
    /// A session without haste, for what is done before a model is in force.
    pub(super) fn new(model: OnnxModel, session: Session) -> Result<Self, ClassifyError> {
        let options = RunOptions::new().map_err(|error| model.refuse(&error.to_string()))?;
        let limit = UNHURRIED.max(model.manifest().deadline);
        Ok(Self { session, model, options: Arc::new(options), limit, rows: Rows::default() })
    }

    /// From here on an inference may take no longer than the manifest says.
    pub(super) fn hurry(&mut self) {
        self.limit = self.model.manifest().deadline;
    }

    /// Scores an empty text and the widest window that there can be, so that a network that does not
    /// fit its encoder is refused here, and the first post does not wait for memory.
    pub(super) fn warm_up(&mut self) -> Result<(), ClassifyError> {
        let mut windows = Vec::new();
        let encoder = Arc::clone(&self.model.folder.encoder);
        let encoded = encoder.encode("", |ids| windows.push(ids));
        encoded.map_err(|error| self.model.refuse(&error.to_string()))?;
        let mut said = String::new();
        if let TextEncoder::Tokens(tokens) = &*encoder {
            windows.push(tokens.widest());
            let (last, window) = (tokens.largest(), tokens.parameters().window);
            said = format!("over a window of {window} tokens with ids up to {last} ");
        }
        let mut highest = vec![0.0; self.model.labels.len()];
        for window in windows {
            self.infer(&[(0, window)], &mut highest).map_err(|error| match error {
                ClassifyError::Inference { reason, .. } => {
                    self.model.refuse(&format!("{said}it fails: {reason}"))
                }
                other => other,
            })?;
        }
        Ok(())
    }

    /// Runs one micro-batch and raises `highest` to its outputs.
    fn infer(&mut self, batch: &[Window], highest: &mut [f64]) -> Result<(), ClassifyError> {
        let Self { session, model, options, limit, rows } = self;
        let limit = *limit;
        let failed = |reason: String| ClassifyError::Inference {
            model: model.folder.identity.name.clone(),
            reason,
        };
        rows.fill(batch, model);
        let inputs = rows.inputs(model).map_err(|error| failed(error.to_string()))?;
        let watched = watch(options, limit);
        let run_with = Arc::clone(options);
        let outputs = session.run_with_options(inputs, &run_with);
        if watched.was_ended() {
            // The wish to end stays in the options.
            let fresh = RunOptions::new().map_err(|error| failed(error.to_string()))?;
            drop(outputs);
            *options = Arc::new(fresh);
            let model = model.folder.identity.name.clone();
            return Err(ClassifyError::Deadline { model, limit });
        }
        drop(watched);
        let outputs = outputs.map_err(|error| failed(error.to_string()))?;
        let output = outputs.get(model.output()).expect("its shape was checked");
        let (_, raw) =
            output.try_extract_tensor::<f32>().map_err(|error| failed(error.to_string()))?;
        let (columns, labels) = (model.columns.len(), model.labels.len());
        if raw.len() != rows.count * columns {
            return Err(failed(format!("{} outputs for {} windows", raw.len(), rows.count)));
        }
        let mut said = vec![0.0; labels];
        for ((owner, _), row) in batch.iter().zip(raw.chunks(columns)) {
            said.fill(0.0);
            probabilities(model.manifest().head, row, &model.columns, &mut said).map_err(failed)?;
            for (high, &value) in highest[owner * labels..][..labels].iter_mut().zip(&said) {
                *high = high.max(value);
            }
        }
        Ok(())
    }

    /// How many of `windows`, the shortest first, go through the network together.
    fn together(&self, windows: &[Window]) -> usize {
        let EncoderSpec::Tokens { parameters, .. } = &self.model.manifest().encoder else {
            return NGRAM_WINDOWS.min(windows.len());
        };
        let fits = |&(place, (_, ids)): &(usize, &Window)| (place + 1) * ids.len() <= TOKENS_MAX;
        let fitting = windows.iter().enumerate().take_while(fits).count();
        fitting.clamp(1, parameters.batch)
    }

    fn broken(&self, reason: &str) -> ClassifyError {
        let model = self.model.folder.identity.name.clone();
        ClassifyError::Inference { model, reason: reason.to_owned() }
    }
}

impl Classifier for OnnxClassifier {
    fn score(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Scores>, ClassifyError> {
        let mut windows: Vec<Window> = Vec::with_capacity(inputs.len());
        for (owner, input) in inputs.iter().enumerate() {
            let encoder = &self.model.folder.encoder;
            let encoded = encoder.encode(input.text, |ids| windows.push((owner, ids)));
            encoded.map_err(|error| self.broken(&error.to_string()))?;
        }
        windows.sort_by_key(|(_, ids)| ids.len());
        let labels = self.model.labels.len();
        let mut highest = vec![0.0; inputs.len() * labels];
        let mut rest = &windows[..];
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(self.together(rest));
            self.infer(batch, &mut highest)?;
            rest = others;
        }
        let scores = inputs.iter().zip(highest.chunks(labels)).map(|(input, raw)| {
            let calibration = &self.model.manifest().calibration;
            let score = |(category, raw): (&_, &f64)| {
                let score = calibration.score(category, input.language, *raw)?;
                Some((category.clone(), score))
            };
            let scores: Option<Scores> = self.model.labels.iter().zip(raw).map(score).collect();
            scores.ok_or_else(|| self.broken("an output has no calibrated score"))
        });
        scores.collect()
    }
}

impl Rows {
    /// Lays the windows of a batch out, all of the length of the longest.
    fn fill(&mut self, batch: &[Window], model: &OnnxModel) {
        let widest = batch.iter().map(|(_, ids)| ids.len()).max();
        self.columns = widest.unwrap_or_default().max(1);
        match &model.manifest().encoder {
            EncoderSpec::NGrams { .. } => {
                self.count = batch.len().max(ROWS_MIN);
                lay(batch, self.count, self.columns, &mut self.ngrams, 0, |&id| id);
            }
            EncoderSpec::Tokens { parameters, .. } => self.fill_tokens(batch, parameters),
        }
    }

    fn fill_tokens(&mut self, batch: &[Window], parameters: &TokenParameters) {
        self.count = if parameters.batch == 1 { 1 } else { batch.len().max(ROWS_MIN) };
        let (count, columns) = (self.count, self.columns);
        lay(batch, count, columns, &mut self.ids, parameters.pad.into(), |&id| id.into());
        lay(batch, count, columns, &mut self.mask, 0, |_| 1);
        self.types.clear();
        self.types.resize(count * columns, 0);
        // A row that nothing is in would divide by zero.
        for row in batch.len()..count {
            self.mask[row * columns] = 1;
        }
    }

    fn inputs(
        &self,
        model: &OnnxModel,
    ) -> ort::Result<Vec<(Cow<'static, str>, SessionInputValue<'_>)>> {
        let shape = [self.count, self.columns];
        let EncoderSpec::Tokens { parameters, .. } = &model.manifest().encoder else {
            let ids = TensorRef::from_array_view((shape, self.ngrams.as_slice()))?;
            return Ok(vec![(IDS.into(), ids.into())]);
        };
        let input = |input: &TokenInput| {
            let values = match input {
                TokenInput::Ids => &self.ids,
                TokenInput::Mask => &self.mask,
                TokenInput::Types => &self.types,
            };
            let tensor = TensorRef::from_array_view((shape, values.as_slice()))?;
            Ok((input.as_str().into(), tensor.into()))
        };
        parameters.inputs.iter().map(input).collect()
    }
}

/// Lays rows of `columns` values into `into`, filled up with `pad`.
fn lay<T: Copy>(
    batch: &[Window],
    count: usize,
    columns: usize,
    into: &mut Vec<T>,
    pad: T,
    value: impl Fn(&i32) -> T,
) {
    into.clear();
    into.resize(count * columns, pad);
    for ((_, ids), row) in batch.iter().zip(into.chunks_mut(columns)) {
        for (cell, id) in row.iter_mut().zip(ids) {
            *cell = value(id);
        }
    }
}

/// The raw probability of each label, out of one row of outputs. Where several outputs speak for one
/// label, the highest counts; where one of the outputs holds, their sum.
fn probabilities(
    head: Head,
    row: &[f32],
    columns: &[Option<usize>],
    said: &mut [f64],
) -> Result<(), String> {
    let fits = |value: &f32| match head {
        Head::Probabilities => (0.0..=1.0).contains(value),
        Head::Sigmoid | Head::Softmax => value.is_finite(),
    };
    if let Some(odd) = row.iter().find(|value| !fits(value)) {
        let wanted = if head == Head::Probabilities { "probability" } else { "number" };
        return Err(format!("{odd} is no {wanted}"));
    }
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |value: f32| f64::from(value - largest).exp();
    let sum: f64 = row.iter().map(|&value| weight(value)).sum();
    for (&value, label) in row.iter().zip(columns) {
        let Some(label) = *label else { continue };
        said[label] = match head {
            Head::Probabilities => said[label].max(f64::from(value)),
            Head::Sigmoid => said[label].max(1.0 / (1.0 + (-f64::from(value)).exp())),
            // Sums of parts of 1 may be over it in the last digit.
            Head::Softmax => (said[label] + weight(value) / sum).min(1.0),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_head_makes_probabilities_of_its_outputs() {
        let ln3 = 3.0_f32.ln();
        let cases = [
            (Head::Probabilities, vec![0.25, 0.5, 0.75], [0.75, 0.5]),
            (Head::Sigmoid, vec![0.0, ln3, -ln3], [0.5, 0.75]),
            (Head::Softmax, vec![ln3, 0.0, 0.0], [0.8, 0.2]),
        ];
        for (head, row, wanted) in cases {
            let mut said = [0.0; 2];
            let columns = [Some(0), Some(1), Some(0)];
            probabilities(head, &row, &columns, &mut said).expect("they are numbers");
            let near = said.iter().zip(wanted).all(|(said, wanted)| (said - wanted).abs() < 1e-6);
            assert!(near, "{head:?}: {said:?}, not {wanted:?}");
        }
    }

    #[test]
    fn an_output_of_nobody_counts_for_the_others_only() {
        let mut said = [0.0];
        let row = [0.0, 0.0, 0.0, 0.0];
        probabilities(Head::Softmax, &row, &[None, Some(0), None, None], &mut said).expect("sound");
        assert!((said[0] - 0.25).abs() < 1e-9, "{said:?}");
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        for (head, value) in [
            (Head::Probabilities, 1.5),
            (Head::Probabilities, f32::NAN),
            (Head::Sigmoid, f32::INFINITY),
            (Head::Softmax, f32::NAN),
        ] {
            let mut said = [0.0];
            assert!(probabilities(head, &[value], &[Some(0)], &mut said).is_err(), "{value}");
        }
    }
}
