//! Where a word may begin and end, judged on the text as it was written.
//!
//! In writings with spaces an edge is where the neighbour is not a letter, digit or mark of the same
//! script: `decided` stands alone in `我们decided了`, `ass` does not in `assassin`. Korean, Arabic and
//! Hebrew allow the particles that their grammar glues to words. Han, Hiragana, Thai and their like
//! have no words to see: every place is an edge there, but for the middle of a character.

use unicode_script::Script;

use super::{normalize::standard, particles, scripts};

/// Letters looked at for a particle; the longest of the lists is shorter.
const PARTICLE_MAX: usize = 6;

/// Whether a word may begin at byte `start`.
///
/// # Panics
/// When `start` is no character boundary of `original`.
pub fn left_edge(original: &str, start: usize) -> bool {
    let (before, from) = original.split_at(start);
    let Some(first) = from.chars().find(|&ch| !is_transparent(ch)) else { return true };
    let mut neighbours = before.chars().rev().filter(|&ch| !is_transparent(ch));
    let Some(neighbour) = neighbours.next() else { return true };
    let second = || from.chars().filter(|&ch| !is_transparent(ch)).nth(1);
    if is_hidden_letter(first, second(), Some(neighbour)) {
        return false;
    }
    if !joins(first, neighbour) {
        return true;
    }
    let letters = || {
        let run = before.chars().rev().take_while(|&ch| is_transparent(ch) || joins(first, ch));
        let mut letters: Vec<char> = run.take(4 * PARTICLE_MAX).collect();
        letters.reverse();
        standard(&letters.into_iter().collect::<String>()).text().to_owned()
    };
    match scripts::script(first) {
        Script::Hangul => true,
        Script::Arabic => particles::is_arabic_proclitic(&letters()),
        Script::Hebrew => particles::is_hebrew_prefix(&letters()),
        _ => false,
    }
}

/// Whether a word may end at byte `end`.
///
/// # Panics
/// When `end` is no character boundary of `original`.
pub fn right_edge(original: &str, end: usize) -> bool {
    let (to, after) = original.split_at(end);
    let mut backwards = to.chars().rev().filter(|&ch| !is_transparent(ch));
    let Some(last) = backwards.next() else { return true };
    let Some(neighbour) = after.chars().find(|&ch| !is_transparent(ch)) else { return true };
    if scripts::is_mark(neighbour) {
        // A mark of its own script belongs to the letter before it.
        return false;
    }
    if neighbour == 'ة' {
        // The ending of a word of its own, not the pronoun that it is folded to.
        return false;
    }
    if is_hidden_letter(last, Some(neighbour), backwards.next()) {
        return false;
    }
    if !joins(last, neighbour) {
        return true;
    }
    let letters = || {
        let run = after.chars().take_while(|&ch| is_transparent(ch) || joins(last, ch));
        let letters: String = run.take(4 * PARTICLE_MAX).collect();
        standard(&letters).text().to_owned()
    };
    match scripts::script(last) {
        Script::Hangul => particles::is_korean_particle(&letters()),
        Script::Arabic => particles::is_arabic_pronoun(&letters()),
        Script::Hebrew => particles::is_hebrew_pronoun(&letters()),
        _ => false,
    }
}

/// Whether a neighbour makes one word with the character at the edge.
fn joins(edge: char, neighbour: char) -> bool {
    if !edge.is_alphanumeric() && !scripts::is_mark(edge) {
        return false;
    }
    if has_no_edges(edge) || has_no_edges(neighbour) {
        return false;
    }
    let in_word = neighbour.is_alphanumeric() || scripts::is_mark(neighbour);
    let (one, other) = (scripts::script(edge), scripts::script(neighbour));
    // Digits are of no script and belong to the word they stand at, but for Hangul: 010번.
    let shared = |script| matches!(script, Script::Common | Script::Inherited);
    let digit = shared(one) || shared(other);
    in_word && (one == other || (digit && one != Script::Hangul && other != Script::Hangul))
}

/// Whether words of the character's script cannot be told apart.
fn has_no_edges(ch: char) -> bool {
    scripts::is_written_without_spaces(ch) && scripts::script(ch) != Script::Katakana
}

/// Whether a sign at the edge is a letter in disguise, inside a longer word: the `$` of `bull$hit`.
fn is_hidden_letter(sign: char, after: Option<char>, before: Option<char>) -> bool {
    let letter = |ch: Option<char>| ch.is_some_and(|ch| ch.is_alphabetic() && !has_no_edges(ch));
    matches!(sign, '$' | '@' | '!' | '|' | '€' | '¡' | '¢') && letter(after) && letter(before)
}

/// Whether `ch` is looked through: what a reader does not see, marks that scripts share, and the
/// skin tones of emoji.
fn is_transparent(ch: char) -> bool {
    if ch.is_ascii() {
        return false;
    }
    matches!(ch, '\u{1F3FB}'..='\u{1F3FF}' | '\u{488}'..='\u{489}')
        || scripts::is_shared_mark(ch)
        || scripts::is_unseen(ch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `word` stands alone at its first place in `text`.
    fn alone(text: &str, word: &str) -> bool {
        let start = text.find(word).expect("the table's word is in its text");
        left_edge(text, start) && right_edge(text, start + word.len())
    }

    #[test]
    fn a_word_stands_alone_where_readers_see_one() {
        for (text, word, expected) in [
            ("assassin", "ass", false),
            ("an ass!", "ass", true),
            ("我们decided了", "decided", true),
            ("undecided了", "decided", false),
            ("ass1", "ass", false),
            ("ass_1", "ass", true),
            ("as\u{200b}s\u{200b}assin", "as\u{200b}s", false),
            ("ass\u{301}assin", "ass", false),
            ("ass\u{1F3FD}", "ass", true),
            ("bull$hit", "$hit", false),
            ("a $hit b", "$hit", true),
            ("US$100", "$100", true),
            ("加微信abc", "微信", true),
            ("加微信abc", "abc", true),
            ("カタカナ", "カタ", false),
            ("ラーメン", "ラ", false),
            ("このバカが", "バカ", true),
            ("バカー", "バカ", false),
            ("ばかだ", "ばか", true),
            ("เกมส์นี้", "เกม", true),
            ("ที่นี่", "ท", false),
            ("हिंदी", "हिंद", false),
            ("कमल का", "कमल", true),
            ("시발은", "시발", true),
            ("시발점", "시발", false),
            ("개시발", "시발", true),
            ("친구들에게", "친구", true),
            ("والكلب", "كلب", true),
            ("كلبهم", "كلب", true),
            ("مكلب", "كلب", false),
            ("خولة", "خول", false),
            ("خوله", "خول", true),
            ("כלבים", "כלב", false),
            ("הכלב", "כלב", true),
            ("привет", "вет", false),
            ("1488", "148", false),
            ("我1488", "1488", true),
        ] {
            assert_eq!(alone(text, word), expected, "{word} in {text}");
        }
    }
}
