//! Han numerals written digit by digit, as in telephone numbers: 一三八 is 138.

use super::units::{self, Unit};

/// Numerals in a row that make a number; two are words (三八, 九一).
pub(super) const RUN_MIN: usize = 3;

/// Puts digits in the place of Han numerals; whether any were.
pub(super) fn undo(units: &mut [Unit]) -> bool {
    let runs = units::runs(units, |ch| digit(ch).is_some());
    let long = runs.into_iter().filter(|run| run.len() >= RUN_MIN);
    let mut changed = false;
    for at in long.flatten() {
        units[at].ch = digit(units[at].ch).unwrap_or(units[at].ch);
        changed = true;
    }
    changed
}

/// The digit that a Han numeral is.
pub(super) fn digit(ch: char) -> Option<char> {
    Some(match ch {
        '〇' | '零' => '0',
        '一' | '壹' | '幺' => '1',
        '二' | '贰' => '2',
        '三' | '叁' => '3',
        '四' | '肆' => '4',
        '五' | '伍' => '5',
        '六' | '陆' => '6',
        '七' | '柒' => '7',
        '八' | '捌' => '8',
        '九' | '玖' => '9',
        _ => return None,
    })
}
