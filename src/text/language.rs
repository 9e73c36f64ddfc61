//! Which languages a text speaks, and how certain that is.
//!
//! The script settles most: Han, kana, Hangul, Thai, Greek and more. Among languages that share a
//! script, letters and small words vote, and for Latin a fast classifier beside them; where they
//! agree that is the answer, and only where they do not is a slow and careful one asked. What stays
//! unsure is `und`: a language is a hint, and no hint is better than a wrong one.

use std::{ops::Range, sync::LazyLock};

use unicode_script::{Script, UnicodeScript};
use whatlang::{Detector, Lang};

use super::function_words::{self, VOTE};
use crate::signal::{Language, LanguageShare, Score};

/// Fewer letters of a shared script decide nothing.
const LETTERS_MIN: u32 = 20;
/// Bytes of a script that are looked at; more say the same.
const SAMPLE_MAX: usize = 1200;
/// Letters that the slow classifier reads.
const CAREFUL_LETTERS: usize = 120;
/// Thousandths of confidence below which a language is `und`.
const CONFIDENT: u16 = 800;
/// Bytes to either side of a place within which its sentence is looked for.
const SENTENCE_REACH: usize = 240;

/// The language of the sentence around a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentenceLanguage {
    /// The language, `und` where nothing is sure.
    pub language: Language,
    /// How certain.
    pub confidence: Score,
    /// Letters of the sentence in that language's script.
    pub letters: u32,
}

/// The languages of a text in the standard view, the largest share first; empty without letters.
///
/// `declared` lifts an undecided result of its own script and overrides nothing.
pub fn languages(standard: &str, declared: Option<Language>) -> Vec<LanguageShare> {
    let found = Tally::of(standard).decide(declared);
    let total: u32 = found.iter().map(|part| part.letters).sum();
    let share = |letters: u32| score(u64::from(letters) * 1000 / u64::from(total.max(1)));
    let shares = found.iter().map(|part| LanguageShare {
        language: part.language,
        confidence: part.confidence,
        share: share(part.letters),
    });
    shares.collect()
}

/// The language of the sentence around `span`.
///
/// # Panics
/// When `span` does not lie inside `text`, on character boundaries.
pub fn sentence_language(text: &str, span: Range<usize>) -> SentenceLanguage {
    let ends = |ch: char| matches!(ch, '\n' | '。' | '!' | '?' | '！' | '？' | '.' | '…');
    let reach = text.floor_char_boundary(span.start.saturating_sub(SENTENCE_REACH));
    let start = text[reach..span.start].rfind(ends).map_or(reach, |at| reach + at);
    let reach = text.ceil_char_boundary((span.end + SENTENCE_REACH).min(text.len()));
    let end = text[span.end..reach].find(ends).map_or(reach, |at| span.end + at);
    let parts = Tally::of(&text[start..end]).decide(None);
    parts.first().copied().unwrap_or_else(|| SentenceLanguage {
        language: Language::UNDETERMINED,
        confidence: score(0),
        letters: 0,
    })
}

/// Letters by what they say of the language.
#[derive(Default)]
struct Tally {
    latin: Sample,
    cyrillic: Sample,
    arabic: Sample,
    devanagari: Sample,
    bengali: Sample,
    chinese: u32,
    japanese: u32,
    /// Han and kana of the segment at hand.
    segment: (u32, u32),
    kana: u32,
    /// Scripts that one language has to itself.
    settled: Vec<(&'static str, u32)>,
    other: u32,
}

/// Some words of one script in lower case, and how many letters of it there were altogether.
#[derive(Default)]
struct Sample {
    text: String,
    letters: u32,
}

impl Sample {
    fn push(&mut self, ch: char) {
        self.letters += 1;
        if self.text.len() < SAMPLE_MAX {
            if ch.is_ascii() {
                self.text.push(ch.to_ascii_lowercase());
            } else {
                self.text.extend(ch.to_lowercase());
            }
        }
    }

