//! A classifier whose scores are looked up in a table: for tests of everything around a classifier.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use super::{Asked, Classifier, ClassifyError, Evidence, Input, Model, Scores};
use crate::signal::ModelIdentity;

/// Scores by text; a text that is not in the table has no scores at all.
#[derive(Clone)]
pub struct FixedModel {
    identity: Arc<ModelIdentity>,
    evidence: Arc<Evidence>,
    asked: Option<Arc<Asked>>,
    table: Arc<BTreeMap<String, Scores>>,
    broken: Arc<Mutex<bool>>,
}

impl FixedModel {
    /// A model of this table that claims this evidence.
    pub fn new(table: BTreeMap<String, Scores>, evidence: Evidence) -> Self {
        let identity = ModelIdentity {
            name: "fixed".to_owned(),
            version: "0".to_owned(),
            sha256: "0".repeat(64),
        };
        Self {
            identity: Arc::new(identity),
            evidence: Arc::new(evidence),
            asked: None,
            table: Arc::new(table),
            broken: Arc::default(),
        }
    }

    /// The same under another name, asked for a second opinion as this says.
    #[must_use]
    pub fn asked_when(self, name: &str, asked: Asked) -> Self {
        let identity = ModelIdentity { name: name.to_owned(), ..(*self.identity).clone() };
        Self { identity: Arc::new(identity), asked: Some(Arc::new(asked)), ..self }
    }

    /// From now on every inference fails, or no longer, in the sessions that are open too.
    pub fn set_broken(&self, broken: bool) {
        *self.broken.lock().expect("nobody panics while holding it") = broken;
    }
}

impl fmt::Debug for FixedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedModel").field("texts", &self.table.len()).finish()
    }
}

impl Model for FixedModel {
    fn identity(&self) -> &Arc<ModelIdentity> {
        &self.identity
    }

    fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    fn asked(&self) -> Option<&Asked> {
        self.asked.as_deref()
    }

    fn open(&self) -> Result<Box<dyn Classifier>, ClassifyError> {
        Ok(Box::new(self.clone()))
    }
}

impl Classifier for FixedModel {
    fn score(&mut self, inputs: &[Input<'_>]) -> Result<Vec<Scores>, ClassifyError> {
        if *self.broken.lock().expect("nobody panics while holding it") {
            let model = self.identity.name.clone();
            return Err(ClassifyError::Inference { model, reason: "told to fail".to_owned() });
        }
        let look_up = |input: &Input<'_>| self.table.get(input.text).cloned().unwrap_or_default();
        Ok(inputs.iter().map(look_up).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{Category, Score};

    #[test]
    fn looks_scores_up_and_fails_when_told() {
        let hate = (Category::new("hate"), Score::from_thousandths(900).expect("in range"));
        let table = BTreeMap::from([("known".to_owned(), vec![hate.clone()])]);
        let model = FixedModel::new(table, Evidence::new());
        let mut session = model.open().expect("a table opens");
        let inputs = ["known", "other"].map(|text| Input { text, language: None });
        assert_eq!(session.score(&inputs).expect("it works"), [vec![hate], Vec::new()]);
        model.set_broken(true);
        assert!(matches!(session.score(&inputs), Err(ClassifyError::Inference { .. })));
    }
}
