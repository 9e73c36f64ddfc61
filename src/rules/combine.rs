//! Whether what a rule found is enough: different entries, groups, vetoes, counts and neighbours.

use std::collections::BTreeSet;

use super::{
    combination::CombinationFile,
    entry::Role,
    near::Rulers,
    ruleset::{Find, Ruleset},
};
use crate::condition::Comparison;

/// What a rule asks for beside one find.
#[derive(Debug)]
pub(super) struct Combination {
    /// So many different entries of `any`.
    pub(super) min: usize,
    /// So many places of `any`.
    pub(super) count: Option<Comparison>,
    /// So many groups of `all`, from each one entry.
    pub(super) groups: u16,
    pub(super) near: Option<Near>,
    /// Whether it asks for nothing but `min`: most rules do, and cost no more than that.
    pub(super) plain: bool,
}

/// What must stand near a find.
#[derive(Debug)]
pub(super) struct Near {
    /// So many entries, all of which must stand there; nothing: any of them.
    every: Option<u16>,
    pub(super) within: u32,
}

/// Why what was found is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lacking {
    /// So many different entries of `any` were found.
    Entries(usize),
    /// So many places of `any` were found.
    Places(usize),
    /// Nothing of this group of `all` was found.
    Group(u16),
    /// This entry of `none` was found.
    Veto(usize),
    /// Nothing of `near` stands near enough, or this entry of it does not.
    Near(Option<u16>),
    /// The rule's condition does not hold.
    Condition,
    /// The rule drops finds in sentences of another language.
    Language,
}

impl Combination {
    /// `found` is how many entries `any` has.
    pub(super) fn new(written: &CombinationFile, found: usize) -> Self {
        let CombinationFile { min, count, all, none, near } = written;
        let near = near.as_ref().map(|near| Near {
            every: near.every.then_some(u16::try_from(near.entries.len()).unwrap_or(u16::MAX)),
            within: near.within,
        });
        Self {
            min: min.unwrap_or(usize::from(found > 0)),
            count: *count,
            groups: u16::try_from(all.len()).unwrap_or(u16::MAX),
            plain: count.is_none() && all.is_empty() && none.is_empty() && near.is_none(),
            near,
        }
    }

    /// What is lacking; nothing where it is enough. `evidence` is what counts and nothing cancels,
    /// `asides` are the finds of `none` and `near`.
    pub(super) fn lacks(
        &self,
        rules: &Ruleset,
        evidence: &[Find],
        asides: &[Find],
        rulers: &mut Rulers<'_>,
    ) -> Option<Lacking> {
        let role = |find: &Find| rules.entries[find.entry].role;
        let of_any = || evidence.iter().filter(move |find| role(find) == Role::Finds);
        if self.min == 1 && of_any().next().is_none() {
            return Some(Lacking::Entries(0));
        }
        if self.min > 1 {
            let mut entries: Vec<usize> = of_any().map(|find| find.entry).collect();
            entries.sort_unstable();
            entries.dedup();
            if entries.len() < self.min {
                return Some(Lacking::Entries(entries.len()));
            }
        }
        if self.plain {
            return None;
        }
        if let Some(veto) = asides.iter().find(|find| role(find) == Role::Vetoes) {
            return Some(Lacking::Veto(veto.entry));
        }
        let has_group = |group| evidence.iter().any(|find| role(find) == Role::Group(group));
        if let Some(group) = (0..self.groups).find(|group| !has_group(*group)) {
            return Some(Lacking::Group(group));
        }
        let enough = |places| {
            let places = u32::try_from(places).unwrap_or(u32::MAX);
            self.count.is_none_or(|count| count.holds(places.into()))
        };
        if self.count.is_some()
            && let places = places(of_any().copied().collect())
            && !enough(places)
        {
            return Some(Lacking::Places(places));
        }
        let near = self.near.as_ref()?;
        near.lacks(rules, evidence, asides, rulers)
    }
}

impl Near {
    fn lacks(
        &self,
        rules: &Ruleset,
        evidence: &[Find],
        asides: &[Find],
        rulers: &mut Rulers<'_>,
    ) -> Option<Lacking> {
        let within = usize::try_from(self.within).unwrap_or(usize::MAX);
        let around = rulers.around(evidence.iter().copied(), within);
        let mut stand: BTreeSet<u16> = BTreeSet::new();
        for find in asides {
            if let Role::Near(entry) = rules.entries[find.entry].role
                && !stand.contains(&entry)
                && rulers.has(&around, *find)
            {
                stand.insert(entry);
            }
        }
        match self.every {
            None => stand.is_empty().then_some(Lacking::Near(None)),
            Some(all) => (0..all).find(|e| !stand.contains(e)).map(|e| Lacking::Near(Some(e))),
        }
    }
}

/// How many places apart from one another there are: those that overlap are one.
fn places(mut finds: Vec<Find>) -> usize {
    finds.sort_unstable_by_key(|find| (find.part, find.span.end(), find.span.start()));
    let (mut count, mut last): (usize, Option<Find>) = (0, None);
    for find in finds {
        let apart = |last: Find| last.part != find.part || last.span.end() <= find.span.start();
        if last.is_none_or(apart) {
            count += 1;
            last = Some(find);
        }
    }
    count
}
