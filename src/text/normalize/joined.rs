//! A text with its words run together, for literals that are split or joined: `ki.ll`, `f uck`,
//! `ghost_gun_kit`, a word broken over two lines, an emoji between two Han characters.
//!
//! What is left out between two letters stays known as a [`Gap`]. Whether a literal may be read across
//! the gaps is decided where it is found ([`super::splits`]), so that `the rapist` is never one word.
//! A text whose gaps are those of plain writing is not joined at all.
//!
//! What makes a text worth joining: a sign between two letters, white space between two characters of
//! a script without spaces, a line break, a single letter beside a word, a digit between two Hangul
//! syllables.

use std::ops::Range;

use unicode_script::Script;

use super::{
    clusters::{self, is_one_letter_word},
    odd_gaps,
    spaces::is_line_break,
    units::{self, Unit},
};
use crate::text::{
    NormalizedText,
    scripts::{is_letter, is_letter_or_digit, is_mark, is_written_without_spaces, script},
};

/// Characters of a gap that a reader may read across.
const GAP_MAX: usize = 4;
/// Digits between two Hangul syllables that are in the way and say nothing.
pub(super) const HANGUL_DIGITS_MAX: usize = 2;
/// Letters of a tag that may hold two words.
pub(super) const TAG_MIN: usize = 8;
/// Characters on either side of an odd gap that a literal across it may have.
pub(super) const NEAR: usize = 24;
/// What no literal reaches across.
const BARRIER: char = '\n';

/// What stood before a character and was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Gap {
    pub(super) kind: Kind,
    /// Equal gaps have equal numbers.
    pub(super) id: u32,
    /// Whether a letter stands alone beside it that is no word, or letters that all stood alone.
    pub(super) torn: bool,
    /// Gaps inside the run of the character, where it was written several times.
    pub(super) inside: u8,
    /// Kind and number of the last of those.
    pub(super) inner: Kind,
    pub(super) inner_id: u32,
}

/// Kinds of gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// Nothing.
    #[default]
    None,
    /// A space.
    Space,
    /// A line break, with the hyphen of a broken word or without.
    Line,
    /// Signs that are no punctuation of running text: emoji, `_`, `*`, `.` inside a word.
    Sign,
    /// Punctuation without white space.
    Punctuation,
    /// Emoji and other signs that are no punctuation, and white space.
    Spaced,
    /// Punctuation and white space.
    Mixed,
    /// The end of a sentence or of a paragraph, or the edge of the text.
    Barrier,
}

impl Gap {
    const BARRIER: Self =
        Self { kind: Kind::Barrier, id: 0, torn: false, inside: 0, inner: Kind::None, inner_id: 0 };

    pub(super) fn is_slash(self) -> bool {
        self.id == u32::from('/')
    }

    pub(super) fn looks_like(self, other: Self) -> bool {
        (self.kind, self.id) == (other.kind, other.id)
    }
}

/// Where the run of a letter goes on across a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Across {
    /// Where one word may be torn apart: not between two words.
    TornWords,
    Nothing,
    Everything,
}

impl Across {
    fn goes_on(self, gap: Gap) -> bool {
        match (self, gap.kind) {
            (_, Kind::None) => true,
            (Self::Nothing, _) | (_, Kind::Barrier) => false,
            (Self::TornWords, Kind::Space | Kind::Spaced | Kind::Mixed) => gap.torn,
            (Self::TornWords | Self::Everything, _) => true,
        }
    }
}

/// A text without gaps, and the gap before each of its characters.
pub(super) struct Joined {
    across: Across,
    pub(super) units: Vec<Unit>,
    pub(super) gaps: Vec<Gap>,
    pub(super) runs: Vec<u8>,
}

/// The joined text; nothing where its gaps are those of plain writing.
pub(super) fn join(units: &[Unit], original: &str, standard: &NormalizedText) -> Option<Joined> {
    join_all([units].into_iter(), original, standard)
}

/// The same for a text that the other steps leave as it is.
pub(super) fn join_plain(original: &str, standard: &NormalizedText) -> Option<Joined> {
    let windows = odd_gaps::windows(original, standard);
    let windows = windows.into_iter().map(|window| units::of_range(standard, window));
    join_all(windows, original, standard)
}

fn join_all<T: AsRef<[Unit]>>(
    texts: impl Iterator<Item = T>,
    original: &str,
    standard: &NormalizedText,
) -> Option<Joined> {
    let broken = original.contains(is_line_break);
    let breaks_line =
        |gap: &[Unit]| broken && units::written(gap, original, standard).contains(is_line_break);
    let mut joined = Joined::new(Across::TornWords);
    for text in texts {
        joined.run_together(text.as_ref(), breaks_line);
    }
    (!joined.units.is_empty()).then_some(joined)
}

