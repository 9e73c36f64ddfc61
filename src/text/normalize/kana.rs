//! Hiragana as Katakana, small kana as large ones, and no prolonged sounds.

use super::units::{self, Unit};
use crate::text::scripts::is_kana;

/// Makes kana words one way of writing; whether there were any.
///
/// Words in large Katakana stay as they are and count all the same: a literal in Hiragana meets them
/// only here.
pub(super) fn undo(units: &mut Vec<Unit>) -> bool {
    let mut found = false;
    let mut prolonged = Vec::new();
    let mut in_word = false;
    for (at, unit) in units.iter_mut().enumerate() {
        if in_word && matches!(unit.ch, 'ー' | '〜' | '~' | '〰') {
            prolonged.push(at);
            continue;
        }
        in_word = is_kana(unit.ch);
        if in_word {
            unit.ch = large(katakana(unit.ch));
            found = true;
        }
    }
    units::remove(units, &prolonged);
    found
}

fn katakana(ch: char) -> char {
    match ch {
        // The two blocks are laid out alike, 0x60 apart.
        'ぁ'..='ゖ' | 'ゝ'..='ゞ' => char::from_u32(u32::from(ch) + 0x60).unwrap_or(ch),
        _ => ch,
    }
}

fn large(ch: char) -> char {
    match ch {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        _ => ch,
    }
}
