//! What follows while the model gives no answer.

use super::{codes, context::Context};
use crate::{diagnostic::Diagnostic, signal::Category, yaml::Keys};

/// What a category's policy says for the time without a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallback {
    /// Rules alone decide.
    Allow,
    /// Review when a rule of any status saw something of the category.
    ReviewIfSignal,
    /// Review everything.
    ReviewAll,
}

/// An entry of `when_model_unavailable`.
#[derive(Debug, Clone)]
pub(super) struct UnavailableEntry {
    pub(super) category: Category,
    pub(super) fallback: Fallback,
}

impl Fallback {
    const ALL: [Self; 3] = [Self::Allow, Self::ReviewIfSignal, Self::ReviewAll];

    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ReviewIfSignal => "review_if_signal",
            Self::ReviewAll => "review_all",
        }
    }

    /// Reads `when_model_unavailable`.
    pub(super) fn read(context: Context<'_, '_>, keys: &mut Keys<'_>) -> Vec<UnavailableEntry> {
        let reader = context.reader;
        let Some(keys) = keys.take("when_model_unavailable").and_then(|node| reader.keys(node))
        else {
            return Vec::new();
        };
        let entries = keys.entries().iter().filter_map(|entry| {
            let category = context.category_of(&entry.key, &entry.key_range)?;
            let fallback = reader.choice(&entry.value, &Self::ALL, Self::as_str)?;
            context.evidence(&category, None, &entry.key_range);
            if fallback == Self::ReviewAll {
                let message = "without the model every post of these regions would go to review";
                let location = reader.location(&entry.key_range);
                let warning = Diagnostic::warning(codes::REVIEW_OF_ALL, location, message);
                reader
                    .push(warning.help("`review_if_signal` asks only where a rule saw something"));
            }
            Some(UnavailableEntry { category, fallback })
        });
        entries.collect()
    }
}