/// A literal as joined texts show it: with the letter that ends one word and begins the next written
/// twice, and once with a run of two. Nothing where it has signs that are left out there and say
/// something, such as an emoji.
pub(super) fn join_literal(units: &[Unit]) -> Vec<Joined> {
    let plain = |unit: &Unit| {
        !separates(unit.ch) || matches!(unit.ch, ' ' | '-' | '.' | ',' | '_' | '\'' | '’')
    };
    let within = |unit: Option<&Unit>| unit.is_some_and(|unit| !separates(unit.ch));
    if !(units.iter().all(plain) && within(units.first()) && within(units.last())) {
        return Vec::new();
    }
    let join = |across| {
        let mut joined = Joined::new(across);
        joined.run_together(units, |_| false);
        joined
    };
    let (apart, together) = (join(Across::Nothing), join(Across::Everything));
    let differ = apart.units.len() != together.units.len();
    std::iter::once(apart).chain(differ.then_some(together)).collect()
}

/// Letters and digits without a gap between them, and what stands before them.
struct Group {
    place: Range<usize>,
    gap: Gap,
    /// Where the gap begins.
    from: usize,
    /// Whether plain writing has no such gap.
    odd: bool,
}

/// The groups of a text with their gaps.
fn groups(units: &[Unit], breaks_line: impl Fn(&[Unit]) -> bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while at < units.len() {
        let signs = units[at..].iter().take_while(|unit| separates(unit.ch)).count();
        let digits = if signs == 0 { hangul_digits(units, at) } else { 0 };
        let start = at + signs + digits;
        if start == units.len() {
            break;
        }
        let place = start..group_end(units, start);
        let last = groups.last().map_or(0..0, |last| last.place.clone());
        let gap = if last.is_empty() {
            Gap::BARRIER
        } else if digits > 0 {
            Gap { kind: Kind::Sign, ..Gap::default() }
        } else {
            classify(&units[at..start], &breaks_line)
        };
        let (left, right) = (&units[last], &units[place.clone()]);
        let torn = || is_torn(left) || is_torn(right);
        let gap = Gap { torn: gap.kind != Kind::Barrier && torn(), ..gap };
        let odd = is_odd(gap, left, right) || is_tag(&units[at..start], right);
        at = place.end;
        groups.push(Group { from: start - signs - digits, place, gap, odd });
    }
    groups
}

impl Joined {
    fn new(across: Across) -> Self {
        Self { across, units: Vec::new(), gaps: Vec::new(), runs: Vec::new() }
    }

    /// Appends a text without its gaps; of one that may be torn it is what stands near odd gaps, for
    /// elsewhere no literal is torn.
    fn run_together(&mut self, all: &[Unit], breaks_line: impl Fn(&[Unit]) -> bool) {
        // Apostrophes come and go, and are no gap.
        let units: Vec<Unit> = all.iter().copied().filter(|unit| !is_apostrophe(unit.ch)).collect();
        let groups = groups(&units, breaks_line);
        let odd: Vec<usize> =
            groups.iter().filter(|group| group.odd).map(|group| group.place.start).collect();
        let is_near = |place: &Range<usize>| {
            let next = odd.partition_point(|&at| at + NEAR < place.start);
            self.across != Across::TornWords
                || odd.get(next).is_some_and(|&at| at <= place.end + NEAR)
        };
        let near: Vec<bool> = groups.iter().map(|group| is_near(&group.place)).collect();
        let mut left_out = false;
        for (group, near) in groups.into_iter().zip(near) {
            if !near {
                left_out = true;
                continue;
            }
            let gap = if std::mem::take(&mut left_out) { Gap::BARRIER } else { group.gap };
            if gap.kind == Kind::Barrier && group.from < group.place.start {
                self.push(units[group.from].read_as(BARRIER), gap);
            }
            let gaps = std::iter::once(gap).chain(std::iter::repeat(Gap::default()));
            units[group.place].iter().zip(gaps).for_each(|(&unit, gap)| self.push(unit, gap));
        }
    }

    /// Appends a character, or lengthens the run that it belongs to.
    fn push(&mut self, unit: Unit, gap: Gap) {
        match self.units.last_mut() {
            Some(last) if last.ch == unit.ch && is_letter(unit.ch) && self.across.goes_on(gap) => {
                *last = last.up_to(unit);
                if let (Some(run), Some(kept)) = (self.runs.last_mut(), self.gaps.last_mut()) {
                    *run = run.saturating_add(1);
                    if gap.kind != Kind::None {
                        kept.inside = kept.inside.saturating_add(1);
                        (kept.inner, kept.inner_id) = (gap.kind, gap.id);
                        kept.torn |= gap.torn;
                    }
                }
            }
            _ => {
                self.units.push(unit);
                self.gaps.push(gap);
                self.runs.push(1);
            }
        }
    }
}

