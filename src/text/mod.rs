//! What a text says once it is read the way a person reads it.
//!
//! A *view* is a folded copy of a text that keeps the way back to the original: [`standard`] undoes
//! differences of encoding, [`skeleton`] undoes disguise. Beside them stand the questions that are
//! asked of the original: where a word may begin and end, and which languages it speaks.
//!
//! Nothing here knows rules or policies, and nothing here fails: every function answers for every
//! text, in time that grows with its length.

pub mod addresses;
mod alphabets;
mod blocks;
mod edges;
mod function_words;
mod language;
mod normalize;
mod normalized;
mod particles;
mod scripts;
mod span;
mod tally;
mod utf16;

pub use edges::{left_edge, right_edge};
pub use language::{
    Basis, SentenceLanguage, language_of_sentence, languages, sentence, sentence_language, spoken,
};
pub use normalize::{
    Form, SYLLABLES_MIN, SYLLABLES_MIN_NEAR, Skeleton, SkeletonLiteral, SyllablePairs, phonetic,
    phonetic_literals, skeleton, skeleton_literal, skeletons, standard, standard_literal,
    standard_literal_among_kana, syllables,
};
pub use normalized::NormalizedText;
pub use scripts::{is_spacing, is_syllable, is_unseen};
pub use span::{Normalized, Original, Span, Utf16, offset};
pub use utf16::Utf16Cursor;

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
