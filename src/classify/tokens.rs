//! The `hf_tokenizer` encoder, as far as it needs no tokenizer: its parameters and its windows.
//!
//! 1. **Text**: as for the n-grams. One of more than [`TEXT_POINTS_MAX`] code points is read at its
//!    two ends: so many halves of it, a newline between them.
//! 2. **Windows**: the tokens of the whole text, special ones left out, are cut into pieces that leave
//!    room for those; where there are more pieces than `windows`, those at evenly spread places are
//!    read, as [`super::encode`] does. Each piece then gets the special tokens of the tokenizer's
//!    own post-processor around it. The raw probability of a label is the highest of its windows.
//!
//! It knows no tokenizer and no ONNX, and it cannot fail.

use std::borrow::Cow;

/// Most code points that are tokenised: more costs time and is hardly read.
pub const TEXT_POINTS_MAX: usize = 20_000;

/// Parameters of the encoder, from `model.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenParameters {
    /// Most tokens of a window, special ones included.
    pub window: usize,
    /// Most windows of a text.
    pub windows: usize,
    /// The id that fills a row.
    pub pad: i32,
    /// What the network reads.
    pub inputs: Vec<TokenInput>,
    /// Most windows of one inference. With 1, nothing about a post's neighbours reaches its scores.
    pub batch: usize,
}

/// An input of the network: `int64` of `[windows, tokens]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenInput {
    /// The ids.
    Ids,
    /// 1 for a token, 0 for padding.
    Mask,
    /// Which of two texts a token is of; there is one text, so 0.
    Types,
}

impl TokenInput {
    /// Every input.
    pub const ALL: [Self; 3] = [Self::Ids, Self::Mask, Self::Types];

    /// The name in the network and in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ids => "input_ids",
            Self::Mask => "attention_mask",
            Self::Types => "token_type_ids",
        }
    }
}

/// The text, or its two ends where it is too long.
pub fn shortened(text: &str) -> Cow<'_, str> {
    // Fewer bytes cannot be more code points.
    if text.len() <= TEXT_POINTS_MAX {
        return Cow::Borrowed(text);
    }
    let points = text.chars().count();
    if points <= TEXT_POINTS_MAX {
        return Cow::Borrowed(text);
    }
    let half = TEXT_POINTS_MAX / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(points - half).collect();
    Cow::Owned(format!("{head}\n{tail}"))
}

/// The pieces of `tokens` that are read, each of at most `room`; an empty text has one empty piece.
pub fn pieces<T>(tokens: &[T], room: usize, windows: usize) -> impl Iterator<Item = &[T]> {
    let count = tokens.len().div_ceil(room).max(1);
    let kept = count.min(windows);
    (0..kept).map(move |i| {
        let number = if kept == 1 { 0 } else { i * (count - 1) / (kept - 1) };
        let start = number * room;
        &tokens[start..(start + room).min(tokens.len())]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_read_at_evenly_spread_pieces() {
        let read = |tokens: u32, windows| -> Vec<Vec<u32>> {
            let tokens: Vec<u32> = (0..tokens).collect();
            pieces(&tokens, 2, windows).map(<[u32]>::to_vec).collect()
        };
        assert_eq!(read(0, 3), [Vec::<u32>::new()], "an empty text has one empty piece");
        assert_eq!(read(3, 3), [vec![0, 1], vec![2]]);
        assert_eq!(read(11, 3), [vec![0, 1], vec![4, 5], vec![10]], "first, middle, last of six");
        assert_eq!(read(11, 1), [vec![0, 1]]);
    }

    #[test]
    fn the_ends_of_a_very_long_text_are_read() {
        let short = "很".repeat(TEXT_POINTS_MAX);
        assert!(matches!(shortened(&short), Cow::Borrowed(_)), "bytes are not code points");
        let long = format!("a{}z", "很".repeat(TEXT_POINTS_MAX));
        let read = shortened(&long);
        assert_eq!(read.chars().count(), TEXT_POINTS_MAX + 1);
        assert!(read.starts_with('a') && read.ends_with('z') && read.contains('\n'));
    }
}
