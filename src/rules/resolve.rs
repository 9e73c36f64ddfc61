//! From finds to hits: the longest find of a rule counts, decent phrases cancel, weak evidence is
//! marked, and everything is put in its published order.

use std::{cmp::Reverse, sync::Arc};

use super::{
    combine::Lacking,
    entry::Role,
    expectation::{Mismatch, Sentences, is_elsewhere},
    file::EntryKind,
    near::Rulers,
    ruleset::{Find, Rule, Ruleset, ScanPart, Scanned, Setting},
    trace::Witness,
};
use crate::{
    condition::Seen,
    signal::{HITS_PER_POST_MAX, RuleFacts, RuleHit, SPANS_PER_HIT_MAX, Status, TextSpan},
    text::{Original, Span, Utf16Cursor, View},
};

/// Turns finds into hits.
pub(super) fn resolve(
    rules: &Ruleset,
    parts: &[ScanPart<'_>],
    setting: Setting<'_>,
    mut finds: Vec<Find>,
    truncated: bool,
    witness: &mut impl Witness,
) -> Scanned {
    let order = |find: &Find| {
        let rule = rules.entries[find.entry].rule;
        // Longer finds come before the shorter ones they cover; cheaper views before dearer ones.
        let span = (find.span.start(), Reverse(find.span.end()));
        (rule, find.part, span, find.view, find.entry)
    };
    finds.sort_by_key(order);
    let mut hits = Vec::new();
    let mut rulers = Rulers::new(parts);
    let sentences = Sentences::default();
    let mut resolving = Resolving { rules, parts, setting, rulers: &mut rulers, sentences };
    for of_rule in finds.chunk_by(|a, b| rules.entries[a.entry].rule == rules.entries[b.entry].rule)
    {
        hits.extend(resolving.rule(of_rule, witness));
    }
    let too_many = hits.len() > HITS_PER_POST_MAX;
    if too_many {
        // What policies act on is cut last: nobody hides a find behind a heap of cancelled ones.
        hits.sort_by_key(|hit| {
            let idle = hit.rule.status != Status::Enforced;
            (idle, hit.cancelled_by.is_some(), hit.is_weak(), Reverse(hit.rule.severity))
        });
        hits.truncate(HITS_PER_POST_MAX);
    }
    hits.sort_by(|a, b| hit_order(a).cmp(&hit_order(b)));
    Scanned { hits, truncated: truncated || too_many }
}

/// Enforced first, severity falling, then rule, entry, field and place.
fn hit_order(hit: &RuleHit) -> impl Ord + '_ {
    let enforced = Reverse(hit.rule.status == Status::Enforced);
    let start = hit.spans.first().map(|span| span.bytes.start());
    let place = (hit.field, hit.index, start);
    (enforced, Reverse(hit.rule.severity), &hit.rule.id, &hit.entry, place)
}

/// A find that counts, with the phrase that cancels it.
struct Counted {
    find: Find,
    cancelled_by: Option<Arc<str>>,
}

/// One post on its way from finds to hits.
struct Resolving<'r, 'p> {
    rules: &'r Ruleset,
    parts: &'r [ScanPart<'r>],
    setting: Setting<'r>,
    rulers: &'r mut Rulers<'p>,
    sentences: Sentences,
}

