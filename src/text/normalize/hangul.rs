//! Syllables of Hangul that were written letter by letter: ㅅㅣㅂㅏㄹ.
//!
//! Compatibility letters compose to syllables in the standard view, but for a final consonant, which
//! has the code of an initial one there. Triggers: U+1100..=U+1112 after a syllable without a final.

use super::units::Unit;

/// Syllables begin here, 28 for each initial and vowel: one without a final, then its finals.
const FIRST: u32 = 0xAC00;
const LAST: u32 = 0xD7A3;
const FINALS: u32 = 28;
/// The place among the finals of each of the nineteen initials; ㄸ, ㅃ and ㅉ are none.
const FINAL_OF_INITIAL: [u32; 19] =
    [1, 2, 4, 7, 0, 8, 16, 17, 0, 19, 20, 21, 22, 0, 23, 24, 25, 26, 27];

/// Puts lone consonants under the syllables before them; whether there were any.
pub(super) fn undo(units: &mut Vec<Unit>) -> bool {
    let mut kept: Vec<Unit> = Vec::with_capacity(units.len());
    let mut changed = false;
    for (at, &unit) in units.iter().enumerate() {
        // ㅋㅋ and ㅎㅎ after a word are laughter.
        let repeated = units.get(at + 1).is_some_and(|next| next.ch == unit.ch);
        let syllable = kept.last().and_then(|last| with_final(last.ch, unit.ch));
        match (syllable, kept.last_mut()) {
            (Some(syllable), Some(last)) if !repeated => {
                *last = last.up_to(unit).read_as(syllable);
                changed = true;
            }
            _ => kept.push(unit),
        }
    }
    if changed {
        *units = kept;
    }
    changed
}

/// Whether this step may change `ch`.
pub(super) fn may_change(ch: char) -> bool {
    matches!(ch, '\u{1100}'..='\u{1112}')
}

/// The syllable with the consonant as its final, where it has none yet.
fn with_final(syllable: char, consonant: char) -> Option<char> {
    let initial = u32::from(consonant).checked_sub(0x1100)?;
    let place = FINAL_OF_INITIAL.get(usize::try_from(initial).ok()?).filter(|&&place| place > 0)?;
    let code = u32::from(syllable);
    let open = (FIRST..=LAST).contains(&code) && (code - FIRST).is_multiple_of(FINALS);
    open.then(|| char::from_u32(code + place)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consonant_goes_under_an_open_syllable() {
        assert_eq!(with_final('바', '\u{1105}'), Some('발'));
        assert_eq!(with_final('벼', '\u{110B}'), Some('병'));
        assert_eq!(with_final('발', '\u{1105}'), None);
        assert_eq!(with_final('바', '\u{1104}'), None);
        assert_eq!(with_final('a', '\u{1105}'), None);
    }
}
