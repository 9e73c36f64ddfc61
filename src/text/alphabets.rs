//! Languages of one script told apart by their letters and a few of their words.
//!
//! Every function gives a code with thousandths of confidence. Texts are in the standard
//! view, in which Arabic letter forms are one.

use super::tally::Sample;

/// Words of Persian.
const PERSIAN: [&str; 19] = [
    "را", "كه", "از", "اين", "است", "مي", "براي", "هم", "با", "تو", "نيست", "شما", "خيلي", "بود",
    "ان", "هر", "يك", "در", "به",
];
/// Words of Arabic, beside the article.
const ARABIC: [&str; 20] = [
    "في", "من", "علي", "الي", "هذا", "هذه", "التي", "الذي", "لا", "ما", "يا", "كل", "عن", "مع",
    "هو", "هي", "انا", "لم", "كان", "ليس",
];
/// Words of Hindi.
const HINDI: [&str; 13] =
    ["है", "हैं", "में", "का", "की", "के", "को", "से", "पर", "नहीं", "और", "भी", "कि"];
/// Words of Marathi.
const MARATHI: [&str; 6] = ["आहे", "आहेत", "आणि", "मला", "तो", "नाही"];

/// A language in Cyrillic letters, by the letters that its neighbours lack.
pub(super) fn cyrillic(sample: &Sample) -> Option<(&'static str, u16)> {
    let common = |ch: char| matches!(ch, ' ' | 'а'..='ъ' | 'ь' | 'ю' | 'я');
    let telling: Vec<char> = sample.text.chars().filter(|&ch| !common(ch)).collect();
    let has = |letters: &[char]| telling.iter().any(|letter| letters.contains(letter));
    let by_letters: [(&[char], _); 6] = [
        (&['ў'], "be"),
        (&['ә', 'ұ', 'қ', 'ғ', 'һ'], "kk"),
        (&['ѓ', 'ќ', 'ѕ'], "mk"),
        (&['ђ', 'ћ'], "sr"),
        (&['ӣ', 'ӯ', 'ҷ', 'ҳ'], "tg"),
        (&['ї', 'є', 'ґ'], "uk"),
    ];
    if let Some((_, code)) = by_letters.into_iter().find(|(letters, _)| has(letters)) {
        return Some((code, 970));
    }
    if has(&['ү', 'ө']) {
        return Some((if has(&['ң']) { "ky" } else { "mn" }, 900));
    }
    if has(&['і']) {
        return Some(("uk", 900));
    }
    has(&['ы', 'э', 'ё']).then_some(("ru", 970))
}

/// A language in Arabic letters; a short text without a telling word or letter has none.
pub(super) fn arabic(sample: &Sample) -> Option<(&'static str, u16)> {
    const LETTERS_MIN: u32 = 20;
    let telling: Vec<char> =
        sample.text.chars().filter(|ch| !('\u{620}'..='\u{64A}').contains(ch)).collect();
    let count = |letters: &[char]| telling.iter().filter(|ch| letters.contains(ch)).count();
    let by_letters: [(&[char], _); 4] = [
        (&['ٹ', 'ڈ', 'ڑ', 'ں', 'ے', 'ہ', 'ھ'], "ur"),
        (&['ښ', 'ځ', 'څ', 'ږ', 'ټ', 'ډ', 'ړ'], "ps"),
        (&['ێ', 'ڕ', 'ڵ', 'ە'], "ckb"),
        (&['ۈ', 'ۋ', 'ۇ'], "ug"),
    ];
    if let Some((_, code)) = by_letters.into_iter().find(|(letters, _)| count(letters) >= 2) {
        return Some((code, 960));
    }
    let article = sample.text.split(' ').filter(|word| word.starts_with("ال")).count();
    let arabic = words(sample, &ARABIC) + article;
    let persian = words(sample, &PERSIAN) + count(&['پ', 'چ', 'ژ', 'گ']);
    let confidence = |votes: usize| if votes > 1 { 960 } else { 850 };
    if persian == 0 && arabic == 0 && sample.letters < LETTERS_MIN {
        return None;
    }
    Some(if persian > arabic { ("fa", confidence(persian)) } else { ("ar", confidence(arabic)) })
}

/// A language in Devanagari.
pub(super) fn devanagari(sample: &Sample) -> (&'static str, u16) {
    let marathi = words(sample, &MARATHI) + sample.text.matches('ळ').count();
    if marathi > words(sample, &HINDI) { ("mr", 850) } else { ("hi", 900) }
}

/// A language in Bengali letters.
pub(super) fn bengali(sample: &Sample) -> (&'static str, u16) {
    (if sample.text.contains(['ৰ', 'ৱ']) { "as" } else { "bn" }, 970)
}

fn words(sample: &Sample, known: &[&str]) -> usize {
    sample.text.split(' ').filter(|word| known.contains(word)).count()
}
