//! The part of a manifest that says how texts become what the network reads, and how its outputs
//! become probabilities.

use crate::{
    classify::{
        encode::{Parameters, Sizes},
        tokens::{TokenInput, TokenParameters},
    },
    yaml::{Keys, Node, Reader},
};

/// Most code points of a window.
const WINDOW_MAX: usize = 8192;
/// Fewest and most tokens of a window: room for special tokens and some text, and what a network of
/// this kind was made for.
const TOKENS: (usize, usize) = (8, 512);
/// Most windows of a text.
const WINDOWS_MAX: usize = 64;
/// Most windows of one inference that a manifest may ask for.
const BATCH_MAX: usize = 32;
/// Largest id of a padding token.
const PAD_MAX: usize = 10_000_000;

/// How texts become ids, and the file that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncoderSpec {
    /// `hashed_ngrams`.
    NGrams {
        /// Its parameters.
        parameters: Parameters,
        /// The file with the vocabulary.
        vocabulary: String,
    },
    /// `hf_tokenizer`.
    Tokens {
        /// Its parameters.
        parameters: TokenParameters,
        /// The file with the tokenizer.
        tokenizer: String,
    },
}

impl EncoderSpec {
    /// The file that it reads.
    pub fn file(&self) -> &str {
        match self {
            Self::NGrams { vocabulary: file, .. } | Self::Tokens { tokenizer: file, .. } => file,
        }
    }

    /// Its name in manifests.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NGrams { .. } => Kind::NGrams.name(),
            Self::Tokens { .. } => Kind::Tokens.name(),
        }
    }
}

/// From the network's outputs to raw probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The outputs are probabilities.
    Probabilities,
    /// Each output is the log odds of its label: labels that may hold together.
    Sigmoid,
    /// The outputs are log weights of labels of which one holds.
    Softmax,
}

impl Head {
    /// Those that a manifest may name.
    const NAMED: [Self; 2] = [Self::Sigmoid, Self::Softmax];

    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Probabilities => "probabilities",
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NGrams,
    Tokens,
}

impl Kind {
    const ALL: [Self; 2] = [Self::NGrams, Self::Tokens];

    fn name(self) -> &'static str {
        match self {
            Self::NGrams => "hashed_ngrams",
            Self::Tokens => "hf_tokenizer",
        }
    }
}

pub(super) fn read(node: &Node, reader: &Reader<'_>) -> Option<EncoderSpec> {
    let mut keys = reader.keys(node)?;
    let kind = keys.require("kind", reader)?;
    let name = reader.filled(kind)?;
    let Some(known) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
        let help = "this version of Tidegate knows `hashed_ngrams` and `hf_tokenizer`";
        reader.error_help(&kind.range, "M001", "the encoder is not known", help);
        return None;
    };
    let encoder = match known {
        Kind::NGrams => ngrams(&mut keys, reader),
        Kind::Tokens => tokens(&mut keys, reader),
    };
    reader.finish(&keys);
    encoder
}

pub(super) fn head(keys: &mut Keys<'_>, reader: &Reader<'_>) -> Option<Head> {
    keys.require("head", reader).and_then(|n| reader.choice(n, &Head::NAMED, Head::as_str))
}

fn ngrams(keys: &mut Keys<'_>, reader: &Reader<'_>) -> Option<EncoderSpec> {
    let vocabulary = keys.require("vocabulary", reader).and_then(|node| reader.filled(node));
    let word = sizes("word", keys, reader);
    let han = sizes("han", keys, reader);
    let brahmic = sizes("brahmic", keys, reader);
    let hangul = sizes("hangul", keys, reader);
    let window = number("window", (1, WINDOW_MAX), keys, reader);
    let windows = number("windows", (1, WINDOWS_MAX), keys, reader);
    let parameters = Parameters {
        word: word?,
        han: han?,
        brahmic: brahmic?,
        hangul: hangul?,
        window: window?,
        windows: windows?,
    };
    Some(EncoderSpec::NGrams { parameters, vocabulary: vocabulary?.to_owned() })
}

fn tokens(keys: &mut Keys<'_>, reader: &Reader<'_>) -> Option<EncoderSpec> {
    let tokenizer = keys.require("tokenizer", reader).and_then(|node| reader.filled(node));
    let window = number("window", TOKENS, keys, reader);
    let windows = number("windows", (1, WINDOWS_MAX), keys, reader);
    let pad = number("pad", (0, PAD_MAX), keys, reader);
    let inputs = keys.require("inputs", reader).and_then(|node| inputs(node, reader));
    let batch = optional_number("batch", (1, BATCH_MAX), keys, reader).unwrap_or(1);
    let parameters = TokenParameters {
        window: window?,
        windows: windows?,
        pad: i32::try_from(pad?).expect("its limit is small"),
        inputs: inputs?,
        batch,
    };
    Some(EncoderSpec::Tokens { parameters, tokenizer: tokenizer?.to_owned() })
}

fn inputs(node: &Node, reader: &Reader<'_>) -> Option<Vec<TokenInput>> {
    let name = |item| reader.choice(item, &TokenInput::ALL, TokenInput::as_str);
    let inputs: Vec<TokenInput> = reader.items(node).iter().filter_map(name).collect();
    let twice = inputs.iter().enumerate().any(|(at, input)| inputs[..at].contains(input));
    if twice || !inputs.contains(&TokenInput::Ids) {
        reader.error(&node.range, "M002", "`inputs` names `input_ids`, and each input once");
        return None;
    }
    Some(inputs)
}

fn sizes(key: &'static str, keys: &mut Keys<'_>, reader: &Reader<'_>) -> Option<Sizes> {
    let node = keys.require(key, reader)?;
    let mut all = Some(Sizes::default());
    for item in reader.items(node) {
        let size: u8 = reader.parsed(item, "a size")?;
        all = all.and_then(|sizes| sizes.with(size));
    }
    if all.is_none() {
        reader.error(&node.range, "M002", "n-gram sizes go from 1 to 8");
    }
    all
}

fn number(
    key: &'static str,
    range: (usize, usize),
    keys: &mut Keys<'_>,
    reader: &Reader<'_>,
) -> Option<usize> {
    checked(key, range, keys.require(key, reader)?, reader)
}

pub(super) fn optional_number(
    key: &'static str,
    range: (usize, usize),
    keys: &mut Keys<'_>,
    reader: &Reader<'_>,
) -> Option<usize> {
    checked(key, range, keys.take(key)?, reader)
}

fn checked(
    key: &'static str,
    (min, max): (usize, usize),
    node: &Node,
    reader: &Reader<'_>,
) -> Option<usize> {
    let value: usize = reader.parsed(node, "a whole number")?;
    if (min..=max).contains(&value) {
        return Some(value);
    }
    reader.error(&node.range, "M002", format!("`{key}` goes from {min} to {max}"));
    None
}
