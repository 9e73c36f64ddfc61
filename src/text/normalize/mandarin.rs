//! The syllables of Mandarin without their tones: what Han are read as, and what letters spell one.
//!
//! Each syllable is one character of a private range. Han are read in their most frequent way
//! (`pinyin`, whose data is Unicode's `kMandarin` and dictionaries).

use std::{ops::RangeInclusive, sync::LazyLock};

use pinyin::{ToPinyin, ToPinyinMulti};

use crate::text::blocks::Blocks;

/// Letters of a word that is read as syllables.
pub(super) const WORD_MAX: usize = 40;
/// Where the characters that stand for syllables begin.
const FIRST: char = '\u{E000}';
/// More syllables than there are, a power of two.
const COUNT_MAX: usize = 512;
/// Han with a reading: beyond the second plane there are none.
const HAN: [RangeInclusive<char>; 2] = ['\u{3400}'..='\u{9FFF}', '\u{20000}'..='\u{323AF}'];

/// Every syllable that some character is read as, sorted.
static SYLLABLES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let read = HAN[0].clone().filter_map(|ch| ch.to_pinyin()).map(pinyin::Pinyin::plain);
    let mut all: Vec<&str> = read.filter(|syllable| syllable.len() > 1).collect();
    all.extend(["a", "e", "o"]);
    all.sort_unstable();
    all.dedup();
    assert!(all.len() <= COUNT_MAX, "Mandarin has some 400 syllables");
    all
});

static OF_HAN: Blocks<Option<char>> = Blocks::new(|ch| {
    let is_han = HAN.iter().any(|range| range.contains(&ch));
    known(is_han.then(|| ch.to_pinyin()).flatten()?.plain())
});

/// What a Han character is read as.
pub(super) fn of_han(ch: char) -> Option<char> {
    if ch.is_ascii() { None } else { *OF_HAN.get(ch) }
}

/// Everything that a Han character is read as, the most frequent first.
pub(super) fn readings(ch: char) -> Vec<char> {
    let others = ch.to_pinyin_multi().into_iter().flatten();
    let others = others.filter_map(|reading| known(reading.plain()));
    let mut readings: Vec<char> = Vec::new();
    for reading in of_han(ch).into_iter().chain(others) {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

/// Whether a character stands for a syllable.
pub(super) fn is_syllable(ch: char) -> bool {
    number(ch).is_some()
}

/// A word of ASCII letters as syllables with the number of their letters: the fewest that make it up,
/// of as few the ones that begin with the longest. Nothing where it is none.
pub(super) fn spelled(word: &[u8]) -> Option<Vec<(char, usize)>> {
    let (first, last) = (word.first()?, word.last()?);
    // No syllable begins or ends with any other letter.
    let may_be = !matches!(first, b'i' | b'u' | b'v')
        && matches!(last, b'a' | b'e' | b'i' | b'o' | b'u' | b'v' | b'n' | b'g' | b'r');
    if word.len() > WORD_MAX || !may_be || !ends_in_syllable(word) {
        return None;
    }
    // From the end on: how many syllables lead from each place to the end, and the first of them.
    let mut best: [Option<(usize, char, usize)>; WORD_MAX + 1] = [None; WORD_MAX + 1];
    for at in (0..word.len()).rev() {
        for (len, syllable) in SPELLING.beginning(&word[at..]) {
            let rest = if at + len == word.len() { Some(0) } else { best[at + len].map(|b| b.0) };
            let Some(rest) = rest else { continue };
            if best[at].is_none_or(|(count, ..)| rest < count) {
                best[at] = Some((rest + 1, syllable, len));
            }
        }
    }
    let mut read = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let (_, syllable, len) = best[at]?;
        read.push((syllable, len));
        at += len;
    }
    Some(read)
}

/// Whether syllables lead from the start of a word to its end: most words that are no pinyin fail at
/// the first letters.
fn ends_in_syllable(word: &[u8]) -> bool {
    let mut reached = 1_u64;
    for at in 0..word.len() {
        if reached >> at == 0 {
            return false;
        }
        if reached >> at & 1 == 1 {
            for (len, _) in SPELLING.beginning(&word[at..]) {
                reached |= 1 << (at + len);
            }
        }
    }
    reached >> word.len() & 1 == 1
}

/// Pairs of syllables.
#[derive(Debug)]
pub struct SyllablePairs(Box<[u64]>);

impl Default for SyllablePairs {
    fn default() -> Self {
        Self(vec![0; COUNT_MAX * COUNT_MAX / 64].into())
    }
}

impl SyllablePairs {
    /// Adds the first two syllables of a text of syllables.
    pub fn add_beginning(&mut self, text: &str) {
        let mut numbers = text.chars().filter_map(number);
        if let (Some(first), Some(second)) = (numbers.next(), numbers.next()) {
            let at = first * COUNT_MAX + second;
            self.0[at / 64] |= 1 << (at % 64);
        }
    }

    pub(super) fn contains(&self, first: char, second: char) -> bool {
        let at = number(first).zip(number(second)).map(|(one, two)| one * COUNT_MAX + two);
        at.is_some_and(|at| self.0[at / 64] >> (at % 64) & 1 == 1)
    }
}

/// The character of a syllable.
fn known(syllable: &str) -> Option<char> {
    let number = SYLLABLES.binary_search(&syllable).ok()?;
    char::from_u32(u32::from(FIRST) + u32::try_from(number).ok()?)
}

/// Its place among all.
fn number(ch: char) -> Option<usize> {
    let number = usize::try_from(u32::from(ch).checked_sub(u32::from(FIRST))?).ok()?;
    (number < COUNT_MAX).then_some(number)
}

static SPELLING: LazyLock<Spelling> = LazyLock::new(Spelling::new);

/// The syllables letter by letter, with ü written as it is typed, `v`.
struct Spelling(Vec<Node>);

#[derive(Default, Clone, Copy)]
struct Node {
    /// The node of each next letter; 0 is none, for no letter leads back to the root.
    next: [u16; 26],
    syllable: Option<char>,
}

impl Spelling {
    fn new() -> Self {
        let mut nodes = vec![Node::default()];
        for syllable in SYLLABLES.iter() {
            let mut at = 0;
            for letter in syllable.replace('ü', "v").bytes().filter_map(place) {
                let added = nodes.len();
                let next = &mut nodes[at].next[letter];
                if *next == 0 {
                    *next = u16::try_from(added).expect("a few hundred syllables of six letters");
                }
                at = usize::from(*next);
                if at == added {
                    nodes.push(Node::default());
                }
            }
            nodes[at].syllable = known(syllable);
        }
        Self(nodes)
    }

    /// Every syllable that a word of ASCII letters begins with, the shortest first, with its length.
    fn beginning(&self, word: &[u8]) -> impl Iterator<Item = (usize, char)> {
        let mut node = self.0.first();
        let step = move |letter: &u8| {
            let next = node.zip(place(*letter)).map(|(node, at)| usize::from(node.next[at]));
            node = next.filter(|&next| next > 0).and_then(|next| self.0.get(next));
            node
        };
        let nodes = word.iter().map_while(step).enumerate();
        nodes.filter_map(|(at, node)| node.syllable.map(|syllable| (at + 1, syllable)))
    }
}

/// The place of a small letter in the alphabet.
fn place(letter: u8) -> Option<usize> {
    letter.is_ascii_lowercase().then(|| usize::from(letter - b'a'))
}