/// The end of the letters and digits from `start` on; digits between two Hangul syllables end them.
fn group_end(units: &[Unit], start: usize) -> usize {
    let mut end = start;
    while end < units.len() && !separates(units[end].ch) {
        if end > start && hangul_digits(units, end) > 0 {
            break;
        }
        end += 1;
    }
    end
}

/// How many digits stand from `at` on between two Hangul syllables, if they are few.
fn hangul_digits(units: &[Unit], at: usize) -> usize {
    if !units[at].ch.is_ascii_digit() {
        return 0;
    }
    let hangul = |at: usize| units.get(at).is_some_and(|unit| script(unit.ch) == Script::Hangul);
    let digits = units[at..].iter().take_while(|unit| unit.ch.is_ascii_digit()).count();
    let between = at.checked_sub(1).is_some_and(hangul) && hangul(at + digits);
    if between && digits <= HANGUL_DIGITS_MAX { digits } else { 0 }
}

/// A sign that comes and goes inside words.
pub(super) fn is_apostrophe(ch: char) -> bool {
    matches!(ch, '\'' | '’')
}

/// Whether a character is left out.
pub(super) fn separates(ch: char) -> bool {
    if ch.is_ascii() {
        return !ch.is_ascii_alphanumeric();
    }
    !is_letter_or_digit(ch) && !is_mark(ch)
}

fn classify(gap: &[Unit], breaks_line: impl Fn(&[Unit]) -> bool) -> Gap {
    let chars = || gap.iter().map(|unit| unit.ch);
    let ends = |ch| matches!(ch, '\n' | '。' | '!' | '?' | '…');
    let kind = if gap.is_empty() {
        Kind::None
    } else if gap.len() > GAP_MAX || chars().any(ends) {
        return Gap::BARRIER;
    } else if chars().all(char::is_whitespace) {
        if breaks_line(gap) { Kind::Line } else { Kind::Space }
    } else if chars().any(char::is_whitespace) {
        let hyphen = gap.len() == 2 && matches!(gap[0].ch, '-' | '‐');
        if hyphen && breaks_line(gap) {
            Kind::Line
        } else if chars().all(|ch| ch == ' ' || !(ch.is_ascii() || is_punctuation(ch))) {
            Kind::Spaced
        } else {
            Kind::Mixed
        }
    } else if chars().any(is_punctuation) {
        Kind::Punctuation
    } else {
        Kind::Sign
    };
    let id = chars().fold(0_u32, |id, ch| id.wrapping_mul(31).wrapping_add(u32::from(ch)));
    Gap { kind, id, ..Gap::default() }
}

/// Signs that stand between words and clauses of running text without a space as well.
fn is_punctuation(ch: char) -> bool {
    matches!(ch, ',' | ':' | ';' | '/' | '"' | '(' | ')' | '[' | ']' | '{' | '}' | '&' | '%' | '+')
        || matches!(ch, '=' | '<' | '>' | '—' | '–' | '«' | '»' | '、' | '،' | '؛' | '؟')
        || matches!(ch, '“' | '”' | '„' | '।' | '॥' | '\u{3008}'..='\u{301B}')
}

/// Whether plain writing has no such gap between two such groups.
fn is_odd(gap: Gap, left: &[Unit], right: &[Unit]) -> bool {
    let (Some(before), Some(after)) = (left.last(), right.first()) else { return false };
    let letter = |ch: char| is_letter(ch) || is_mark(ch);
    let unspaced = |ch| is_written_without_spaces(ch) || is_mark(ch);
    match gap.kind {
        Kind::Sign | Kind::Spaced | Kind::Line => letter(before.ch) && letter(after.ch),
        // A literal is read across punctuation only beside a letter that stands alone.
        Kind::Punctuation => {
            let alone = |group: &[Unit]| {
                group.len() <= clusters::CHARS_MAX
                    && clusters::count(group.iter().map(|unit| unit.ch)) <= 1
            };
            letter(before.ch) && letter(after.ch) && (gap.is_slash() || alone(left) || alone(right))
        }
        Kind::Space => gap.torn || (unspaced(before.ch) && unspaced(after.ch)),
        Kind::None | Kind::Mixed | Kind::Barrier => false,
    }
}

/// A letter that stands alone and is no word, or letters of which many stand alone.
fn is_torn(group: &[Unit]) -> bool {
    match group {
        [] => false,
        [one] => is_letter(one.ch) && !is_one_letter_word(one.ch),
        _ => units::apart(group) * 2 >= group.len() - 1 && is_letter(group[0].ch),
    }
}

/// A tag of several words in one.
fn is_tag(gap: &[Unit], group: &[Unit]) -> bool {
    gap.last().is_some_and(|unit| unit.ch == '#') && group.len() >= TAG_MIN
}
