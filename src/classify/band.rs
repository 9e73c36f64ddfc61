//! When a model is asked for a second opinion: in its languages, where the first model is unsure.
//!
//! Whether the answer could change anything is not known here: policies know that.

use std::collections::{BTreeMap, BTreeSet};

use crate::signal::{Category, Language, Score};

/// Where the first model's score of a category leaves room for another opinion; both ends count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    low: Score,
    high: Score,
}

impl Band {
    /// A band; nothing when its ends are the wrong way round.
    pub fn new(low: Score, high: Score) -> Option<Self> {
        (low <= high).then_some(Self { low, high })
    }

    /// Whether it holds `score`.
    pub fn holds(self, score: Score) -> bool {
        (self.low..=self.high).contains(&score)
    }
}

/// What a model says about when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The main languages of posts that it is asked about; never empty.
    pub languages: BTreeSet<Language>,
    /// The first model's scores at which it is asked, by category; never empty.
    pub bands: BTreeMap<Category, Band>,
}

impl Asked {
    /// The categories whose scores lie in their bands, in the order of their paths.
    pub fn unsure<'a>(&'a self, scores: &'a [(Category, Score)]) -> Vec<&'a Category> {
        let in_band = |(category, score): &&(Category, Score)| {
            self.bands.get(category).is_some_and(|band| band.holds(*score))
        };
        scores.iter().filter(in_band).map(|(category, _)| category).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(thousandths: u16) -> Score {
        Score::from_thousandths(thousandths).expect("in range")
    }

    #[test]
    fn both_ends_of_a_band_count_and_other_categories_do_not() {
        let hate = Category::new("hate");
        let band = Band::new(score(200), score(900)).expect("the lower end is first");
        let asked = Asked { languages: BTreeSet::new(), bands: [(hate.clone(), band)].into() };
        for (thousandths, unsure) in [(199, 0), (200, 1), (500, 1), (900, 1), (901, 0)] {
            let scores = [(hate.clone(), score(thousandths)), (Category::new("spam"), score(500))];
            assert_eq!(asked.unsure(&scores).len(), unsure, "{thousandths}");
        }
        assert_eq!(Band::new(score(2), score(1)), None);
    }
}
