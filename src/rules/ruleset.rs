//! The immutable set of rules, and the scan of a post with it.

use std::{ops::Range, sync::Arc};

use jiff::Timestamp;

use super::{
    combine::Combination,
    domain,
    entry::{Entry, Role},
    expectation::{LanguageTag, Mismatch},
    expiry::Expiring,
    file::EntryKind,
    literals::{Enough, Literals, Target},
    patterns::{Pattern, Uncalled},
    resolve::resolve,
    shrink::ListSize,
    trace::{Refusal, Witness},
};
use crate::{
    condition::{Circumstances, Condition},
    diagnostic::Diagnostic,
    post::{Field, Part, Surface},
    signal::{RuleFacts, RuleHit},
    text::{
        Form, Normalized, NormalizedText, Original, Skeleton, Span, SyllablePairs, View,
        addresses::{addresses_and_mentions, lies_inside},
        is_unseen, left_edge, phonetic, right_edge, skeletons,
    },
};

/// Most finds of one post before its scan stops: a post made of keywords costs no more than that.
pub(super) const FINDS_MAX: usize = 100_000;

/// Compiled rules. There is no way to one but [`super::compile`].
#[derive(Debug, Default)]
pub struct Ruleset {
    pub(super) rules: Vec<Rule>,
    pub(super) entries: Vec<Entry>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) raw: ViewMatchers,
    pub(super) standard: ViewMatchers,
    pub(super) skeleton: Literals,
    pub(super) phonetic: Literals,
    /// How the literals of the phonetic view begin, if there are any.
    pub(super) beginnings: Option<SyllablePairs>,
    pub(super) hash: String,
    /// Facts of every rule that is not scanned too, so that policies can name it.
    pub(super) known: Vec<Arc<RuleFacts>>,
    pub(super) expiring: Vec<Expiring>,
    pub(super) lists: Vec<ListSize>,
}

/// What is matched in one view.
#[derive(Debug, Default)]
pub(super) struct ViewMatchers {
    pub(super) literals: Literals,
    pub(super) uncalled: Uncalled,
}

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// Tenths of a percent of decent posts that it may hit.
    pub(super) benign_max: usize,
    pub(super) facts: Arc<RuleFacts>,
    pub(super) languages: Vec<LanguageTag>,
    pub(super) mismatch: Mismatch,
    pub(super) surfaces: Vec<Surface>,
    pub(super) combination: Combination,
    pub(super) when: Option<Condition>,
    /// Where it or one of its entries expires: its facts as those of a shadow.
    pub(super) shadow: Option<Arc<RuleFacts>>,
    /// When it expires.
    pub(super) expires: Option<Timestamp>,
}

/// The post that is scanned, as far as rules ask about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) surface: Surface,
    /// The language that the author declared.
    pub(super) declared: Option<LanguageTag>,
    /// Without them every condition holds and nothing has expired.
    pub(super) circumstances: Option<&'a Circumstances<'a>>,
}

impl<'a> Setting<'a> {
    pub(super) fn of(circumstances: &'a Circumstances<'a>) -> Self {
        let post = circumstances.post;
        let declared = post.language.as_deref().and_then(LanguageTag::declared);
        Self { surface: post.surface, declared, circumstances: Some(circumstances) }
    }

    /// Whether the time has come.
    pub(super) fn is_over(&self, expires: Option<Timestamp>) -> bool {
        let as_of = self.circumstances.and_then(|circumstances| circumstances.as_of);
        expires.zip(as_of).is_some_and(|(expires, as_of)| expires <= as_of)
    }
}

/// One text of a post with its standard view.
#[derive(Debug, Clone, Copy)]
pub struct ScanPart<'a> {
    /// The field it stands in.
    pub field: Field,
    /// Its place in the field's list.
    pub index: Option<u16>,
    /// What the author wrote.
    pub original: &'a str,
    /// The same in the standard view.
    pub standard: &'a NormalizedText,
}

impl<'a> ScanPart<'a> {
    /// The texts of a post beside their standard views, which are in the same order.
    pub fn of(parts: &'a [Part], views: &'a [NormalizedText]) -> Vec<Self> {
        let pair = |(part, standard): (&'a Part, &'a NormalizedText)| Self {
            field: part.field,
            index: part.index,
            original: &part.text,
            standard,
        };
        parts.iter().zip(views).map(pair).collect()
    }
}

