//! Entries ready to be matched: folded once, at load.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    expiry,
    file::{EntryFile, EntryKind},
};
use crate::{
    post::Field,
    text::{SkeletonLiteral, View, is_spacing, is_syllable, skeleton_literal, standard_literal},
};

/// Letters a literal of a spacing script needs before it is looked for in disguise.
const SKELETON_LETTERS_MIN: usize = 4;
/// Han, kana or Hangul characters a literal needs before it is looked for in disguise.
const SKELETON_SIGNS_MIN: usize = 2;

/// What a find of an entry means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// The rule's evidence, of `any`.
    Finds,
    /// The rule's evidence, of this group of `all`.
    Group(u16),
    /// A decent phrase that cancels what lies inside.
    Excepts,
    /// A find vetoes the whole post.
    Vetoes,
    /// This entry of `near`, which gives no evidence itself.
    Near(u16),
}

impl Role {
    /// Whether a find is evidence.
    pub(super) fn is_evidence(self) -> bool {
        matches!(self, Self::Finds | Self::Group(_))
    }

    /// Whether a find softens: such entries are taken at their word, so that disguise buys nothing.
    pub(super) fn softens(self) -> bool {
        matches!(self, Self::Excepts | Self::Vetoes)
    }
}

/// One thing to look for.
#[derive(Debug)]
pub(super) struct Entry {
    /// The rule's place in the ruleset.
    pub(super) rule: usize,
    pub(super) role: Role,
    /// What its author wrote.
    pub(super) name: Arc<str>,
    /// The place of the first literal of the same entry; its own where the entry has no variants.
    pub(super) first: usize,
    pub(super) kind: EntryKind,
    /// The strongest view it is looked for in.
    pub(super) view: View,
    pub(super) fields: FieldSet,
    /// Whether its author asked for addresses and mentions, which literals skip otherwise.
    pub(super) in_links: bool,
    /// From when on it acts as shadow.
    pub(super) expires: Option<Timestamp>,
    /// The original must read like this.
    pub(super) case: Option<Arc<str>>,
    pub(super) standard: String,
    pub(super) skeleton: SkeletonLiteral,
    pub(super) not_after: Neighbours,
    pub(super) not_before: Neighbours,
}

impl Entry {
    /// An entry as it was `written`, and one of the literals that it stands for.
    pub(super) fn new(rule: usize, role: Role, written: &EntryFile, literal: &str) -> Self {
        let standard = standard_literal(literal);
        let view = written.options.view.unwrap_or_else(|| default_view(role, written, &standard));
        let options = &written.options;
        Self {
            rule,
            role,
            name: name(written),
            first: 0,
            kind: written.kind,
            view,
            fields: FieldSet::of(&options.fields, written.kind),
            in_links: options.fields.contains(&Field::Links) || written.kind == EntryKind::Domain,
            expires: options.expires.and_then(expiry::begins),
            case: options.case.then(|| literal.into()),
            skeleton: skeleton_literal(literal),
            standard,
            not_after: Neighbours::new(&options.not_after),
            not_before: Neighbours::new(&options.not_before),
        }
    }

    /// Whether a boundary is needed on the left and on the right.
    pub(super) fn edges(&self) -> (bool, bool) {
        match self.kind {
            EntryKind::Word | EntryKind::Domain => (true, true),
            EntryKind::Prefix => (true, false),
            EntryKind::Suffix => (false, true),
            EntryKind::Text | EntryKind::Exact | EntryKind::Regex | EntryKind::List => {
                (false, false)
            }
        }
    }
}

/// Literals that must not stand next to a find.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    standard: Vec<String>,
    skeleton: Vec<String>,
}

impl Neighbours {
    fn new(written: &[String]) -> Self {
        Self {
            standard: written.iter().map(|text| standard_literal(text)).collect(),
            skeleton: written.iter().map(|text| skeleton_literal(text).text).collect(),
        }
    }

    pub(super) fn end(&self, before: &str, view: View) -> bool {
        self.of(view).iter().any(|literal| before.ends_with(literal.as_str()))
    }

    pub(super) fn start(&self, after: &str, view: View) -> bool {
        self.of(view).iter().any(|literal| after.starts_with(literal.as_str()))
    }

    fn of(&self, view: View) -> &[String] {
        match view {
            View::Skeleton => &self.skeleton,
            View::Raw | View::Standard | View::Phonetic => &self.standard,
        }
    }
}

/// The fields an entry looks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FieldSet(u8);

impl FieldSet {
    /// Without fields named, literals look everywhere but in links, regexes and hosts everywhere.
    fn of(fields: &[Field], kind: EntryKind) -> Self {
        let all = |named: &[Field]| named.iter().fold(0, |set, &field| set | bit(field));
        match (fields, kind) {
            ([], EntryKind::Regex | EntryKind::Domain) => Self(all(&Field::ALL)),
            ([], _) => Self(all(&Field::ALL) & !bit(Field::Links)),
            (named, _) => Self(all(named)),
        }
    }

    pub(super) fn contains(self, field: Field) -> bool {
        self.0 & bit(field) != 0
    }
}

fn bit(field: Field) -> u8 {
    let place = Field::ALL.iter().position(|&f| f == field).expect("every field is in ALL");
    1 << place
}

/// Exceptions are taken at their word; finds are looked for in disguise when they are long enough to
/// survive folding.
fn default_view(role: Role, written: &EntryFile, standard: &str) -> View {
    if role.softens() || matches!(written.kind, EntryKind::Regex | EntryKind::Domain) {
        return View::Standard;
    }
    let (letters, signs) = counts(standard);
    let syllables = signs + standard.chars().filter(|&ch| is_syllable(ch)).count();
    if letters >= SKELETON_LETTERS_MIN || syllables >= SKELETON_SIGNS_MIN {
        View::Skeleton
    } else {
        View::Standard
    }
}

/// How many letters of spacing scripts, and how many of scripts without spaces, a literal has.
pub(super) fn counts(literal: &str) -> (usize, usize) {
    let letters = || literal.chars().filter(|c| c.is_alphabetic());
    let spacing = letters().filter(|&c| is_spacing(c)).count();
    (spacing, letters().count() - spacing)
}

/// How decisions and explanations name an entry.
fn name(written: &EntryFile) -> Arc<str> {
    match written.kind {
        EntryKind::Word => written.text.as_str().into(),
        kind => format!("{}: {}", kind.as_str(), written.text).into(),
    }
}
