//! The `hf_tokenizer` encoder: from a text to windows of token ids, by a model's own `tokenizer.json`.
//!
//! The one place that knows the tokenizers library. What its file says about truncation and padding
//! does not count: windows are ours ([`super::tokens`]). It fails over a text that the tokenizer
//! cannot take, such as one with letters it does not know where it has no token for those.

use tokenizers::Tokenizer;

use super::{
    EncodeError,
    tokens::{TokenParameters, pieces, shortened},
};

/// A text of which every tokenizer makes a token, to see what stands around it.
const PROBE: &str = "a";

/// Turns texts into windows of ids; shared by all threads.
pub struct TokenEncoder {
    tokenizer: Box<Tokenizer>,
    parameters: TokenParameters,
    /// The special tokens before and behind each window.
    around: (Vec<i32>, Vec<i32>),
    largest: i32,
}

impl std::fmt::Debug for TokenEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenEncoder").field("parameters", &self.parameters).finish()
    }
}

impl TokenEncoder {
    /// The encoder of a `tokenizer.json`; one sentence where it cannot be used.
    pub fn new(file: &[u8], parameters: TokenParameters) -> Result<Self, String> {
        let mut tokenizer = Tokenizer::from_bytes(file)
            .map_err(|error| format!("it is no tokenizer that is known here: {error}"))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        let largest = tokenizer.get_vocab(true).into_values().max();
        let largest = largest.ok_or("it has no token")?;
        let largest = i32::try_from(largest).map_err(|_| format!("{largest} is no token id"))?;
        let around = around(&tokenizer)?;
        let special = around.0.len() + around.1.len();
        if special >= parameters.window {
            let window = parameters.window;
            return Err(format!(
                "its {special} special tokens leave no room in a window of {window}"
            ));
        }
        Ok(Self { tokenizer: Box::new(tokenizer), parameters, around, largest })
    }

    /// Its parameters.
    pub fn parameters(&self) -> &TokenParameters {
        &self.parameters
    }

    /// The largest id that it gives.
    pub fn largest(&self) -> i32 {
        self.largest
    }

    /// Calls `take` with the ids of each window of `text`, one to `windows` times.
    pub fn encode(&self, text: &str, mut take: impl FnMut(Vec<i32>)) -> Result<(), EncodeError> {
        let encoding = self
            .tokenizer
            .encode_fast(&*shortened(text), false)
            .map_err(|error| EncodeError(error.to_string()))?;
        let TokenParameters { windows, .. } = self.parameters;
        for piece in pieces(encoding.get_ids(), self.room(), windows) {
            take(self.window(piece.iter().map(|&id| signed(id))));
        }
        Ok(())
    }

    /// A window with as many tokens as it may have, all of them the last of the vocabulary.
    pub fn widest(&self) -> Vec<i32> {
        self.window(std::iter::repeat_n(self.largest, self.room()))
    }

    fn room(&self) -> usize {
        self.parameters.window - self.around.0.len() - self.around.1.len()
    }

    fn window(&self, piece: impl Iterator<Item = i32>) -> Vec<i32> {
        let (before, behind) = &self.around;
        before.iter().copied().chain(piece).chain(behind.iter().copied()).collect()
    }
}

/// What the post-processor puts around a text.
fn around(tokenizer: &Tokenizer) -> Result<(Vec<i32>, Vec<i32>), String> {
    let encoding = tokenizer.encode_fast(PROBE, true).map_err(|error| error.to_string())?;
    let (ids, special) = (encoding.get_ids(), encoding.get_special_tokens_mask());
    let is_text = |&&mask: &&u32| mask == 0;
    let before = special.iter().take_while(|mask| !is_text(mask)).count();
    let behind = special.iter().rev().take_while(|mask| !is_text(mask)).count();
    if before == ids.len() {
        return Err(format!("it makes nothing of the text `{PROBE}`"));
    }
    let ids: Vec<i32> = ids.iter().map(|&id| signed(id)).collect();
    Ok((ids[..before].to_vec(), ids[ids.len() - behind..].to_vec()))
}

fn signed(id: u32) -> i32 {
    i32::try_from(id).expect("no id is larger than the largest of the vocabulary")
}
