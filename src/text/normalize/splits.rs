//! Whether a literal may be read across the gaps of a joined text.
//!
//! Between the words of a literal anything may stand that keeps them together, or nothing at all.
//! Inside a word a gap must look like disguise: letters that all stand alone, a sign that running text
//! does not have there, a broken line, or a letter torn off that is no word. Where a script has no
//! spaces, white space is no more of a gap than nothing; punctuation has to be the same everywhere.

use unicode_script::Script;

use super::{
    clusters,
    joined::{Gap, Kind},
};
use crate::text::scripts::{is_written_without_spaces, script};

/// Letters that a literal needs to be read where its words run together.
const JOINED_LETTERS_MIN: usize = 4;
/// The same where nothing but letters stands there: French « député » is not *de pute*.
const GLUED_LETTERS_MIN: usize = 8;
/// Both for scripts in which a character is a syllable.
const JOINED_SYLLABLES_MIN: usize = 3;
const GLUED_SYLLABLES_MIN: usize = 4;
/// Letters of a word that is torn apart letter by letter, and in any other way.
const LETTERS_MIN: usize = 3;
const TORN_LETTERS_MIN: usize = 4;

/// One character of a literal where it was found.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub(super) ch: char,
    /// How many times in a row.
    pub(super) run: u8,
    /// The gap of the text before it.
    pub(super) found: Gap,
    /// The gap of the literal before it.
    pub(super) own: Gap,
}

impl Read {
    fn letters(&self, count: u8) -> impl Iterator<Item = char> + use<> {
        std::iter::repeat_n(self.ch, count.into())
    }
}

/// Whether the literal may be read here; `after` is the gap behind its last character, and `apart`
/// says whether the author wrote more there than letters.
pub(super) fn may_be_read(reads: &[Read], after: Gap, apart: impl Fn() -> bool) -> bool {
    let Some((first, rest)) = reads.split_first() else { return false };
    let torn = |read: &Read| {
        (read.own.kind == Kind::None && read.found.kind != Kind::None)
            || read.found.inside > read.own.inside
    };
    let as_written =
        |read: &Read| read.found.inside == read.own.inside && read.found.kind == read.own.kind;
    let is_plain = rest.iter().all(as_written) && first.found.inside == first.own.inside;
    let reached = rest.iter().all(|read| read.found.kind != Kind::Barrier);
    if is_plain || !reached {
        return false;
    }
    let letters = clusters::count(reads.iter().flat_map(|read| read.letters(read.run)));
    let is_torn = rest.iter().any(torn) || first.found.inside > first.own.inside;
    let groups = groups(reads);
    let all_alone = groups.iter().all(|group| group.letters == 1);
    if !is_torn {
        let together = |read: &&Read| read.own.kind != Kind::None;
        let keeps = |read: &Read| {
            !matches!(read.found.kind, Kind::Mixed | Kind::Punctuation)
                || read.found.looks_like(read.own)
        };
        let (glued, joined) = if is_unspaced(reads) {
            (GLUED_SYLLABLES_MIN, JOINED_SYLLABLES_MIN)
        } else {
            (GLUED_LETTERS_MIN, JOINED_LETTERS_MIN)
        };
        let enough = letters >= glued || (letters >= joined && apart());
        return enough && rest.iter().filter(together).all(keeps);
    }
    if all_alone && letters >= LETTERS_MIN && !is_unspaced(reads) {
        return true;
    }
    if is_unspaced(reads) {
        return unspaced(reads, letters, all_alone, after);
    }
    let torn_well = |at: usize| {
        let (left, right) = (&groups[at], &groups[at + 1]);
        let alone = left.letters == 1 || right.letters == 1;
        match right.kind {
            Kind::Sign | Kind::Line => true,
            Kind::Punctuation => alone || right.gap.is_slash(),
            Kind::Space | Kind::Spaced => alone || right.gap.torn,
            Kind::None | Kind::Mixed | Kind::Barrier => false,
        }
    };
    let tears = || (1..groups.len()).filter(|&at| !groups[at].own);
    let spaces = || tears().filter(|&at| matches!(groups[at].kind, Kind::Space | Kind::Spaced));
    // Words of one letter are everywhere; one that is no word has to be among them.
    let no_words = spaces().next().is_none() || spaces().any(|at| groups[at].gap.torn);
    // A letter of an Indic script is a syllable.
    let enough = letters >= TORN_LETTERS_MIN || (letters >= LETTERS_MIN && reads.len() > letters);
    enough && no_words && tears().all(|at| torn_well(at - 1))
}

/// The same for scripts without spaces, and for Hangul, whose spaces many leave out.
fn unspaced(reads: &[Read], letters: usize, all_alone: bool, after: Gap) -> bool {
    // The gaps of the literal itself may be anything that keeps words together.
    let torn = |read: &Read| read.own.kind == Kind::None && read.found.kind != Kind::None;
    let inner = |read: &Read| {
        let gap = Gap { kind: read.found.inner, id: read.found.inner_id, ..Gap::default() };
        (read.found.inside > read.own.inside).then_some(gap)
    };
    let gaps = || {
        let before = reads[1..].iter().filter(|read| torn(read)).map(|read| read.found);
        before.chain(reads.iter().filter_map(inner))
    };
    let Some(first) = gaps().next() else { return false };
    if !gaps().all(|gap| gap.looks_like(first)) {
        return false;
    }
    let edge = |gap: Gap| gap.kind != Kind::None && !gap.looks_like(first);
    let isolated = all_alone && edge(reads[0].found) && edge(after);
    let hangul = reads.iter().any(|read| script(read.ch) == Script::Hangul);
    match first.kind {
        Kind::Sign | Kind::Spaced | Kind::Line => true,
        Kind::Space if hangul => isolated,
        Kind::Space => letters >= LETTERS_MIN || isolated,
        Kind::Punctuation if first.is_slash() && letters >= TORN_LETTERS_MIN => true,
        Kind::Punctuation | Kind::Mixed => all_alone && (letters >= LETTERS_MIN || isolated),
        Kind::None | Kind::Barrier => false,
    }
}

fn is_unspaced(reads: &[Read]) -> bool {
    let unspaced = |ch| is_written_without_spaces(ch) || script(ch) == Script::Hangul;
    reads.iter().any(|read| unspaced(read.ch))
}

/// Characters between two gaps.
struct Group {
    letters: usize,
    /// The gap before it, and its kind.
    gap: Gap,
    kind: Kind,
    /// Whether the literal has a gap there too.
    own: bool,
}

fn groups(reads: &[Read]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut close = |chars: &[Read]| {
        let Some(first) = chars.first() else { return };
        let together = |read: &Read| read.run.saturating_sub(read.found.inside);
        let letters = chars.iter().flat_map(|read| read.letters(together(read)));
        let letters = clusters::count(letters);
        let own = first.own.kind != Kind::None;
        groups.push(Group { letters, gap: first.found, kind: first.found.kind, own });
        // A run with gaps inside is a letter that was written several times, apart.
        for read in chars.iter().filter(|read| read.found.inside > 0) {
            let (gap, kind, own) = (read.found, read.found.inner, read.own.inside > 0);
            groups.extend((0..read.found.inside).map(|_| Group { letters: 1, gap, kind, own }));
        }
    };
    let mut start = 0;
    for at in 1..reads.len() {
        if reads[at].found.kind != Kind::None {
            close(&reads[start..at]);
            start = at;
        }
    }
    close(&reads[start..]);
    groups
}
