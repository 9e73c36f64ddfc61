//! What the joined views find and must not find, and literals under disguises made at random.

use proptest::prelude::*;

use super::{tests::finds, *};
use crate::text::standard_literal;

#[test]
fn torn_and_joined_words_are_read_and_neighbours_are_not() {
    for (literal, text, expected) in [
        ("kill", "ki.ll them", true),
        ("kill", "k-i-ll them", true),
        ("kill", "ki😀ll them", true),
        ("kill", "ki\nll them", true),
        ("kill", "ki-\nll them", true),
        ("kill", "kil l them", true),
        ("fuck", "f uck off", true),
        ("fuck", "f u ck off", true),
        ("shit", "this hit song", false),
        ("therapist", "the rapist", false),
        ("penis", "the pen is mine", false),
        ("anal", "a nal", false),
        ("ass", "was shot", false),
        ("ghost gun kit", "ghost_gun_kit", true),
        ("ghost gun kit", "ghost.gun-kit", true),
        ("ghost gun kit", "g h o s t  g u n  k i t", true),
        ("ghost gun kit", "ghost 🔥 gun 🔥 kit", true),
        ("ghost gun kit", "ghost, gun, kit", false),
        ("go gun", "go, gun", false),
        ("de pute", "a député", false),
        ("加微信", "加🎈微信", true),
        ("加微信", "加 微信", true),
        ("加微信", "加\n微信", true),
        ("加微信", "加。微信", false),
        ("加微信", "加，微信", false),
        ("微信", "有点微 信号", false),
        ("시발", "시1발", true),
        ("시발", "시.발", true),
        ("시발", "ㅅㅣㅂㅏㄹ", true),
        ("씨발", "김연아 씨 발언이", false),
        ("แม่", "เเม่", true),
        ("fuck", "ʞɔnɟ", true),
        ("fuck", "\u{202e}kcuf\u{202c}", true),
        ("cocaine", "buy сосаіпе here", true),
        ("idiot", "1diot", true),
        ("slut", "s|ut", true),
        ("сука", "сyк@", true),
        ("fuck", "🇫🇺🇨🇰", true),
        ("cab", "c🆎", true),
    ] {
        assert_eq!(finds(literal, text), expected, "{literal} in {text}");
    }
}

/// Words of several scripts, as rules have them.
const WORDS: [&str; 12] = [
    "ghost gun kit",
    "scammer",
    "kill yourself",
    "arschloch",
    "gerizekalı",
    "мошенник",
    "убей себя",
    "加微信转账",
    "出售冰毒",
    "바보같은",
    "चूतिया",
    "بطاقة مسروقة",
];

/// One way to hide a word, by number.
fn disguised(word: &str, way: usize, seed: usize) -> Option<String> {
    let letters = || word.chars().enumerate();
    let picked = |at: usize| (at * 7 + seed).is_multiple_of(3);
    let with = |sign: &str| {
        letters().flat_map(|(_, ch)| std::iter::once(ch).chain(sign.chars())).collect::<String>()
    };
    let ascii = word.chars().any(|ch| ch.is_ascii_lowercase());
    let shifted = |first: u32| -> Option<String> {
        let shift = |(_, ch): (usize, char)| match ch {
            'a'..='z' => char::from_u32(first + u32::from(ch) - u32::from('a')),
            other => Some(other),
        };
        ascii.then(|| letters().map(shift).collect()).flatten()
    };
    let alike = |ch: char| match ch {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'o' => 'о',
        'p' => 'р',
        'h' => 'һ',
        'i' => 'і',
        's' => 'ѕ',
        'а' => 'a',
        'о' => 'o',
        'е' => 'e',
        'с' => 'c',
        'к' => 'k',
        other => other,
    };
    match way {
        0 => Some(with(["\u{200b}", "\u{ad}", "\u{2060}", "\u{fe0f}"][seed % 4])),
        1 => Some(with(["\u{202a}", "\u{200f}", "\u{2066}"][seed % 3])),
        2 => shifted([0xFF41, 0x1D4EA, 0x24D0, 0x1F150, 0x1F170, 0x1D5BA][seed % 6]),
        3 => ascii
            .then(|| letters().map(|(at, ch)| if picked(at) { alike(ch) } else { ch }).collect()),
        4 => ascii.then(|| word.replace('o', "0").replace('e', "3").replace('a', "@")),
        5 => ascii.then(|| with(["\u{336}", "\u{301}\u{302}\u{323}", "\u{489}"][seed % 3])),
        6 => {
            let spelled: Vec<String> =
                word.chars().filter(|ch| *ch != ' ').map(String::from).collect();
            ascii.then(|| spelled.join([" ", ".", "-", "*", "🔥"][seed % 5]))
        }
        7 => {
            let at = 1 + seed % (word.chars().count() - 1);
            let tripled =
                letters().map(|(i, ch)| String::from(ch).repeat(if i == at { 4 } else { 1 }));
            (word.chars().nth(at) != Some(' ')).then(|| tripled.collect())
        }
        _ => Some(
            letters()
                .flat_map(|(at, ch)| std::iter::once(ch).chain((at == 1).then_some('😀')))
                .collect(),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn a_literal_is_found_under_any_disguise(word in 0..WORDS.len(), way in 0_usize..9, seed in 0_usize..1000) {
        let word = WORDS[word];
        let Some(hidden) = disguised(word, way, seed) else { return Ok(()) };
        let text = format!("( {hidden} )");
        let plain = standard(&text).text().contains(&standard_literal(word));
        prop_assert!(plain || finds(word, &text), "{word} hidden as {hidden:?} by {way}");
    }
}
