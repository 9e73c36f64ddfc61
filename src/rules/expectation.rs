//! Where a rule's words are expected, and what follows where they stand in another language.

use std::ops::Range;

use super::ruleset::Rule;
use crate::{
    signal::{Language, Score},
    text::{SentenceLanguage, language_of_sentence, sentence},
};

/// From here on a sentence is confidently in its language, in thousandths.
const CONFIDENT: u16 = 900;
/// Letters a sentence needs to be confidently in a language.
const SENTENCE_LETTERS_MIN: u32 = 20;
/// Sentences of one post that are remembered.
const SENTENCES_MAX: usize = 16;
/// Where Chinese is written in traditional and in simplified characters.
const TRADITIONAL: [[u8; 2]; 3] = [*b"TW", *b"HK", *b"MO"];
const SIMPLIFIED: [[u8; 2]; 2] = [*b"CN", *b"SG"];

/// What follows where a find stands in a sentence of a language that the rule does not expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mismatch {
    /// It is weak evidence.
    #[default]
    Cap,
    /// Nothing: the words mean the same everywhere.
    Ignore,
    /// It is no find.
    Drop,
}

impl Mismatch {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Cap, Self::Ignore, Self::Drop];

    /// The name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cap => "cap",
            Self::Ignore => "ignore",
            Self::Drop => "drop",
        }
    }
}

/// A language with its variety, where one is named: `pt-BR`, `zh-Hant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageTag {
    /// The language.
    pub language: Language,
    script: Option<[u8; 4]>,
    region: Option<[u8; 2]>,
}

impl LanguageTag {
    /// A tag of a language, a script of four letters and a region of two, the last two optional.
    pub fn new(tag: &str) -> Option<Self> {
        let mut parts = tag.split(['-', '_']);
        let language = Language::new(&parts.next()?.to_ascii_lowercase())?;
        let mut read = Self { language, script: None, region: None };
        for part in parts {
            let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic());
            match part.len() {
                4 if letters && read.script.is_none() && read.region.is_none() => {
                    read.script = part.to_ascii_lowercase().into_bytes().try_into().ok();
                }
                2 if letters && read.region.is_none() => {
                    read.region = part.to_ascii_uppercase().into_bytes().try_into().ok();
                }
                _ => return None,
            }
        }
        Some(read)
    }

    /// What an author declared, as far as it can be read.
    pub fn declared(tag: &str) -> Option<Self> {
        let plain = || {
            let language = Language::of_tag(tag)?;
            Some(Self { language, script: None, region: None })
        };
        Self::new(tag).or_else(plain)
    }

    /// Whether a variety is named.
    pub(super) fn has_variety(self) -> bool {
        self.script.is_some() || self.region.is_some()
    }

    /// Whether both name varieties of one language that are not the same.
    fn differs(self, other: Self) -> bool {
        fn unlike<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.zip(other).is_some_and(|(one, other)| one != other)
        }
        self.language == other.language
            && (unlike(self.writing(), other.writing()) || unlike(self.region, other.region))
    }

    /// The script, which a region may imply.
    fn writing(self) -> Option<[u8; 4]> {
        let chinese = self.region.filter(|_| self.language.as_str() == "zh");
        self.script.or(match chinese {
            Some(region) if TRADITIONAL.contains(&region) => Some(*b"hant"),
            Some(region) if SIMPLIFIED.contains(&region) => Some(*b"hans"),
            _ => None,
        })
    }
}

/// Sentences of one post whose languages are known: many rules ask about few of them.
#[derive(Debug, Default)]
pub(super) struct Sentences(Vec<(usize, Range<usize>, SentenceLanguage)>);

impl Sentences {
    /// The language of the sentence around a place in a text, which is the post's `part`th.
    fn language(&mut self, part: usize, original: &str, span: Range<usize>) -> SentenceLanguage {
        let place = sentence(original, span);
        let known = self.0.iter().find(|(of, range, _)| (*of, range) == (part, &place));
        if let Some(&(_, _, language)) = known {
            return language;
        }
        let language = language_of_sentence(&original[place.clone()]);
        if self.0.len() < SENTENCES_MAX {
            self.0.push((part, place, language));
        }
        language
    }
}

/// Whether the sentence around a find is confidently in none of the rule's languages, or its author
/// declared another variety of one of them. `part` is the place of the find's text in the post.
pub(super) fn is_elsewhere(
    rule: &Rule,
    (part, original): (usize, &str),
    span: Range<usize>,
    declared: Option<LanguageTag>,
    sentences: &mut Sentences,
) -> bool {
    if rule.languages.is_empty() || rule.mismatch == Mismatch::Ignore {
        return false;
    }
    let sentence = sentences.language(part, original, span);
    let confident = Score::from_thousandths(CONFIDENT).is_some_and(|c| sentence.confidence >= c)
        && sentence.letters >= SENTENCE_LETTERS_MIN;
    let expects = |language| rule.languages.iter().any(|tag| tag.language == language);
    if confident && !expects(sentence.language) {
        return true;
    }
    declared.is_some_and(|declared| {
        let spoken = !confident || sentence.language == declared.language;
        let of_language = || rule.languages.iter().filter(|tag| tag.language == declared.language);
        spoken && of_language().next().is_some() && of_language().all(|tag| tag.differs(declared))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_language_a_script_and_a_region() {
        for tag in ["pt", "pt-BR", "PT_br", "zh-Hant", "zh-Hant-TW", "yue"] {
            assert!(LanguageTag::new(tag).is_some(), "{tag}");
        }
        for tag in ["", "p", "portuguese", "pt-Brazil", "pt-BR-BR", "zh-TW-Hant", "pt-", "pt-B1"] {
            assert!(LanguageTag::new(tag).is_none(), "{tag}");
        }
        assert_eq!(LanguageTag::declared("en-x-twain"), LanguageTag::new("en"));
    }

    #[test]
    fn varieties_differ_only_where_both_are_known() {
        for (rule, post, expected) in [
            ("pt-BR", "pt-PT", true),
            ("pt-BR", "pt-br", false),
            ("pt-BR", "pt", false),
            ("pt", "pt-PT", false),
            ("zh-Hant", "zh-CN", true),
            ("zh-Hant", "zh-TW", false),
            ("zh-Hans", "zh-Hant-HK", true),
            ("en-GB", "pt-BR", false),
        ] {
            let tag = |tag| LanguageTag::new(tag).expect("a tag");
            assert_eq!(tag(rule).differs(tag(post)), expected, "{rule} {post}");
        }
    }
}
