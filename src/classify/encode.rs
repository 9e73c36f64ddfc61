//! The `hashed_ngrams` encoder: from a text to the ids of the n-grams that the model knows.
//!
//! This header is the specification; the training script repeats the arithmetic, and the golden
//! outputs of a model folder hold the two together. Everything is integers that wrap, and the classes
//! are plain ranges of code points, so that no Unicode version or platform can change an id.
//!
//! 1. **Text**: the standard views of title, body, tags, ocr, transcript and alt, joined by `\n`.
//! 2. **Windows**: a text of up to `window` code points is one window. A longer one is cut into
//!    `count = ⌈length / window⌉` pieces of `window` code points (the last may be shorter), of which
//!    `kept = min(count, windows)` are read: numbers `⌊i · (count − 1) / (kept − 1)⌋` for
//!    `i = 0 … kept − 1`, so that the beginning, the end and places evenly between are seen whatever
//!    the length. The scores of a text are the highest of its windows, label by label.
//! 3. **Runs**: each code point has a class ([`class_of`]). Spaces separate. A sign is a run of its
//!    own. Han (with kana and bopomofo), Brahmic (Thai, Lao, Tibetan, Burmese, Khmer), Hangul and
//!    word letters form the longest runs of one class.
//! 4. **Hash**: `h` starts with a seed; `step(h, c) = (h xor c) · 0x9E3779B97F4A7C15` modulo 2⁶⁴;
//!    `finish(h)`: `h ^= h >> 29`, `h *= 0xBF58476D1CE4E5B9`, `h ^= h >> 32`, the low 32 bits.
//! 5. **N-grams**, in this order run by run:
//!    - Han and Brahmic: from each code point of the run on, the n-grams of the class's sizes that fit
//!      into the run, shorter first; seeds 0x68 and 0x62.
//!    - A word, a Hangul run or a sign is a *token*: `t` = steps over its code points from seed 0x77.
//!      It gives `finish(t)`; if the run before it (spaces apart) was a token too, also
//!      `finish(step(t, p))`, where `p = t′ xor (t′ >> 31)` of that token; and, unless it is a sign,
//!      the n-grams of its class's sizes over the run with 1 put before it and 2 behind it, seed 0x67.
//! 6. **Ids**: the model's vocabulary is a sorted list of hashes. A hash at place `k` (from 0) has the
//!    id `k + 1`; any other is dropped. Repeats stay. Id 0 is padding.
//!
//! It knows no labels and no ONNX, and it cannot fail: an empty text has one window without ids.

use super::vocabulary::Vocabulary;

/// Largest n-gram.
pub const SIZE_MAX: u8 = 8;

/// Parameters of the encoder, from `model.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// Sizes inside words.
    pub word: Sizes,
    /// Sizes in Han and kana.
    pub han: Sizes,
    /// Sizes in Thai, Lao, Tibetan, Burmese and Khmer.
    pub brahmic: Sizes,
    /// Sizes in Hangul.
    pub hangul: Sizes,
    /// Code points of a window.
    pub window: usize,
    /// Most windows of a text.
    pub windows: usize,
}

/// A set of n-gram sizes, 1 to [`SIZE_MAX`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    mask: u16,
    largest: usize,
}

impl Sizes {
    /// The set with `size` added; nothing when it is 0 or over [`SIZE_MAX`].
    pub fn with(self, size: u8) -> Option<Self> {
        let largest = self.largest.max(usize::from(size));
        (1..=SIZE_MAX).contains(&size).then_some(Self { mask: self.mask | 1 << size, largest })
    }

    fn has(self, size: usize) -> bool {
        self.mask >> size & 1 == 1
    }
}

/// Turns texts into ids; shared by all threads.
#[derive(Debug)]
pub struct Encoder {
    parameters: Parameters,
    vocabulary: Vocabulary,
}

impl Encoder {
    /// An encoder of these parameters and this vocabulary.
    pub fn new(parameters: Parameters, vocabulary: Vocabulary) -> Self {
        Self { parameters, vocabulary }
    }

    /// Calls `take` with the ids of each window of `text`, one to `windows` times.
    pub fn encode(&self, text: &str, mut take: impl FnMut(Vec<i32>)) {
        let points: Vec<u32> = text.chars().map(u32::from).collect();
        let Parameters { window, windows, .. } = self.parameters;
        let count = points.len().div_ceil(window).max(1);
        let kept = count.min(windows);
        for i in 0..kept {
            let number = if kept == 1 { 0 } else { i * (count - 1) / (kept - 1) };
            let end = (number * window + window).min(points.len());
            let mut ids = Vec::with_capacity(256);
            self.window(&points[number * window..end], |hash| ids.extend(self.vocabulary.id(hash)));
            take(ids);
        }
    }