impl Resolving<'_, '_> {
    /// The hits of one rule; `finds` are sorted by part and place.
    fn rule(&mut self, finds: &[Find], witness: &mut impl Witness) -> Vec<RuleHit> {
        let rules = self.rules;
        let rule = &rules.rules[rules.entries[finds[0].entry].rule];
        let Some(shadow) = &rule.shadow else {
            return self.settle(rule, &rule.facts, finds, witness);
        };
        let entry = |find: &Find| &rules.entries[find.entry];
        let over = |find: &Find| self.setting.is_over(entry(find).expires);
        // What has expired softens nothing any longer.
        let mut finds: Vec<Find> = finds.to_vec();
        finds.retain(|find| !(over(find) && entry(find).role.softens()));
        if self.setting.is_over(rule.expires) {
            return self.settle(rule, shadow, &finds, witness);
        }
        let (past, live): (Vec<Find>, Vec<Find>) = finds.iter().partition(|find| over(find));
        if past.is_empty() {
            return self.settle(rule, &rule.facts, &finds, witness);
        }
        // Enforced is what stands without the expired entries.
        let mut hits = self.settle(rule, &rule.facts, &live, &mut ());
        let stands = hits.iter().any(|hit| hit.cancelled_by.is_none());
        let trial = self.settle(rule, shadow, &finds, witness);
        if !stands {
            return trial;
        }
        let expired = |hit: &RuleHit| past.iter().any(|find| entry(find).name == hit.entry);
        hits.extend(trial.into_iter().filter(expired));
        hits
    }

    /// The hits of finds that count alike.
    fn settle(
        &mut self,
        rule: &Rule,
        facts: &Arc<RuleFacts>,
        finds: &[Find],
        witness: &mut impl Witness,
    ) -> Vec<RuleHit> {
        let rules = self.rules;
        let plain = rule.combination.plain;
        let mut counted = Vec::new();
        for of_part in finds.chunk_by(|a, b| a.part == b.part) {
            if plain {
                counted.extend(longest(rules, of_part, witness));
            } else {
                counted.extend(longest_of_each(rules, of_part, witness));
            }
        }
        let evidence: Vec<Find> =
            counted.iter().filter(|c| c.cancelled_by.is_none()).map(|c| c.find).collect();
        let aside = |find: &&Find| {
            !plain && matches!(rules.entries[find.entry].role, Role::Vetoes | Role::Near(_))
        };
        let asides: Vec<Find> = finds.iter().filter(aside).copied().collect();
        if let Some(lacking) = rule.combination.lacks(rules, &evidence, &asides, self.rulers) {
            // Too little to be evidence; what a decent phrase cancelled is still told.
            for find in evidence {
                witness.lacking(find, lacking);
            }
            counted.retain(|find| find.cancelled_by.is_some());
        }
        self.group(rule, facts, counted, witness)
    }

    /// One hit for each entry, part and fate; of several views the cheapest.
    fn group(
        &mut self,
        rule: &Rule,
        facts: &Arc<RuleFacts>,
        mut counted: Vec<Counted>,
        witness: &mut impl Witness,
    ) -> Vec<RuleHit> {
        counted.sort_by(|a, b| {
            let key = |c: &Counted| (c.find.entry, c.find.part, c.cancelled_by.clone());
            let place = |c: &Counted| (c.find.view, c.find.span);
            key(a).cmp(&key(b)).then(place(a).cmp(&place(b)))
        });
        let same = |a: &Counted, b: &Counted| {
            (a.find.entry, a.find.part, &a.cancelled_by)
                == (b.find.entry, b.find.part, &b.cancelled_by)
        };
        let mut hits = Vec::new();
        for group in counted.chunk_by(same) {
            let hit = self.hit(rule, facts, group);
            match self.refuses(rule, &hit) {
                None => hits.push(hit),
                Some(lacking) => witness.lacking(group[0].find, lacking),
            }
        }
        hits
    }

    /// Why a hit does not count, where the rule asks for more of its post.
    fn refuses(&self, rule: &Rule, hit: &RuleHit) -> Option<Lacking> {
        if hit.language_mismatch && rule.mismatch == Mismatch::Drop {
            return Some(Lacking::Language);
        }
        let (when, circumstances) = (rule.when.as_ref()?, self.setting.circumstances?);
        let seen = Seen { field: Some(hit.field), obfuscated: hit.obfuscated };
        (!when.holds(circumstances, seen)).then_some(Lacking::Condition)
    }

