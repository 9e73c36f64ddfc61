//! Thai and Lao signs that look alike however they are typed: two เ for แ, and a tone mark on either
//! side of the ring of ำ.
//!
//! Triggers: U+0E40 and U+0EC0 twice in a row; U+0E4D and U+0ECD before a tone mark.

use super::units::Unit;

/// Types them one way; whether there were any.
pub(super) fn undo(units: &mut Vec<Unit>) -> bool {
    if !units.windows(2).any(|pair| differs(pair[0].ch, pair[1].ch)) {
        return false;
    }
    let mut kept = Vec::with_capacity(units.len());
    for run in units.chunk_by(|a, b| a.ch == b.ch) {
        match run {
            // Three or more are a letter that was repeated.
            [_, _, _, ..] => kept.extend_from_slice(run),
            _ => run.iter().for_each(|&unit| push(&mut kept, unit)),
        }
    }
    *units = kept;
    true
}

fn push(kept: &mut Vec<Unit>, unit: Unit) {
    let Some(last) = kept.last_mut() else { return kept.push(unit) };
    if let Some(one) = doubled(last.ch, unit.ch) {
        *last = last.up_to(unit).read_as(one);
    } else if is_ring(last.ch) && is_tone(unit.ch) {
        let ring = last.ch;
        let both = last.up_to(unit);
        *last = both.read_as(unit.ch);
        kept.push(both.read_as(ring));
    } else {
        kept.push(unit);
    }
}

/// Whether two signs in a row are typed otherwise.
pub(super) fn differs(before: char, ch: char) -> bool {
    doubled(before, ch).is_some() || (is_ring(before) && is_tone(ch))
}

fn doubled(before: char, ch: char) -> Option<char> {
    match (before, ch) {
        ('\u{E40}', '\u{E40}') => Some('\u{E41}'),
        ('\u{EC0}', '\u{EC0}') => Some('\u{EC1}'),
        _ => None,
    }
}

fn is_ring(ch: char) -> bool {
    matches!(ch, '\u{E4D}' | '\u{ECD}')
}

fn is_tone(ch: char) -> bool {
    matches!(ch, '\u{E48}'..='\u{E4B}' | '\u{EC8}'..='\u{ECB}')
}
