//! From what the network says to a probability that a policy can count on.
//!
//! Platt's method: a logistic curve over the raw output's log odds, fitted on held-out posts, one for
//! each category and language with enough of them (J. Platt, "Probabilistic outputs for support vector
//! machines", 1999). It knows no ONNX and no texts.

use std::collections::BTreeMap;

use crate::signal::{Category, Language, Score};

/// Raw outputs nearer to 0 or 1 than this are taken as this near, so that log odds stay finite.
const NEAREST: f64 = 1e-7;

/// `probability = 1 / (1 + exp(−(slope · log odds + offset)))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve {
    slope: f64,
    offset: f64,
}

impl Curve {
    /// A rising curve; nothing when a number is out of bounds.
    pub fn new(slope: f64, offset: f64) -> Option<Self> {
        let fits = slope > 0.0 && slope <= 100.0 && (-100.0..=100.0).contains(&offset);
        fits.then_some(Self { slope, offset })
    }

    fn apply(self, raw: f64) -> f64 {
        let raw = raw.clamp(NEAREST, 1.0 - NEAREST);
        let odds = (raw / (1.0 - raw)).ln();
        1.0 / (1.0 + (-(self.slope * odds + self.offset)).exp())
    }
}

/// The curves of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration(BTreeMap<Category, BTreeMap<Language, Curve>>);

impl Calibration {
    /// Curves by category and language; `und` is for every language without its own.
    pub fn new(curves: BTreeMap<Category, BTreeMap<Language, Curve>>) -> Self {
        Self(curves)
    }

    /// The score for a raw output; nothing when the output is no probability.
    pub fn score(
        &self,
        category: &Category,
        language: Option<Language>,
        raw: f64,
    ) -> Option<Score> {
        if !(0.0..=1.0).contains(&raw) {
            return None;
        }
        let curves = self.0.get(category)?;
        let own = language.and_then(|language| curves.get(&language));
        Score::new(own.or_else(|| curves.get(&Language::UNDETERMINED))?.apply(raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> (Calibration, Category) {
        let zh = Language::new("zh").expect("a code");
        let curves = [
            (Language::UNDETERMINED, Curve::new(1.0, 0.0).expect("in bounds")),
            (zh, Curve::new(2.0, -1.0).expect("in bounds")),
        ];
        let hate = Category::new("hate");
        (Calibration::new([(hate.clone(), curves.into())].into()), hate)
    }

    #[test]
    fn a_language_has_its_own_curve_or_the_common_one() {
        let (calibration, hate) = calibration();
        let score = |language: &str, raw| {
            let score = calibration.score(&hate, Language::new(language), raw);
            score.map(Score::thousandths)
        };
        assert_eq!(score("de", 0.5), Some(500));
        assert_eq!(score("zh", 0.5), Some(269), "1 / (1 + e)");
        assert_eq!(score("de", 0.0), Some(0));
        assert_eq!(score("de", 1.0), Some(1000));
        assert_eq!(score("de", f64::NAN), None);
        assert_eq!(score("de", 1.5), None);
    }

    #[test]
    fn a_falling_curve_is_refused() {
        assert_eq!(Curve::new(0.0, 1.0), None);
        assert_eq!(Curve::new(-1.0, 1.0), None);
        assert_eq!(Curve::new(f64::NAN, 1.0), None);
    }
}