    fn window(&self, points: &[u32], mut emit: impl FnMut(u32)) {
        let mut padded = Vec::with_capacity(32);
        let mut before = None;
        let mut at = 0;
        while at < points.len() {
            let class = class_of(points[at]);
            let end = match class {
                Class::Space | Class::Sign => at + 1,
                _ => at + points[at..].iter().take_while(|&&p| class_of(p) == class).count(),
            };
            let run = &points[at..end];
            at = end;
            match class {
                Class::Space => {}
                Class::Han => {
                    grams(run, self.parameters.han, 0x68, &mut emit);
                    before = None;
                }
                Class::Brahmic => {
                    grams(run, self.parameters.brahmic, 0x62, &mut emit);
                    before = None;
                }
                Class::Sign | Class::Hangul | Class::Word => {
                    before = Some(token(run, before, &mut emit));
                    let sizes = match class {
                        Class::Hangul => self.parameters.hangul,
                        Class::Word => self.parameters.word,
                        _ => continue,
                    };
                    padded.clear();
                    padded.push(1);
                    padded.extend_from_slice(run);
                    padded.push(2);
                    grams(&padded, sizes, 0x67, &mut emit);
                }
            }
        }
    }
}

/// The token's own hash and its pair with the token before; returns what the next one pairs with.
fn token(run: &[u32], before: Option<u64>, emit: &mut impl FnMut(u32)) -> u64 {
    let hash = run.iter().fold(0x77, |h, &point| step(h, u64::from(point)));
    emit(finish(hash));
    if let Some(before) = before {
        emit(finish(step(hash, before)));
    }
    hash ^ hash >> 31
}

fn grams(run: &[u32], sizes: Sizes, seed: u64, emit: &mut impl FnMut(u32)) {
    for start in 0..run.len() {
        let mut hash = seed;
        for (index, &point) in run[start..].iter().take(sizes.largest).enumerate() {
            hash = step(hash, u64::from(point));
            if sizes.has(index + 1) {
                emit(finish(hash));
            }
        }
    }
}

fn step(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn finish(mut hash: u64) -> u32 {
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash ^= hash >> 32;
    u32::try_from(hash & 0xFFFF_FFFF).expect("the mask leaves 32 bits")
}

/// What a code point does in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Separates, and is in no n-gram.
    Space,
    /// Punctuation, symbols, emoji: each alone.
    Sign,
    /// Han, kana, bopomofo.
    Han,
    /// Thai, Lao, Tibetan, Burmese, Khmer.
    Brahmic,
    /// Korean syllables and letters.
    Hangul,
    /// Everything else: letters, marks and digits of scripts with spaces.
    Word,
}

