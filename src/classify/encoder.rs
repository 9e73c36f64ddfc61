//! From a text to what a network reads: the two encoders behind one face.

use super::{EncodeError, encode::Encoder, tokenizer::TokenEncoder};

/// Turns texts into windows of ids; shared by all threads.
#[derive(Debug)]
pub enum TextEncoder {
    /// `hashed_ngrams`.
    NGrams(Encoder),
    /// `hf_tokenizer`.
    Tokens(TokenEncoder),
}

impl TextEncoder {
    /// Calls `take` with the ids of each window of `text`, at least once unless it fails.
    pub fn encode(&self, text: &str, take: impl FnMut(Vec<i32>)) -> Result<(), EncodeError> {
        match self {
            Self::NGrams(encoder) => {
                encoder.encode(text, take);
                Ok(())
            }
            Self::Tokens(encoder) => encoder.encode(text, take),
        }
    }
}
