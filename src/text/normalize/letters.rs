//! What a single character becomes: case, forms of Arabic letters, enclosed letters, and characters
//! that a reader does not see.
//!
//! Compatibility forms (full width, mathematical, ligatures) are NFKC's and not listed here.

use crate::text::scripts;

/// One character in the standard view, before NFKC looks at it again.
pub(super) enum Letter {
    /// It says nothing: removed.
    Nothing,
    /// It stays or becomes this.
    One(char),
    /// It becomes these.
    Many(&'static str),
}

/// The fold of `ch`, in lower case already.
///
/// `ß` becomes `ss` in texts and literals alike, final sigma is sigma, and the Arabic letter forms
/// that keyboards and fonts mix up are one.
pub(super) fn fold(ch: char) -> Letter {
    if is_unseen(ch) {
        return Letter::Nothing;
    }
    Letter::One(match ch {
        'ß' => return Letter::Many("ss"),
        'ς' => 'σ',
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ة' => 'ه',
        _ => enclosed(ch).unwrap_or(ch),
    })
}

/// Removed everywhere: default-ignorable characters (zero width, bidi controls, variation selectors,
/// tags, fillers), controls that are not white space, and marks that writers of Arabic and Hebrew
/// leave out.
fn is_unseen(ch: char) -> bool {
    match ch {
        '\u{20}'..='\u{7E}' => false,
        // Hebrew points and accents; Arabic tatweel, harakat, Quranic marks, hamza as a mark
        '\u{591}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}'..='\u{5C2}' | '\u{5C4}'..='\u{5C5}'
        | '\u{5C7}' | '\u{610}'..='\u{61A}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}'
        | '\u{6D6}'..='\u{6DC}' | '\u{6DF}'..='\u{6E4}' | '\u{6E7}'..='\u{6E8}'
        | '\u{6EA}'..='\u{6ED}' | '\u{8D3}'..='\u{8E1}' | '\u{8E3}'..='\u{8FF}'
        // marks that enclose, such as the keycap
        | '\u{488}'..='\u{489}' | '\u{20DD}'..='\u{20E0}' | '\u{20E2}'..='\u{20E4}' => true,
        _ if ch.is_control() => !ch.is_whitespace(),
        _ => scripts::is_unseen(ch),
    }
}

/// Letters and digits in filled circles and squares, which NFKC leaves alone.
fn enclosed(ch: char) -> Option<char> {
    const FILLED_LETTERS: [char; 3] = ['\u{1F150}', '\u{1F170}', '\u{1F130}'];
    const FIRST_DIGITS: [char; 4] = ['❶', '➀', '➊', '⓵'];
    if ch == '⓿' {
        return Some('0');
    }
    let within = |first: &char, count: u32| {
        u32::from(ch).checked_sub(u32::from(*first)).filter(|&place| place < count)
    };
    let letter = FILLED_LETTERS.iter().find_map(|first| within(first, 26));
    if let Some(place) = letter {
        return char::from_u32(u32::from('a') + place);
    }
    let digit = FIRST_DIGITS.iter().find_map(|first| within(first, 9))?;
    char::from_u32(u32::from('1') + digit)
}