/// The class of a code point, by ranges that never change.
pub const fn class_of(point: u32) -> Class {
    match point {
        0x00..=0x20
        | 0x7F..=0xA0
        | 0x1680
        | 0x2000..=0x200F
        | 0x2028..=0x202F
        | 0x205F..=0x206F
        | 0x3000
        | 0xFEFF => Class::Space,
        0x21..=0x2F
        | 0x3A..=0x40
        | 0x5B..=0x60
        | 0x7B..=0x7E
        | 0xA1..=0xA9
        | 0xAB..=0xB4
        | 0xB6..=0xB9
        | 0xBB..=0xBF
        | 0xD7
        | 0xF7
        | 0x0589..=0x058A
        | 0x05BE
        | 0x05F3..=0x05F4
        | 0x060C..=0x060D
        | 0x061B..=0x061F
        | 0x066A..=0x066D
        | 0x06D4
        | 0x0964..=0x0965
        | 0x1362..=0x1368
        | 0x2010..=0x2027
        | 0x2030..=0x205E
        | 0x20A0..=0x20CF
        | 0x2100..=0x2BFF
        | 0x3001..=0x3004
        | 0x3006..=0x303F
        | 0xFE10..=0xFE6F
        | 0xFF00..=0xFF65
        | 0xFFE0..=0xFFFD
        | 0x1F000..=0x1FAFF => Class::Sign,
        0x2E80..=0x2FDF
        | 0x3005
        | 0x3040..=0x312F
        | 0x31A0..=0x31FF
        | 0x3400..=0x9FFF
        | 0xF900..=0xFAFF
        | 0x20000..=0x3FFFF => Class::Han,
        0x0E00..=0x109F | 0x1780..=0x17FF | 0xA9E0..=0xA9FF | 0xAA60..=0xAA7F => Class::Brahmic,
        0x1100..=0x11FF | 0x3131..=0x318E | 0xA960..=0xA97F | 0xAC00..=0xD7FF => Class::Hangul,
        _ => Class::Word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(list: &[u8]) -> Sizes {
        list.iter().fold(Sizes::default(), |set, &n| set.with(n).expect("a size from 1 to 8"))
    }

    fn hashes(text: &str) -> Vec<u32> {
        let parameters = Parameters {
            word: sizes(&[3]),
            han: sizes(&[1, 2]),
            brahmic: sizes(&[2]),
            hangul: sizes(&[2]),
            window: 400,
            windows: 8,
        };
        let encoder = Encoder::new(parameters, Vocabulary::new(&[]).expect("an empty list"));
        let points: Vec<u32> = text.chars().map(u32::from).collect();
        let mut all = Vec::new();
        encoder.window(&points, |hash| all.push(hash));
        all
    }

    fn direct(seed: u64, points: &[u32]) -> u32 {
        finish(points.iter().fold(seed, |h, &p| step(h, u64::from(p))))
    }

    #[test]
    fn a_han_run_gives_its_characters_and_pairs_in_order() {
        let [a, b] = ['你', '好'].map(u32::from);
        let wanted = [direct(0x68, &[a]), direct(0x68, &[a, b]), direct(0x68, &[b])];
        assert_eq!(hashes("你好"), wanted);
        assert_eq!(hashes("你 好"), [wanted[0], wanted[2]], "a space ends a run");
    }

    #[test]
    fn a_word_is_a_token_with_padded_grams_and_pairs_with_the_token_before() {
        let [o, k] = ['o', 'k'].map(u32::from);
        let alone = hashes("ok");
        assert_eq!(
            alone,
            [direct(0x77, &[o, k]), direct(0x67, &[1, o, k]), direct(0x67, &[o, k, 2]),]
        );
        let after_sign = hashes("! ok");
        assert_eq!(after_sign.len(), 1 + alone.len() + 1, "the sign, the word, their pair");
        assert_ne!(after_sign[2], hashes("? ok")[2], "the pair depends on both");
        assert_eq!(hashes("好ok").len(), 1 + alone.len(), "Han takes part in no pair");
    }

    #[test]
    fn long_texts_are_read_at_evenly_spread_windows() {
        let parameters = Parameters {
            word: Sizes::default(),
            han: sizes(&[1]),
            brahmic: Sizes::default(),
            hangul: Sizes::default(),
            window: 2,
            windows: 3,
        };
        // One Han character a place, its number the place's; the vocabulary knows them all.
        let character = |i: u32| char::from_u32(0x4E00 + i).expect("a Han character");
        let mut known: Vec<u32> =
            (0..11).map(|i| direct(0x68, &[u32::from(character(i))])).collect();
        known.sort_unstable();
        let vocabulary = Vocabulary::new(&known).expect("sorted and distinct");
        let encoder = Encoder::new(parameters, vocabulary);
        let id = |i: u32| {
            let place = known.binary_search(&direct(0x68, &[u32::from(character(i))]));
            i32::try_from(place.expect("known") + 1).expect("small")
        };
        let windows = |length: u32| {
            let mut all = Vec::new();
            encoder.encode(&(0..length).map(character).collect::<String>(), |ids| all.push(ids));
            all
        };
        assert_eq!(windows(0), [Vec::<i32>::new()], "an empty text has one empty window");
        assert_eq!(windows(3), [vec![id(0), id(1)], vec![id(2)]]);
        let wanted = [vec![id(0), id(1)], vec![id(4), id(5)], vec![id(10)]];
        assert_eq!(windows(11), wanted, "first, middle and last of six");
    }

    #[test]
    fn every_code_point_has_a_class() {
        let samples = [
            ('a', Class::Word),
            ('é', Class::Word),
            ('ж', Class::Word),
            ('ض', Class::Word),
            ('अ', Class::Word),
            ('7', Class::Word),
            ('\n', Class::Space),
            (' ', Class::Space),
            ('、', Class::Sign),
            ('😀', Class::Sign),
            ('々', Class::Han),
            ('カ', Class::Han),
            ('𠮷', Class::Han),
            ('ไ', Class::Brahmic),
            ('ក', Class::Brahmic),
            ('한', Class::Hangul),
            ('ㅋ', Class::Hangul),
            ('\u{10FFFF}', Class::Word),
        ];
        for (character, class) in samples {
            assert_eq!(class_of(u32::from(character)), class, "{character:?}");
        }
    }
}
