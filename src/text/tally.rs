//! The letters of a text, counted by script, with a sample of every script that languages share.

use unicode_script::Script;

use super::{
    scripts::{is_letter, script},
    span::offset,
};

/// Bytes of a script that are looked at; more say the same.
const SAMPLE_MAX: usize = 1200;

/// Letters by what they say of the language.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) latin: Sample,
    pub(super) cyrillic: Sample,
    pub(super) arabic: Sample,
    pub(super) devanagari: Sample,
    pub(super) bengali: Sample,
    pub(super) chinese: u32,
    pub(super) japanese: u32,
    /// Han and kana of the segment at hand.
    segment: (u32, u32),
    kana: u32,
    /// Scripts that one language has to itself.
    pub(super) settled: Vec<(&'static str, u32)>,
    pub(super) other: u32,
}

/// Some words of one script, and how many letters of it there were altogether.
#[derive(Default)]
pub(super) struct Sample {
    pub(super) text: String,
    pub(super) letters: u32,
}

impl Sample {
    fn push(&mut self, ch: char) {
        self.letters += 1;
        if self.text.len() < SAMPLE_MAX {
            self.text.push(ch);
        }
    }

    /// Letters of ASCII in a row.
    fn push_ascii(&mut self, letters: &str) {
        self.letters += offset(letters.len());
        if self.text.len() < SAMPLE_MAX {
            self.text.push_str(letters);
        }
    }

    fn end_word(&mut self, apostrophe: bool) {
        let open = self.text.as_bytes().last().is_some_and(|last| !matches!(last, b' ' | b'\''));
        if open && self.text.len() < SAMPLE_MAX {
            self.text.push(if apostrophe { '\'' } else { ' ' });
        }
    }
}

impl Tally {
    /// Counts a text in the standard view, in which white space is spaces and line breaks.
    pub(super) fn of(text: &str) -> Self {
        let mut tally = Self::default();
        for line in text.split('\n') {
            for token in line.split(' ').filter(|token| !is_address(token)) {
                tally.token(token);
                tally.end_words(false);
            }
            tally.end_segment();
        }
        // A Japanese post may have a sentence without kana.
        if tally.kana * 4 >= tally.chinese + tally.japanese {
            tally.japanese += std::mem::take(&mut tally.chinese);
        }
        tally
    }

    fn token(&mut self, token: &str) {
        let mut rest = token;
        while !rest.is_empty() {
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (latin, other) = rest.split_at(letters);
            self.latin.push_ascii(latin);
            let mut chars = other.chars();
            if let Some(ch) = chars.next() {
                self.push(ch);
            }
            rest = chars.as_str();
        }
    }

    fn push(&mut self, ch: char) {
        if !is_letter(ch) {
            if matches!(ch, '。' | '!' | '?') {
                self.end_segment();
            }
            return self.end_words(matches!(ch, '\'' | '’'));
        }
        match script(ch) {
            Script::Han => self.segment.0 += 1,
            Script::Hiragana | Script::Katakana => self.segment.1 += 1,
            Script::Latin => self.latin.push(ch),
            Script::Cyrillic => self.cyrillic.push(ch),
            Script::Arabic => self.arabic.push(ch),
            Script::Devanagari => self.devanagari.push(ch),
            Script::Bengali => self.bengali.push(ch),
            script => match of_script(script) {
                Some(code) => match self.settled.iter_mut().find(|(known, _)| *known == code) {
                    Some((_, letters)) => *letters += 1,
                    None => self.settled.push((code, 1)),
                },
                None if script == Script::Common => {}
                None => self.other += 1,
            },
        }
    }

    fn end_words(&mut self, apostrophe: bool) {
        for sample in [&mut self.latin, &mut self.cyrillic, &mut self.arabic, &mut self.devanagari]
        {
            sample.end_word(apostrophe);
        }
    }

    /// Han are Japanese where a sixth or more of the segment is kana.
    fn end_segment(&mut self) {
        let (han, kana) = std::mem::take(&mut self.segment);
        self.kana += kana;
        self.japanese += kana;
        if kana * 5 >= han {
            self.japanese += han;
        } else {
            self.chinese += han;
        }
    }
}

/// The language of a script that one language has nearly to itself.
fn of_script(script: Script) -> Option<&'static str> {
    Some(match script {
        Script::Hangul => "ko",
        Script::Thai => "th",
        Script::Lao => "lo",
        Script::Khmer => "km",
        Script::Myanmar => "my",
        Script::Greek => "el",
        Script::Hebrew => "he",
        Script::Tamil => "ta",
        Script::Telugu => "te",
        Script::Kannada => "kn",
        Script::Malayalam => "ml",
        Script::Gujarati => "gu",
        Script::Gurmukhi => "pa",
        Script::Oriya => "or",
        Script::Sinhala => "si",
        Script::Georgian => "ka",
        Script::Armenian => "hy",
        Script::Ethiopic => "am",
        Script::Tibetan => "bo",
        Script::Bopomofo => "zh",
        _ => return None,
    })
}

/// An address or a name, which is of no language.
fn is_address(token: &str) -> bool {
    token.starts_with('@')
        || token.starts_with("www.")
        || (token.as_bytes().contains(&b':') && token.contains("://"))
}
