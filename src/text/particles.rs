//! What grammar glues to a word without a space: particles of Korean, proclitics and pronouns of
//! Arabic and Hebrew. Closed lists of the languages, not of words.

/// Particles and forms of 이다 after a Korean noun.
const KOREAN: [&str; 78] = [
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "의",
    "에",
    "에서",
    "에게",
    "에게서",
    "에는",
    "에도",
    "에서는",
    "에서도",
    "에게는",
    "에게도",
    "께",
    "께서",
    "한테",
    "한테서",
    "한테는",
    "로",
    "으로",
    "로는",
    "으로는",
    "로서",
    "으로서",
    "로써",
    "으로써",
    "로부터",
    "으로부터",
    "와",
    "과",
    "와는",
    "과는",
    "와의",
    "과의",
    "랑",
    "이랑",
    "하고",
    "도",
    "만",
    "만은",
    "만이",
    "까지",
    "까지도",
    "부터",
    "처럼",
    "같이",
    "보다",
    "보다는",
    "마다",
    "조차",
    "마저",
    "밖에",
    "뿐",
    "이나",
    "나",
    "든지",
    "이든지",
    "라도",
    "이라도",
    "라고",
    "이라고",
    "란",
    "이란",
    "야",
    "아",
    "여",
    "이여",
    "이다",
    "입니다",
    "이야",
    "예요",
    "이에요",
    "요",
    "님",
];

/// The Korean plural, which particles follow.
const KOREAN_PLURAL: &str = "들";

/// Arabic conjunctions, prepositions and the article, alone and together, before a word, with the
/// hamza forms of alef folded.
const ARABIC_BEFORE: [&str; 22] = [
    "و", "ف", "ب", "ك", "ل", "ال", "وال", "فال", "بال", "كال", "لل", "ولل", "فلل", "وبال", "وكال",
    "فبال", "وب", "ول", "وك", "فب", "فل", "هال",
];

/// Arabic pronouns after a word.
const ARABIC_AFTER: [&str; 13] =
    ["ه", "ها", "هم", "هن", "هما", "ك", "كم", "كن", "كما", "ي", "نا", "ني", "كو"];

/// Hebrew prefixes, alone and together, before a word.
const HEBREW_BEFORE: [&str; 25] = [
    "ו", "ה", "ב", "כ", "ל", "מ", "ש", "וה", "וב", "וכ", "ול", "ומ", "וש", "שה", "שב", "של", "כש",
    "מה", "לה", "מש", "לכש", "וכש", "שמ", "ושה", "בה",
];

/// Hebrew pronouns after a word.
const HEBREW_AFTER: [&str; 13] =
    ["י", "ך", "ו", "ה", "נו", "כם", "כן", "ם", "ן", "הם", "הן", "יו", "יה"];

/// Whether the Hangul after a noun is a particle and nothing else.
pub(super) fn is_korean_particle(after: &str) -> bool {
    let singular = after.strip_prefix(KOREAN_PLURAL).unwrap_or(after);
    singular.is_empty() || KOREAN.contains(&singular)
}

/// Whether the Arabic letters before a word are proclitics and nothing else.
pub(super) fn is_arabic_proclitic(before: &str) -> bool {
    ARABIC_BEFORE.contains(&before)
}

/// Whether the Arabic letters after a word are a pronoun and nothing else.
pub(super) fn is_arabic_pronoun(after: &str) -> bool {
    ARABIC_AFTER.contains(&after)
}

/// Whether the Hebrew letters before a word are prefixes and nothing else.
pub(super) fn is_hebrew_prefix(before: &str) -> bool {
    HEBREW_BEFORE.contains(&before)
}

/// Whether the Hebrew letters after a word are a pronoun and nothing else.
pub(super) fn is_hebrew_pronoun(after: &str) -> bool {
    HEBREW_AFTER.contains(&after)
}
