//! Which languages a text speaks, and how certain that is.
//!
//! The script settles most: Han, kana, Hangul, Thai, Greek and more. Among languages that share a
//! script, letters and small words vote, and for Latin a fast classifier beside them; where they
//! agree that is the answer, and only where they do not is a slow and careful one asked. What stays
//! unsure is `und`: a language is a hint, and no hint is better than a wrong one.

use std::{ops::Range, sync::LazyLock};

use whatlang::{Detector, Lang};

use super::{
    alphabets,
    function_words::{self, VOTE},
    normalize::standard,
    tally::{Sample, Tally},
};
use crate::signal::{Language, LanguageShare, Score};

/// Fewer letters of a shared script decide nothing.
const LETTERS_MIN: u32 = 20;
/// Votes that settle a language alone, where no other has more than half of them.
const LANDSLIDE: u32 = 5 * VOTE;
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
    /// What says so.
    pub basis: Basis,
}

/// What a language was told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Its script, which it has nearly to itself.
    Script,
    /// Letters or words that its neighbours do not have.
    Letters,
    /// A fast classifier and small words, which agree.
    Agreement,
    /// Small words, of a language that the fast classifier does not know.
    Words,
    /// A slow and careful classifier.
    Careful,
    /// What the author declared, where nothing else was sure.
    Declared,
    /// Nothing: too few letters.
    TooShort,
    /// Nothing: no answer was sure.
    Unsure,
}

impl Basis {
    /// The same in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Script => "its script",
            Self::Letters => "letters that only it has",
            Self::Agreement => "small words and the classifier agree",
            Self::Words => "small words",
            Self::Careful => "the careful classifier",
            Self::Declared => "declared by the author",
            Self::TooShort => "too few letters to tell",
            Self::Unsure => "nothing is sure enough",
        }
    }
}

/// The languages of a text in the standard view, the largest share first; empty without letters.
///
/// `declared` lifts an undecided result of its own script and overrides nothing.
pub fn languages(standard: &str, declared: Option<Language>) -> Vec<LanguageShare> {
    shares(&spoken(standard, declared))
}

/// The same with what each was told by, in the same order.
pub fn spoken(standard: &str, declared: Option<Language>) -> Vec<SentenceLanguage> {
    decide(&Tally::of(standard), declared)
}

fn shares(found: &[SentenceLanguage]) -> Vec<LanguageShare> {
    let total: u32 = found.iter().map(|part| part.letters).sum();
    let share = |letters: u32| score(u64::from(letters) * 1000 / u64::from(total.max(1)));
    let shares = found.iter().map(|part| LanguageShare {
        language: part.language,
        confidence: part.confidence,
        share: share(part.letters),
    });
    shares.collect()
}

/// The language of the sentence around `span`, in a text of any view.
///
/// # Panics
/// When `span` does not lie inside `text`, on character boundaries.
pub fn sentence_language(text: &str, span: Range<usize>) -> SentenceLanguage {
    language_of_sentence(&text[sentence(text, span)])
}

/// The sentence around `span`, as far as it is looked at.
///
/// # Panics
/// When `span` does not lie inside `text`, on character boundaries.
pub fn sentence(text: &str, span: Range<usize>) -> Range<usize> {
    let ends = |ch: char| matches!(ch, '\n' | '。' | '!' | '?' | '！' | '？' | '.' | '…');
    let reach = text.floor_char_boundary(span.start.saturating_sub(SENTENCE_REACH));
    let start = text[reach..span.start].rfind(ends).map_or(reach, |at| reach + at);
    let reach = text.ceil_char_boundary((span.end + SENTENCE_REACH).min(text.len()));
    let end = text[span.end..reach].find(ends).map_or(reach, |at| span.end + at);
    start..end
}

/// The language of a sentence in any view.
pub fn language_of_sentence(sentence: &str) -> SentenceLanguage {
    let parts = decide(&Tally::of(standard(sentence).text()), None);
    parts.first().copied().unwrap_or_else(|| SentenceLanguage {
        language: Language::UNDETERMINED,
        confidence: score(0),
        letters: 0,
        basis: Basis::TooShort,
    })
}

/// What finds the language of a sample of one script.
type Classifier = fn(&Sample) -> Guess;