    fn hit(&mut self, rule: &Rule, facts: &Arc<RuleFacts>, group: &[Counted]) -> RuleHit {
        let first = &group[0];
        let part = &self.parts[first.find.part];
        let view = first.find.view;
        let in_view = || group.iter().filter(|c| c.find.view == view).map(|c| c.find.span);
        let mut cursor = Utf16Cursor::new(part.original);
        let spans: Vec<TextSpan> = in_view()
            .take(SPANS_PER_HIT_MAX)
            .map(|bytes| TextSpan { bytes, utf16: cursor.span(bytes) })
            .collect();
        let declared = self.setting.declared;
        let text = (first.find.part, part.original);
        let sentences = &mut self.sentences;
        let mut mismatched =
            |span: Span<Original>| is_elsewhere(rule, text, span.range(), declared, sentences);
        RuleHit {
            rule: Arc::clone(facts),
            entry: Arc::clone(&self.rules.entries[first.find.entry].name),
            field: part.field,
            index: part.index,
            view,
            obfuscated: view >= View::Skeleton,
            language_mismatch: spans.iter().all(|span| mismatched(span.bytes)),
            cancelled_by: first.cancelled_by.clone(),
            at_most: None,
            truncated: in_view().nth(SPANS_PER_HIT_MAX).is_some(),
            spans,
        }
    }
}

/// The longest finds of `any` and of each group of `all`: what one of them asks for, another must not
/// hide.
fn longest_of_each(rules: &Ruleset, finds: &[Find], witness: &mut impl Witness) -> Vec<Counted> {
    let role = |find: &Find| rules.entries[find.entry].role;
    let mut roles: Vec<Role> = finds.iter().map(role).filter(|role| role.is_evidence()).collect();
    roles.sort_unstable();
    roles.dedup();
    let mut counted = Vec::new();
    for of in roles {
        let takes_part = |find: &&Find| role(find) == of || role(find) == Role::Excepts;
        let finds: Vec<Find> = finds.iter().filter(takes_part).copied().collect();
        counted.extend(longest(rules, &finds, witness));
    }
    counted
}

/// The finds of one part that no longer find of the same rule covers, each with what cancels it.
///
/// Literals compete with literals and regexes with regexes: a regex describes a context, and the word
/// inside it is a find of its own. A find in disguise never covers a plain one: what is added to a text
/// must not weaken the evidence that was there.
fn longest(rules: &Ruleset, finds: &[Find], witness: &mut impl Witness) -> Vec<Counted> {
    let entry = |find: &Find| &rules.entries[find.entry];
    let (exceptions, finds): (Vec<&Find>, Vec<&Find>) =
        finds.iter().partition(|find| entry(find).role == Role::Excepts);
    let mut exceptions = exceptions.into_iter().peekable();
    let mut exception: Option<&Find> = None;
    let mut counted: Vec<Counted> = Vec::new();
    // By regex or literal and by plain or disguised, the find that reaches furthest so far: finds are
    // sorted by start, so a later one that ends no further is covered by it. The same holds for the
    // exceptions that start no later.
    let mut reach: [[Option<&Find>; 2]; 2] = [[None; 2]; 2];
    for find in finds {
        while let Some(next) = exceptions.next_if(|next| next.span.start() <= find.span.start()) {
            if exception.is_none_or(|furthest| furthest.span.end() < next.span.end()) {
                exception = Some(next);
            }
        }
        let [plain, disguised] = &mut reach[usize::from(entry(find).kind == EntryKind::Regex)];
        let covers = |by: &&Find| by.span.covers(find.span);
        let is_disguised = find.view >= View::Skeleton;
        if let Some(by) = plain.filter(covers).or(disguised.filter(|by| is_disguised && covers(by)))
        {
            witness.covered(*find, *by);
            continue;
        }
        *(if is_disguised { disguised } else { plain }) = Some(find);
        let cancelled_by = exception
            .filter(|exception| exception.span.covers(find.span))
            .map(|exception| Arc::clone(&entry(exception).name));
        counted.push(Counted { find: *find, cancelled_by });
    }
    counted
}