/// What a scan found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Hits in their published order, at most [`crate::signal::HITS_PER_POST_MAX`].
    pub hits: Vec<RuleHit>,
    /// A limit was met: there may be more.
    pub truncated: bool,
}

/// One entry seen at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Find {
    pub(super) part: usize,
    pub(super) entry: usize,
    pub(super) view: View,
    pub(super) span: Span<Original>,
}

impl Ruleset {
    /// BLAKE3 over every effective rule, in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Every rule that a policy may name.
    pub fn known(&self) -> &[Arc<RuleFacts>] {
        &self.known
    }

    /// The rules that are scanned.
    pub fn scanned(&self) -> impl Iterator<Item = &Arc<RuleFacts>> {
        self.rules.iter().map(|rule| &rule.facts)
    }

    /// How many entries are looked for, exceptions included.
    pub fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// Finds every rule in every part; every condition holds and nothing has expired, as in tests.
    pub fn scan(&self, parts: &[ScanPart<'_>], surface: Surface) -> Scanned {
        let setting = Setting { surface, declared: None, circumstances: None };
        self.scan_before(parts, setting, &mut ())
    }

    /// Finds every rule in every part of a post that is decided.
    pub fn scan_under(&self, parts: &[ScanPart<'_>], circumstances: &Circumstances<'_>) -> Scanned {
        self.scan_before(parts, Setting::of(circumstances), &mut ())
    }

    /// What is wrong with lists that are much shorter than they were in `before`.
    pub fn shrunk_since(&self, before: &Self) -> impl Iterator<Item = Diagnostic> {
        self.lists.iter().filter_map(|list| {
            let old = before.lists.iter().find(|old| old.path == list.path)?;
            list.shrunk(old.entries)
        })
    }

    /// Warnings about what expires soon, or has expired, at `now`.
    pub fn expiring(&self, now: Timestamp) -> impl Iterator<Item = Diagnostic> {
        self.expiring.iter().filter_map(move |expiring| expiring.told(now))
    }

    /// The same before a witness, who is told of everything that was seen and is no evidence.
    pub(super) fn scan_before<W: Witness>(
        &self,
        parts: &[ScanPart<'_>],
        setting: Setting<'_>,
        witness: &mut W,
    ) -> Scanned {
        let surface = setting.surface;
        let mut finds = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let exceptions = Vec::new();
            let witness = &mut *witness;
            PartScan { rules: self, surface, index, part, skipped: None, exceptions, witness }
                .run(&mut finds);
        }
        if finds.is_empty() {
            return Scanned::default();
        }
        let truncated = finds.len() >= FINDS_MAX;
        resolve(self, parts, setting, finds, truncated, witness)
    }
}

/// The scan of one part.
struct PartScan<'a, W> {
    rules: &'a Ruleset,
    surface: Surface,
    index: usize,
    part: &'a ScanPart<'a>,
    /// Addresses and mentions of the original, looked for when the first literal is seen.
    skipped: Option<Vec<Range<usize>>>,
    /// Regexes of decent phrases that were called. They often describe a whole sentence, and most
    /// rules find nothing that they could cancel.
    exceptions: Vec<usize>,
    witness: &'a mut W,
}

impl<W: Witness> PartScan<'_, W> {
    fn run(&mut self, finds: &mut Vec<Find>) {
        let first = finds.len();
        let part = self.part;
        let raw = ViewText::new(View::Raw, part.original, None, None);
        self.view(&self.rules.raw, &raw, finds);
        let text = part.standard.text();
        let standard = ViewText::new(View::Standard, text, Some(part.standard), None);
        self.view(&self.rules.standard, &standard, finds);
        let worth = |text: &str| self.rules.skeleton.finds(text);
        for folded in &skeletons(part.original, part.standard, &worth) {
            let (text, map) = (folded.view().text(), Some(folded.view()));
            let view = ViewText::new(View::Skeleton, text, map, Some((folded, Form::Written)));
            let joined = ViewText::new(View::Skeleton, text, map, Some((folded, Form::Joined)));
            self.rules.skeleton.scan(view.text, |target, range| match target {
                Target::Entry(entry) => self.literal(entry, &range, &view, finds),
                Target::Joined(entry) => self.literal(entry, &range, &joined, finds),
                Target::Bare(_) | Target::Trigger(_) => Enough::No,
            });
        }
        self.phonetic(finds);
        for pattern in std::mem::take(&mut self.exceptions) {
            let entry = &self.rules.entries[self.rules.patterns[pattern].entry];
            let cancels = |find: &Find| {
                let found = &self.rules.entries[find.entry];
                found.rule == entry.rule && found.role.is_evidence()
            };
            if finds[first..].iter().any(cancels) {
                let text = if entry.view == View::Raw { &raw } else { &standard };
                self.pattern(pattern, Ok(()), text, finds);
            }
        }
    }