/// Every language with its letters, the most letters first.
fn decide(tally: &Tally, declared: Option<Language>) -> Vec<SentenceLanguage> {
    let mut parts = Vec::new();
    let mut add = |guess: Guess, letters: u32| {
        if letters > 0 {
            merge(&mut parts, guess, letters);
        }
    };
    add(Guess::han("zh", tally.chinese), tally.chinese);
    add(Guess::sure("ja"), tally.japanese);
    for &(code, letters) in &tally.settled {
        add(Guess::sure(code), letters);
    }
    let declared = declared.map(|language| (language, writing(language.as_str())));
    let lifted = |guess: Guess, writing_of: Writing| match declared {
        Some((language, writing)) if guess.is_unsure() && writing == writing_of => {
            Guess { language, thousandths: CONFIDENT, basis: Basis::Declared }
        }
        _ => guess,
    };
    let samples: [(&Sample, Classifier, Writing); 5] = [
        (&tally.latin, latin, Writing::Latin),
        (&tally.cyrillic, cyrillic, Writing::Cyrillic),
        (&tally.arabic, |sample| Guess::letters(alphabets::arabic(sample)), Writing::Arabic),
        (
            &tally.devanagari,
            |sample| Guess::letters(Some(alphabets::devanagari(sample))),
            Writing::Devanagari,
        ),
        (&tally.bengali, |sample| Guess::letters(Some(alphabets::bengali(sample))), Writing::Other),
    ];
    for (sample, decide, writing) in samples {
        if sample.letters > 0 {
            add(lifted(decide(sample), writing), sample.letters);
        }
    }
    add(Guess::UNSURE, tally.other);
    parts.sort_by_key(|part| (std::cmp::Reverse(part.letters), part.language));
    parts
}

fn merge(parts: &mut Vec<SentenceLanguage>, guess: Guess, letters: u32) {
    let confidence = score(guess.thousandths.into());
    if let Some(part) = parts.iter_mut().find(|part| part.language == guess.language) {
        part.letters += letters;
        part.confidence = part.confidence.max(confidence);
    } else {
        let Guess { language, basis, .. } = guess;
        parts.push(SentenceLanguage { language, confidence, letters, basis });
    }
}

/// A language and the confidence in it.
#[derive(Clone, Copy)]
struct Guess {
    language: Language,
    thousandths: u16,
    basis: Basis,
}

impl Guess {
    const UNSURE: Self =
        Self { language: Language::UNDETERMINED, thousandths: 0, basis: Basis::Unsure };
    const TOO_SHORT: Self = Self { basis: Basis::TooShort, ..Self::UNSURE };

    fn new(code: &str, thousandths: u16, basis: Basis) -> Self {
        match Language::new(code) {
            Some(language) if thousandths >= CONFIDENT => Self { language, thousandths, basis },
            _ => Self::UNSURE,
        }
    }

    /// A language that its letters tell, with so many thousandths of confidence, if any does.
    fn letters(found: Option<(&str, u16)>) -> Self {
        found.map_or(Self::UNSURE, |(code, sure)| Self::new(code, sure, Basis::Letters))
    }

    /// A language whose script is its own.
    fn sure(code: &str) -> Self {
        Self::new(code, 990, Basis::Script)
    }

    /// Han without kana: a few of them may be Japanese.
    fn han(code: &str, letters: u32) -> Self {
        Self::new(code, if letters < 4 { 850 } else { 980 }, Basis::Script)
    }

    fn is_unsure(self) -> bool {
        self.language == Language::UNDETERMINED
    }
}

fn latin(sample: &Sample) -> Guess {
    if sample.letters < LETTERS_MIN {
        return Guess::TOO_SHORT;
    }
    let election = function_words::vote(&sample.text);
    if let Some(election) = &election
        && election.votes >= LANDSLIDE
        && election.lead * 2 >= election.votes
    {
        return Guess::new(election.winner, 970, Basis::Words);
    }
    let fast = fast_latin(&sample.text);
    if let Some(election) = &election {
        let seconded = |code: &&str| {
            let votes = election.votes_of(code);
            votes * 2 >= VOTE && votes * 4 >= election.votes * 3
        };
        if let Some(code) = fast.filter(seconded) {
            let clear = code == election.winner && election.lead >= VOTE;
            return Guess::new(code, if clear { 970 } else { 900 }, Basis::Agreement);
        }
        // The fast classifier answers one of sixteen whatever it reads.
        let unknown_to_it = !FAST_LATIN.contains(&election.winner);
        if unknown_to_it && election.votes >= 3 * VOTE && election.lead * 3 >= election.votes {
            return Guess::new(election.winner, 930, Basis::Words);
        }
    }
    let Some((careful, confidence)) = careful(&LATIN_CAREFUL, &sample.text) else {
        return Guess::UNSURE;
    };
    let winner = election.map(|election| election.winner);
    let agrees = Some(careful) == fast || Some(careful) == winner;
    let confidence = if agrees { confidence.max(850) } else { confidence.min(850) };
    Guess::new(careful, confidence, Basis::Careful)
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
    if let Some(found) = alphabets::cyrillic(sample) {
        return Guess::letters(Some(found));
    }
    if sample.letters < LETTERS_MIN {
        return Guess::TOO_SHORT;
    }
    let found = careful(&CYRILLIC_CAREFUL, &sample.text);
    found.map_or(Guess::UNSURE, |(code, sure)| Guess::new(code, sure, Basis::Careful))
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