    fn end_word(&mut self, apostrophe: bool) {
        if !self.text.is_empty() && self.text.len() < SAMPLE_MAX {
            let end = if apostrophe { '\'' } else { ' ' };
            if !self.text.ends_with([' ', '\'']) {
                self.text.push(end);
            }
        }
    }
}

impl Tally {
    fn of(text: &str) -> Self {
        let mut tally = Self::default();
        for line in text.split_inclusive(['\n', '。', '!', '?', '！', '？']) {
            for token in line.split_whitespace().filter(|token| !is_address(token)) {
                token.chars().for_each(|ch| tally.push(ch));
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

    fn push(&mut self, ch: char) {
        if ch.is_ascii_alphabetic() {
            return self.latin.push(ch);
        }
        if !ch.is_alphabetic() {
            return self.end_words(matches!(ch, '\'' | '’'));
        }
        match ch.script() {
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

    /// Every language with its letters, the most letters first.
    fn decide(&self, declared: Option<Language>) -> Vec<SentenceLanguage> {
        let mut parts = Vec::new();
        let mut add = |guess: Guess, letters: u32| {
            if letters > 0 {
                merge(&mut parts, guess, letters);
            }
        };
        add(Guess::han("zh", self.chinese), self.chinese);
        add(Guess::sure("ja"), self.japanese);
        for &(code, letters) in &self.settled {
            add(Guess::sure(code), letters);
        }
        let declared = declared.map(|language| (language, writing(language.as_str())));
        let lifted = |guess: Guess, writing_of: Writing| match declared {
            Some((language, writing)) if guess.is_unsure() && writing == writing_of => {
                Guess { language, thousandths: CONFIDENT }
            }
            _ => guess,
        };
        let samples: [(&Sample, fn(&Sample) -> Guess, Writing); 5] = [
            (&self.latin, latin, Writing::Latin),
            (&self.cyrillic, cyrillic, Writing::Cyrillic),
            (&self.arabic, arabic, Writing::Arabic),
            (&self.devanagari, devanagari, Writing::Devanagari),
            (&self.bengali, bengali, Writing::Other),
        ];
        for (sample, decide, writing) in samples {
            if sample.letters > 0 {
                add(lifted(decide(sample), writing), sample.letters);
            }
        }
        add(Guess::UNSURE, self.other);
        parts.sort_by_key(|part| (std::cmp::Reverse(part.letters), part.language));
        parts
    }
}

fn merge(parts: &mut Vec<SentenceLanguage>, guess: Guess, letters: u32) {
    let confidence = score(guess.thousandths.into());
    match parts.iter_mut().find(|part| part.language == guess.language) {
        Some(part) => {
            part.letters += letters;
            part.confidence = part.confidence.max(confidence);
        }
        None => parts.push(SentenceLanguage { language: guess.language, confidence, letters }),
    }
}

/// A language and the confidence in it.
#[derive(Clone, Copy)]
struct Guess {
    language: Language,
    thousandths: u16,
}

impl Guess {
    const UNSURE: Self = Self { language: Language::UNDETERMINED, thousandths: 0 };

    fn new(code: &str, thousandths: u16) -> Self {
        match Language::new(code) {
            Some(language) if thousandths >= CONFIDENT => Self { language, thousandths },
            _ => Self::UNSURE,
        }
    }

    /// A language whose script is its own.
    fn sure(code: &str) -> Self {
        Self::new(code, 990)
    }

    /// Han without kana: a few of them may be Japanese.
    fn han(code: &str, letters: u32) -> Self {
        Self::new(code, if letters < 4 { 850 } else { 980 })
    }

    fn is_unsure(self) -> bool {
        self.language == Language::UNDETERMINED
    }
}

fn latin(sample: &Sample) -> Guess {
    if sample.letters < LETTERS_MIN {
        return Guess::UNSURE;
    }
    let fast = fast_latin(&sample.text);
    let election = function_words::vote(&sample.text);
    if let Some(election) = election {
        let lead = election.votes.saturating_sub(election.runner_up);
        if fast == Some(election.winner) && election.votes >= VOTE {
            return Guess::new(election.winner, if lead >= VOTE { 970 } else { 920 });
        }
        // The fast classifier answers one of sixteen whatever it reads.
        let unknown_to_it = !FAST_LATIN.contains(&election.winner);
        if unknown_to_it && election.votes >= 3 * VOTE && lead * 3 >= election.votes {
            return Guess::new(election.winner, 930);
        }
    }
    let Some((careful, confidence)) = careful(&LATIN_CAREFUL, &sample.text) else {
        return Guess::UNSURE;
    };
    let winner = election.map(|election| election.winner);
    let agrees = Some(careful) == fast || Some(careful) == winner;
    Guess::new(careful, if agrees { confidence.max(850) } else { confidence.min(850) })
}

/// Latin languages that the fast classifier knows.
const FAST_LATIN: [&str; 10] = ["de", "en", "fr", "it", "nl", "pt", "es", "sv", "tr", "vi"];

fn fast_latin(text: &str) -> Option<&'static str> {
    let code = match whichlang::detect_language(text) {
        whichlang::Lang::Deu => "de",
        whichlang::Lang::Eng => "en",
        whichlang::Lang::Fra => "fr",
        whichlang::Lang::Ita => "it",
        whichlang::Lang::Nld => "nl",
        whichlang::Lang::Por => "pt",
        whichlang::Lang::Spa => "es",
        whichlang::Lang::Swe => "sv",
        whichlang::Lang::Tur => "tr",
        whichlang::Lang::Vie => "vi",
        _ => return None,
    };
    Some(code)
}

const CAREFUL_CODES: [(Lang, &str); 31] = [
    (Lang::Eng, "en"),
    (Lang::Spa, "es"),
    (Lang::Por, "pt"),
    (Lang::Fra, "fr"),
    (Lang::Deu, "de"),
    (Lang::Ita, "it"),
    (Lang::Nld, "nl"),
    (Lang::Swe, "sv"),
    (Lang::Dan, "da"),
    (Lang::Nob, "nb"),
    (Lang::Fin, "fi"),
    (Lang::Pol, "pl"),
    (Lang::Ces, "cs"),
    (Lang::Slk, "sk"),
    (Lang::Hun, "hu"),
    (Lang::Ron, "ro"),
    (Lang::Tur, "tr"),
    (Lang::Aze, "az"),
    (Lang::Vie, "vi"),
    (Lang::Ind, "id"),
    (Lang::Tgl, "tl"),
    (Lang::Hrv, "hr"),
    (Lang::Slv, "sl"),
    (Lang::Lit, "lt"),
    (Lang::Cat, "ca"),
    (Lang::Rus, "ru"),
    (Lang::Ukr, "uk"),
    (Lang::Bel, "be"),
    (Lang::Bul, "bg"),
    (Lang::Srp, "sr"),
    (Lang::Mkd, "mk"),
];

static LATIN_CAREFUL: LazyLock<Detector> = LazyLock::new(|| {
    let known = CAREFUL_CODES.iter().filter(|(_, code)| function_words::knows(code));
    Detector::with_allowlist(known.map(|&(lang, _)| lang).collect())
});

static CYRILLIC_CAREFUL: LazyLock<Detector> = LazyLock::new(|| {
    let rest = CAREFUL_CODES.iter().filter(|(_, code)| !function_words::knows(code));
    Detector::with_allowlist(rest.map(|&(lang, _)| lang).collect())
});

/// The slow classifier's language and confidence, on the first letters only.
fn careful(detector: &Detector, text: &str) -> Option<(&'static str, u16)> {
    let end = text.char_indices().nth(CAREFUL_LETTERS).map_or(text.len(), |(at, _)| at);
    let info = detector.detect(&text[..end])?;
    let &(_, code) = CAREFUL_CODES.iter().find(|(lang, _)| *lang == info.lang())?;
    let confidence = Score::new(info.confidence().clamp(0.0, 0.95))?;
    Some((code, confidence.thousandths()))
}

fn cyrillic(sample: &Sample) -> Guess {
    let text = &*sample.text;
    let has = |letters: &str| text.contains(|ch| letters.contains(ch));
    let by_letters =
        [("ў", "be"), ("әұқғһ", "kk"), ("ѓќѕ", "mk"), ("ђћ", "sr"), ("ӣӯҷҳ", "tg"), ("їєґ", "uk")];
    if let Some((_, code)) = by_letters.iter().find(|(letters, _)| has(letters)) {
        return Guess::new(code, 970);
    }
    if has("үө") {
        return Guess::new(if has("ң") { "ky" } else { "mn" }, 900);
    }
    if has("і") {
        return Guess::new("uk", 900);
    }
    if has("ыэё") {
        return Guess::new("ru", 970);
    }
    if sample.letters < LETTERS_MIN {
        return Guess::UNSURE;
    }
    let (code, confidence) = careful(&CYRILLIC_CAREFUL, text).unwrap_or(("und", 0));
    Guess::new(code, confidence)
}

fn arabic(sample: &Sample) -> Guess {
    let text = &*sample.text;
    let count = |letters: &str| text.chars().filter(|&ch| letters.contains(ch)).count();
    let by_letters = [("ٹڈڑںےہھ", "ur"), ("ښځڅږټډړ", "ps"), ("ێڕڵە", "ckb"), ("ۈۋۇ", "ug")];
    if let Some((_, code)) = by_letters.iter().find(|(letters, _)| count(letters) >= 2) {
        return Guess::new(code, 960);
    }
    let words = |words: &[&str]| text.split(' ').filter(|word| words.contains(word)).count();
    let persian = words(&[
        "را", "كه", "از", "اين", "است", "مي", "براي", "هم", "با", "تو", "نيست", "شما", "خيلي",
        "بود", "ان", "هر", "يك", "در", "به",
    ]);
    let arabic = words(&[
        "في", "من", "علي", "الي", "هذا", "هذه", "التي", "الذي", "لا", "ما", "يا", "كل", "عن", "مع",
        "هو", "هي", "انا", "لم", "كان", "ليس",
    ]) + text.split(' ').filter(|word| word.starts_with("ال")).count();
    match (persian + count("پچژگ"), arabic) {
        (0, 0) if sample.letters < LETTERS_MIN => Guess::UNSURE,
        (persian, arabic) if persian > arabic => {
            Guess::new("fa", if persian > 1 { 960 } else { 850 })
        }
        (_, arabic) => Guess::new("ar", if arabic > 1 { 960 } else { 850 }),
    }
}

fn devanagari(sample: &Sample) -> Guess {
    let words = |words: &[&str]| sample.text.split(' ').filter(|word| words.contains(word)).count();
    let hindi = words(&["ह", "क", "म", "स", "पर", "यह", "नह", "और", "भ", "को", "का", "की", "के"]);
    let marathi = words(&["आह", "आण", "मल", "तो", "त"]) + sample.text.matches('ळ').count();
    if marathi > hindi { Guess::new("mr", 850) } else { Guess::new("hi", 900) }
}

fn bengali(sample: &Sample) -> Guess {
    let assamese = sample.text.contains(['ৰ', 'ৱ']);
    Guess::new(if assamese { "as" } else { "bn" }, 970)
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

/// Scripts that several languages share.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Other,
}

/// The script that a language is written in.
fn writing(code: &str) -> Writing {
    match code {
        "ru" | "uk" | "be" | "bg" | "sr" | "mk" | "kk" | "ky" | "mn" | "tg" => Writing::Cyrillic,
        "ar" | "fa" | "ur" | "ps" | "ckb" | "ug" | "sd" => Writing::Arabic,
        "hi" | "mr" | "ne" | "sa" => Writing::Devanagari,
        "zh" | "ja" | "ko" | "th" | "lo" | "km" | "my" | "el" | "he" | "ta" | "te" | "kn"
        | "ml" | "gu" | "pa" | "or" | "si" | "ka" | "hy" | "am" | "bo" | "bn" | "as" | "und" => {
            Writing::Other
        }
        _ => Writing::Latin,
    }
}

/// An address or a name, which is of no language.
fn is_address(token: &str) -> bool {
    token.starts_with('@') || token.contains("://") || token.starts_with("www.")
}

/// A score of thousandths that are at most 1000 by construction.
fn score(thousandths: u64) -> Score {
    let thousandths = u16::try_from(thousandths).ok().and_then(Score::from_thousandths);
    thousandths.expect("shares and confidences are at most 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> String {
        let codes = languages(text, None).into_iter().map(|part| part.language.as_str().to_owned());
        codes.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_sentence_speaks_its_language() {
        for (expected, text) in [
            ("en", "i really think that we should go home before it gets dark"),
            ("es", "no sé por qué la gente siempre dice que es muy difícil"),
            ("pt", "você não precisa fazer isso agora, a gente conversa amanhã"),
            ("fr", "je ne comprends pas pourquoi tout le monde dit ça aujourd'hui"),
            ("de", "ich weiß nicht, warum das heute schon wieder nicht geht"),
            ("it", "non capisco perché tutti dicono che questa cosa è facile"),
            ("nl", "ik weet niet waarom het vandaag niet goed gaat met jullie"),
            ("sv", "jag vet inte varför det inte fungerar idag men jag försöker"),
            ("pl", "nie wiem dlaczego wszyscy mówią, że to jest takie proste"),
            ("cs", "nevím, proč všichni říkají, že je to tak jednoduché"),
            ("hu", "nem tudom, hogy miért mondja mindenki, hogy ez egyszerű"),
            ("ro", "nu știu de ce toată lumea spune că este atât de simplu"),
            ("tr", "bugün neden herkes bunun çok kolay olduğunu söylüyor"),
            ("vi", "tôi không biết tại sao mọi người nói rằng điều này rất dễ"),
            ("id", "saya tidak tahu kenapa semua orang bilang ini sangat mudah"),
            ("fi", "en tiedä miksi kaikki sanovat että tämä on niin helppoa"),
            ("tl", "hindi ko alam kung bakit sinasabi ng lahat na madali ito"),
            ("ru", "я не знаю, почему все говорят, что это так просто"),
            ("uk", "я не знаю, чому всі кажуть, що це так просто"),
            ("bg", "не знам защо всички казват, че това е толкова лесно"),
            ("ar", "لا اعرف لماذا يقول الجميع ان هذا سهل جدا"),
            ("fa", "نمي دانم چرا همه مي گويند اين خيلي آسان است"),
            ("ur", "مجھے نہیں معلوم کہ سب کیوں کہتے ہیں یہ آسان ہے"),
            ("he", "אני לא יודע למה כולם אומרים שזה קל"),
            ("hi", "मुझे नहीं पता कि सब क्यों कहते हैं कि यह आसान है"),
            ("th", "ฉันไม่รู้ว่าทำไมทุกคนบอกว่ามันง่าย"),
            ("ko", "왜 다들 쉽다고 하는지 모르겠어요"),
            ("ja", "なぜみんなが簡単だと言うのか分かりません"),
            ("zh", "我不知道为什么大家都说这很容易"),
            ("el", "δεν ξέρω γιατί όλοι λένε ότι είναι εύκολο"),
            (
                "zh en",
                "我们今天一起去那个很有名的新地方吃一顿真的很好吃的晚饭吧 i really want to go with you",
            ),
            ("", "123 !!! 😀 https://example.org/hello-there-my-friend"),
            ("und", "lol ok"),
            ("und", "zxcv qwrt bnmp lkjh gfds"),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
    }

    #[test]
    fn shares_are_parts_of_all_letters() {
        let parts = languages("我们今天去吃饭 ok 안녕", None);
        let shares: Vec<u16> = parts.iter().map(|part| part.share.thousandths()).collect();
        assert_eq!(shares, [636, 181, 181]);
    }

    #[test]
    fn a_declared_language_lifts_what_is_undecided_and_overrides_nothing() {
        let declared =
            |text, code| languages(text, Language::new(code))[0].language.as_str().to_owned();
        assert_eq!(declared("lol ok", "en"), "en");
        assert_eq!(declared("lol ok", "ru"), "und");
        assert_eq!(declared("我不知道为什么", "en"), "zh");
        let german = "ich weiß nicht, warum das heute schon wieder nicht geht";
        assert_eq!(declared(german, "en"), "de");
    }

    #[test]
    fn a_place_has_the_language_of_its_sentence() {
        let text = "我们走吧。 Le train a du retard parce que la neige est tombée! The end";
        let at = text.find("retard").expect("the word is in the text");
        let found = sentence_language(text, at..at + 6);
        assert_eq!((found.language.as_str(), found.letters), ("fr", 40));
        assert!(found.confidence.thousandths() >= 900);
        let found = sentence_language(text, 0..3);
        assert_eq!((found.language.as_str(), found.letters), ("zh", 4));
    }
}