    /// Looks for what sounds like an entry, where some entry asks for that.
    fn phonetic(&mut self, finds: &mut Vec<Find>) {
        let Some(beginnings) = &self.rules.beginnings else { return };
        let sounds = phonetic(self.part.original, self.part.standard, beginnings);
        let Some(sounds) = sounds else { return };
        let view = ViewText::new(View::Phonetic, sounds.text(), Some(&sounds), None);
        self.rules.phonetic.scan(view.text, |target, range| match target {
            Target::Entry(entry) => self.literal(entry, &range, &view, finds),
            Target::Bare(_) | Target::Joined(_) | Target::Trigger(_) => Enough::No,
        });
    }

    fn view(&mut self, matchers: &ViewMatchers, text: &ViewText<'_>, finds: &mut Vec<Find>) {
        let mut called: Vec<usize> = matchers.uncalled.matching(text.text).collect();
        let mut calls: Vec<(usize, Range<usize>)> = Vec::new();
        matchers.literals.scan(text.text, |target, range| match target {
            Target::Entry(entry) => self.literal(entry, &range, text, finds),
            Target::Bare(entry) | Target::Joined(entry) => {
                self.literal(entry, &range, &text.bare(), finds)
            }
            Target::Trigger(pattern) => {
                if !called.contains(&pattern) {
                    called.push(pattern);
                    if W::LISTENS {
                        calls.push((pattern, range));
                    }
                }
                Enough::No
            }
        });
        for pattern in called {
            let place = self.rules.patterns[pattern].entry;
            let entry = &self.rules.entries[place];
            let here = self.looks_here(entry);
            if entry.role == Role::Excepts {
                self.exceptions.extend(here.is_ok().then_some(pattern));
                continue;
            }
            if here.is_err() && !W::LISTENS {
                continue;
            }
            if self.pattern(pattern, here, text, finds) == Enough::Yes {
                return;
            }
            let call = calls.iter().find(|(of, _)| *of == pattern);
            let found = |find: &Find| (find.part, find.entry) == (self.index, place);
            if let Some((_, range)) = call.filter(|_| !finds.iter().any(found)) {
                let find = self.find(place, text.view, text.original(range));
                self.witness.refused(find, Refusal::Rest);
            }
        }
    }

    /// Runs one regex.
    fn pattern(
        &mut self,
        pattern: usize,
        here: Result<(), Refusal>,
        text: &ViewText<'_>,
        finds: &mut Vec<Find>,
    ) -> Enough {
        let pattern = &self.rules.patterns[pattern];
        for range in pattern.find_iter(text.text).filter(|range| !range.is_empty()) {
            if finds.len() >= FINDS_MAX {
                return Enough::Yes;
            }
            let find = self.find(pattern.entry, text.view, text.original(&range));
            match here {
                Ok(()) => finds.push(find),
                Err(refusal) => self.witness.refused(find, refusal),
            }
        }
        Enough::No
    }

    /// Judges one match of a literal.
    fn literal(
        &mut self,
        entry: usize,
        range: &Range<usize>,
        text: &ViewText<'_>,
        finds: &mut Vec<Find>,
    ) -> Enough {
        if finds.len() >= FINDS_MAX {
            return Enough::Yes;
        }
        let described = &self.rules.entries[entry];
        let judged = self.looks_here(described).and_then(|()| self.holds(described, range, text));
        match judged {
            Ok(()) => finds.push(self.find(entry, text.view, text.original(range))),
            // Where words run together, plain writing meets literals all the time.
            Err(Refusal::Letters) if text.is_joined() => {}
            Err(refusal) if W::LISTENS => {
                let find = self.find(entry, text.view, text.original(range));
                self.witness.refused(find, refusal);
            }
            Err(_) => {}
        }
        Enough::No
    }

