//! What a text says once it is read the way a person reads it.
//!
//! A *view* is a folded copy of a text that keeps the way back to the original: [`standard`] undoes
//! differences of encoding, [`skeleton`] undoes disguise. Nothing here knows rules or policies.

mod normalized;
mod span;

pub use normalized::NormalizedText;
pub use span::{Normalized, Original, Span, Utf16, offset};

/// How far a text is folded before it is matched; the order is the order of cost and of weakness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// As written.
    Raw,
    /// Differences of encoding undone.
    Standard,
    /// Disguise undone.
    Skeleton,
    /// Sounds instead of signs, for entries that ask.
    Phonetic,
}

impl View {
    /// Every view.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Standard, Self::Skeleton, Self::Phonetic];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Standard => "standard",
            Self::Skeleton => "skeleton",
            Self::Phonetic => "phonetic",
        }
    }
}
