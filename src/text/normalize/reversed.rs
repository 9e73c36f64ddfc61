//! Text written backwards that is shown forwards: by the override characters of Unicode's
//! bidirectional algorithm (UAX 9), which turn `kcuf` around on the screen.
//!
//! A turned stretch is mapped to the original as a whole. Triggers: U+202E, and U+202D before letters
//! that run from right to left.

use super::{
    reading::Reading,
    units::{self, Unit},
};
use crate::text::{NormalizedText, scripts::is_right_to_left};

/// What orders the characters after it from right to left, and from left to right.
pub(super) const OVERRIDES: [char; 2] = [RIGHT_TO_LEFT, LEFT_TO_RIGHT];
const RIGHT_TO_LEFT: char = '\u{202E}';
const LEFT_TO_RIGHT: char = '\u{202D}';
/// What ends an override.
const ENDS: [char; 6] = ['\u{202C}', '\u{2069}', '\n', '\r', '\u{2029}', '\u{85}'];

/// Turns what is shown in another order than it is written; whether anything was.
pub(super) fn undo(
    units: &mut [Unit],
    original: &str,
    standard: &NormalizedText,
    reading: &mut Reading,
) -> bool {
    // Nothing hides behind an override that nobody sees: the text as it is written is read as well.
    if !original.contains(OVERRIDES) || !reading.is_second() {
        return false;
    }
    let mut changed = false;
    let mut at = 0;
    while let Some(found) = original[at..].find(OVERRIDES) {
        let start = at + found;
        let rest = &original[start..];
        let end = rest.find(ENDS).map_or(original.len(), |end| start + end);
        let opened = rest.starts_with(RIGHT_TO_LEFT);
        at = (start + RIGHT_TO_LEFT.len_utf8()).max(end);
        let inside = units::inside(units, start..end, standard);
        let turned = &mut units[inside];
        let right_to_left = turned.iter().any(|unit| is_right_to_left(unit.ch));
        if opened != right_to_left {
            turn(turned);
            changed = true;
        }
    }
    changed
}

/// Writes the units in the other order; each stands for the whole stretch from then on.
pub(super) fn turn(units: &mut [Unit]) {
    let (Some(&first), Some(&last)) = (units.first(), units.last()) else { return };
    let whole = first.up_to(last);
    units.reverse();
    for unit in units {
        *unit = whole.read_as(unit.ch);
    }
}
