//! What the views show, as tables, and what must hold for every text.

use proptest::prelude::*;

use super::*;
use crate::text::{Normalized, NormalizedText, Span};

fn standard_of(text: &str) -> String {
    standard(text).text().to_owned()
}

/// The skeleton with the lengths of its runs where they are not 1; nothing where there is none.
fn skeleton_of(text: &str) -> Option<String> {
    let standard = standard(text);
    let skeleton = skeleton(text, &standard)?;
    let whole = Span::from_range(0..skeleton.view().text().len());
    let lengths = skeleton.runs(whole);
    let letters = skeleton.view().text().chars().zip(lengths);
    Some(letters.map(|(ch, &n)| if n > 1 { format!("{ch}{n}") } else { ch.to_string() }).collect())
}

#[test]
fn the_standard_view_undoes_differences_of_encoding() {
    for (text, expected) in [
        ("", ""),
        ("Hello, World!", "hello, world!"),
        ("ＦＵＣＫ　１２３", "fuck 123"),
        ("𝓯𝓾𝓬𝓴 𝕗𝕦𝕔𝕜 𝐟𝐮𝐜𝐤", "fuck fuck fuck"),
        ("ⓕⓤⓒⓚ 🅕🅤🅒🅚 🅵🅄🅲🅺", "fuck fuck fuck"),
        ("ﬁne ﬃ", "fine ffi"),
        ("f\u{200b}u\u{200d}c\u{2060}k", "fuck"),
        ("\u{202e}kcuf\u{202c}", "kcuf"),
        ("so\u{ad}ft", "soft"),
        ("a\u{e0041}\u{e007f}b", "ab"),
        ("❤\u{fe0f}", "❤"),
        ("f̶u̷c̸k̵", "fuck"),
        ("z̷̧̡̢̛͔̓̐a̶̛͙̓̾l̵̰̔̚g̷̘̈́̆o̸̙̓", "zalgo"),
        ("STRASSE Straße STRAẞE", "strasse strasse strasse"),
        ("ΣΊΣΥΦΟΣ σίσυφος", "σίσυφοσ σίσυφοσ"),
        ("año ano", "año ano"),
        ("Lồn lớn", "lồn lớn"),
        ("lo\u{302}\u{300}n", "lồn"),
        ("schwül", "schwül"),
        ("й ё Й и\u{306}", "й ё й й"),
        ("加微信 転", "加微信 転"),
        ("加微信轉賬", "加微信转账"),
        ("轉賬の", "轉賬の"),
        ("轉賬。の", "转账。の"),
        ("轉賬\nの", "转账 の"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("か\u{3099}", "が"),
        ("ก็ ที่", "ก็ ที่"),
        ("क्षि हिंदी", "क्षि हिंदी"),
        ("한국어 \u{1112}\u{1161}\u{11ab}", "한국어 한"),
        ("ㅅㅣㅂㅏㄹ", "시바\u{1105}"),
        ("\u{3164}a\u{115f}b", "ab"),
        ("أنا إلى مُحَمَّد", "انا الي محمد"),
        ("مـــرحبا", "مرحبا"),
        ("کتاب ی", "كتاب ي"),
        ("شَجَرَة", "شجره"),
        ("שָׁלוֹם", "שלום"),
        ("İstanbul ISPARTA", "istanbul isparta"),
        ("1️⃣4️⃣8️⃣8️⃣", "1488"),
        ("❶❹❽❽ ⓿", "1488 0"),
        ("👍🏽 🇩🇪", "👍🏽 🇩🇪"),
        ("…½™", "...1⁄2tm"),
        ("a\0b\tc\r\n", "ab c "),
        ("Ghost  gun\nkit", "ghost gun kit"),
        ("ghost\tgun\u{a0}\u{3000}kit", "ghost gun kit"),
        ("ghost \u{200b} gun\r\n\u{1680}kit", "ghost gun kit"),
        ("\n ghost gun kit\u{2029}", " ghost gun kit "),
        ("ghost gun \n\t\n\n kit", "ghost gun\n\nkit"),
        ("ghost gun\r\n\r\nkit\r\r", "ghost gun\n\nkit\n\n"),
        ("ghost\u{2028}\u{85}gun", "ghost\n\ngun"),
        ("㍿ ㎏", "株式会社 kg"),
    ] {
        assert_eq!(standard_of(text), expected, "{text}");
    }
}

#[test]
fn the_skeleton_undoes_disguise() {
    for (text, expected) in [
        ("gooooogle", "go5gle"),
        ("fuuuuck", "fu4ck"),
        ("p0rn", "porn"),
        ("n1gg3r", "nig2er"),
        ("ki1l he11o s1ut b1tch", "kil2 hel2o slut bitch"),
        ("1diot s1eg fu2 4ss", "idiot sleg fuz as2"),
        ("mp3 covid19 abc123", "mpe covidig abc123"),
        ("sh!t a$$ $hit f@gg0t", "shit as2 shit fag2ot"),
        ("b00b5", "bo2bs"),
        ("n!gger ya 3arab 7abibi", "nig2er ya 3arab 7abibi"),
        ("3arab $hit arou7 f@ggot 7a8a", "3arab shit arou7 fag2ot 7a8a"),
        ("3arab sh!t arou7 m3a", "3arab shit arou7 m3a"),
        ("gооgle", "go2gle"),
        ("ВITCH", "bitch"),
        ("ΗELLO", "hel2o"),
        ("сoсk", "cock"),
        ("хyй", "хуи"),
        ("cука", "сука"),
        ("pоrn аnd", "porn and"),
        ("ꜰᴜᴄᴋ", "fuck"),
        ("fück øl", "fuck ol"),
        ("f.u.c.k", "fuck"),
        ("f u c k you", "fuck you"),
        ("f-u_c*k", "fuck"),
        ("f.ü.c.k", "fuck"),
        ("s 3 x", "sex"),
        ("с у к а", "сука"),
        ("加 微 信 abc123", "加微信 abc123"),
        ("请加 微 信 abc", "请加微信 abc"),
        ("加.微.信", "加微信"),
        ("加😀微😀信", "加微信"),
        ("微 信", "微信"),
        ("加+微+信", "加微信"),
        ("f\nu\r\nc      k", "fuck"),
        ("一三八零零", "1380"),
        ("シーネ しね", "シネ シネ"),
        ("ばーか", "バカ"),
        ("きゃ", "キヤ"),
        ("轉賬の", "转账ノ"),
    ] {
        let found = skeleton_of(text);
        let digits_too = expected == "1380";
        let expected = if digits_too { "13800" } else { expected };
        assert_eq!(found.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn plain_text_has_no_skeleton() {
    for text in [
        "",
        "Hello, the class has passed all tests.",
        "今天 天气 很好",
        "今天天气很好，我们去公园。",
        "我们在 北京 见面",
        "加。微。信",
        "加！微！信",
        "加 微.信",
        "加\n\n微\n\n信",
        "f \r\n \r\n u\n\nc\u{2028}\u{2028}k",
        "it costs $100 in 2024, 1.2 or 3",
        "3ayez arou7 el bet ya 7abibi",
        "i'm a man, u.s. army",
        "Привет, как дела",
        "中文 english 混合",
        "我爱你 but you don't",
        "不三不四",
        "1488",
        "أهلا وسهلا",
        "안녕하세요 여러분",
        "@user hello",
    ] {
        assert_eq!(skeleton_of(text), None, "{text}");
    }
}

/// Whether a literal is found in one of the skeletons of a text, runs, gaps and all.
pub(super) fn finds(literal: &str, text: &str) -> bool {
    let literal = skeleton_literal(literal);
    let joined = literal.joined.iter().map(|joined| (joined.text.as_str(), Form::Joined));
    let forms: Vec<_> =
        std::iter::once((literal.text.as_str(), Form::Written)).chain(joined).collect();
    let standard = standard(text);
    skeletons(text, &standard, &|_| true).iter().any(|skeleton| {
        forms.iter().any(|&(form, kind)| {
            let mut places = skeleton.view().text().match_indices(form);
            places.any(|(at, found)| {
                skeleton.spells(&literal, kind, Span::from_range(at..at + found.len()), text)
            })
        })
    })
}

#[test]
fn a_literal_meets_its_disguises_and_not_its_neighbours() {
    for (literal, text, expected) in [
        ("google", "goooogle", true),
        ("google", "gооgle", true),
        ("google", "gogle...gogle!!! hmmm", false),
        ("ass", "as hmmm", false),
        ("ass", "asss", true),
        ("ass", "aaass", true),
        ("as", "ass hmmm", false),
        ("p0rn", "pоrn", true),
        ("加微信", "加-微-信", true),
        ("微信", "微微微信", true),
        ("くそ", "クソ", true),
        ("クソ", "くそー", true),
        ("fuck", "f.u.u.c.k", false),
        ("хуй", "хyй", true),
    ] {
        assert_eq!(finds(literal, text), expected, "{literal} in {text}");
    }
}

#[test]
fn a_find_in_the_skeleton_is_where_the_author_wrote_it() {
    for (text, literal, expected) in [
        ("请加 微 信 abc", "加微信", "加 微 信"),
        ("so f.u.c.k it", "fuck", "f.u.c.k"),
        ("so\n\nf  \t u\r\nc k it", "fuck", "f  \t u\r\nc k"),
        ("a \u{200b}  sh!t", " shit", " \u{200b}  sh!t"),
        ("a 𝓯ｕ\u{200b}ccc𝓴!", "fuck", "𝓯ｕ\u{200b}ccc𝓴"),
        ("x f\u{336}u\u{336}kkk\u{336} ", "fuk", "f\u{336}u\u{336}kkk\u{336}"),
        ("xﬃﬃ 000 zzz", "fi", "ﬃ"),
    ] {
        let standard = standard(text);
        let skeleton = skeleton(text, &standard).expect("every text of the table hides something");
        let at = skeleton.view().text().find(literal).expect("the literal is found");
        let span = skeleton.view().original_span(Span::from_range(at..at + literal.len()));
        assert_eq!(&text[span.range()], expected, "{literal} in {text}");
    }
}

#[test]
fn long_runs_of_unseen_characters_are_looked_through_once() {
    // Looking for a mark behind each of them again took the square of their number.
    let text = "\u{200b}".repeat(300_000);
    assert_eq!(standard_of(&text), "");
    assert_eq!(standard_of(&format!("e{text}\u{301}")), "é");
}

#[test]
fn white_space_is_found_where_the_author_wrote_it() {
    for (text, literal, expected) in [
        ("a ghost \u{200b}\r\n gun", "ghost gun", "ghost \u{200b}\r\n gun"),
        ("a\u{200b} \tb", " ", " \t"),
        ("a \n \n b", "\n\n", " \n \n "),
        ("é\u{a0}b", " ", "\u{a0}"),
    ] {
        let view = standard(text);
        let at = view.text().find(literal).expect("the literal is found");
        let span = view.original_span(Span::from_range(at..at + literal.len()));
        assert_eq!(&text[span.range()], expected, "{text:?}");
    }
}

/// Strings of characters that folds trip over.
fn nasty() -> impl Strategy<Value = String> {
    const NASTY: &str = "aAsSiIlLıİßẞﬃǅéñ0134$@!|. -_*\n\r\t\0\u{85}\u{a0}\u{2028}\u{301}\u{308}\u{336}\u{307}\u{345}\u{340}\
        \u{344}\u{200b}\u{200d}\u{fe0f}\u{ad}\u{34f}\u{202e}\u{e0041}сукавВйЙєΑΗΣςάᾳῼ加微信轉賬著の。！かガｶﾞﾟー〜ャ\
        \u{3099}㌀㍿⾞一二三〇ㅅㅏᄀ\u{1161}\u{11a8}가ﾡￂก็ที่ำเक्षि\u{93c}\u{9c7}\u{9be}أإةی\u{654}\u{64b}ـﷺשּׁ\u{5b0}\
        😀👍🏽🇩🅰ⓐ①❶²½™¨ªℵ𝓯ꜰᴜ\u{f77}\u{f71}\u{f80}\u{1d15e}\u{2f800}\u{e000}\u{10ffff}\u{fffd}€¡“”";
    let chars: Vec<char> = NASTY.chars().collect();
    let one = prop_oneof![4 => prop::sample::select(chars), 1 => any::<char>()];
    prop::collection::vec(one, 0..24).prop_map(|chars| chars.into_iter().collect())
}

/// The map of a view covers its original in order, on character boundaries.
fn check_map(original: &str, view: &NormalizedText) {
    assert_eq!(view.original_len() as usize, original.len());
    let (mut start, mut end) = (0, 0);
    for (at, ch) in view.text().char_indices() {
        let span = view.original_span(Span::<Normalized>::from_range(at..at + ch.len_utf8()));
        let range = span.range();
        assert!(range.start >= start && range.end >= end, "spans do not run backwards");
        assert!(!range.is_empty() && range.end <= original.len());
        assert!(original.is_char_boundary(range.start) && original.is_char_boundary(range.end));
        (start, end) = (range.start, range.end);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn folding_twice_is_folding_once(text in nasty()) {
        let once = standard_of(&text);
        prop_assert_eq!(standard_of(&once), once.clone(), "{:?}", text);
    }

    #[test]
    fn maps_are_exact(text in nasty()) {
        let standard = standard(&text);
        check_map(&text, &standard);
        prop_assert!(standard.text().len() <= 18 * text.len());
        if let Some(skeleton) = skeleton(&text, &standard) {
            check_map(&text, skeleton.view());
            let chars = skeleton.view().text().chars().count();
            let whole = Span::from_range(0..skeleton.view().text().len());
            prop_assert_eq!(skeleton.runs(whole).len(), chars);
        }
    }

    #[test]
    fn any_text_is_folded_without_panic(text in any::<String>()) {
        let standard = standard(&text);
        check_map(&text, &standard);
        prop_assert_eq!(standard_of(standard.text()), standard.text());
        if let Some(skeleton) = skeleton(&text, &standard) {
            check_map(&text, skeleton.view());
        }
        skeleton_literal(&text);
    }

    #[test]
    fn a_literal_is_found_in_a_text_that_has_it(word in "[a-zA-Zа-яЁёа-яàéîõüßñçÀ가-힣\u{4e00}-\u{9fff}\u{5d0}-\u{5ea}]{1,8}") {
        let text = format!("x {word} y");
        let literal = standard_literal(&word);
        prop_assert!(standard_of(&text).contains(&literal), "{}", word);
    }
}

/// Texts of the letters and signs that the steps of the skeleton look at.
fn texts_of_suspects() -> impl Strategy<Value = String> {
    let suspects: Vec<char> =
        "aabbii1130$!|€#¡ .,-/'\n?。、·é𝖆øаеіпдαρ加微信我一二三〇かカー〜가ㅏㅂ바一พเแํ่你ь\u{301}🇩🔴ʞɯ\u{202e}֊մ"
            .chars()
            .collect();
    prop::collection::vec(prop::sample::select(suspects), 0..14).prop_map(String::from_iter)
}

/// Texts long enough that some of their words stand far from every odd gap.
fn long_texts() -> impl Strategy<Value = String> {
    let pieces = "word| |le| |0'| |ͱ|don't|, |f'u'c'k|. |图书馆| |，|里| |나12너|나123너|가'1가| |x|\n|-\n| - |é|#longertags|/|❤|…|ไทย|का";
    let pieces: Vec<&str> = pieces.split('|').collect();
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn a_quick_look_overlooks_nothing(text in prop_oneof![texts_of_suspects(), nasty(), long_texts()]) {
        // What `@` opens is a mention for the quick look alone.
        let text = text.replace('@', "a");
        let standard = standard(&text);
        prop_assert_eq!(skeletons(&text, &standard, &|_| true), skeleton::all(&text, &standard));
    }
}