    fn looks_here(&self, entry: &Entry) -> Result<(), Refusal> {
        let surfaces = &self.rules.rules[entry.rule].surfaces;
        if !entry.fields.contains(self.part.field) {
            return Err(Refusal::Field);
        }
        if !surfaces.is_empty() && !surfaces.contains(&self.surface) {
            return Err(Refusal::Surface);
        }
        Ok(())
    }

    fn holds(
        &mut self,
        entry: &Entry,
        range: &Range<usize>,
        text: &ViewText<'_>,
    ) -> Result<(), Refusal> {
        let original = self.part.original;
        if let Some((folded, form)) = text.skeleton
            && !folded.spells(&entry.skeleton, form, Span::from_range(range.clone()), original)
        {
            return Err(Refusal::Letters);
        }
        let span = text.original(range).range();
        let (left, right) = entry.edges();
        if let Some((folded, _)) = text.skeleton
            && left
            && right
            && folded.cuts(Span::from_range(range.clone()), original)
        {
            return Err(Refusal::RightEdge);
        }
        if left && !left_edge(original, span.start) {
            return Err(Refusal::LeftEdge);
        }
        if right && !right_edge(original, span.end) {
            return Err(Refusal::RightEdge);
        }
        if entry.kind == EntryKind::Exact && *range != text.trimmed {
            return Err(Refusal::NotWhole);
        }
        let seen = || original[span.clone()].chars().filter(|&ch| !is_unseen(ch));
        if entry.case.as_deref().is_some_and(|written| !seen().eq(written.chars())) {
            return Err(Refusal::Case);
        }
        // Sounds have no neighbours in letters: those of the original count.
        let (before, after) = match text.view {
            View::Phonetic => (&original[..span.start], &original[span.end..]),
            _ => (&text.text[..range.start], &text.text[range.end..]),
        };
        if entry.not_after.end(before, text.view) {
            return Err(Refusal::NotAfter);
        }
        if entry.not_before.start(after, text.view) {
            return Err(Refusal::NotBefore);
        }
        if entry.kind == EntryKind::Domain && !domain::stands_alone(before, after) {
            return Err(Refusal::Host);
        }
        if !entry.in_links && lies_inside(self.skipped(), &span) {
            return Err(Refusal::Address);
        }
        Ok(())
    }

    fn skipped(&mut self) -> &[Range<usize>] {
        self.skipped.get_or_insert_with(|| addresses_and_mentions(self.part.original))
    }

    fn find(&self, entry: usize, view: View, span: Span<Original>) -> Find {
        Find { part: self.index, entry: self.rules.entries[entry].first, view, span }
    }
}

/// One view of a part.
struct ViewText<'a> {
    view: View,
    text: &'a str,
    /// The text without the white space around it.
    trimmed: Range<usize>,
    /// The way to the original; nothing when the view is the original.
    map: Option<&'a NormalizedText>,
    /// The skeleton that the text is, and the form of literals that is looked for in it.
    skeleton: Option<(&'a Skeleton, Form)>,
}

impl<'a> ViewText<'a> {
    fn new(
        view: View,
        text: &'a str,
        map: Option<&'a NormalizedText>,
        skeleton: Option<(&'a Skeleton, Form)>,
    ) -> Self {
        let start = text.len() - text.trim_start().len();
        Self { view, text, trimmed: start..start + text.trim().len(), map, skeleton }
    }

    /// The same text, as far as it is its own skeleton.
    fn bare(&self) -> Self {
        Self { view: View::Skeleton, trimmed: self.trimmed.clone(), skeleton: None, ..*self }
    }

    /// Whether the text is a skeleton with its words run together.
    fn is_joined(&self) -> bool {
        self.skeleton.is_some_and(|(folded, _)| folded.is_joined())
    }

    fn original(&self, range: &Range<usize>) -> Span<Original> {
        let span: Span<Normalized> = Span::from_range(range.clone());
        self.map.map_or_else(|| Span::from_range(range.clone()), |map| map.original_span(span))
    }
}
