//! From finds to hits: the longest find of a rule counts, decent phrases cancel, weak evidence is
//! marked, and everything is put in its published order.

use std::{cmp::Reverse, ops::Range, sync::Arc};

use super::{
    entry::Role,
    file::EntryKind,
    ruleset::{Find, Rule, Ruleset, ScanPart, Scanned},
};
use crate::{
    signal::{HITS_PER_POST_MAX, RuleHit, SPANS_PER_HIT_MAX, Score, Status, TextSpan},
    text::{Original, Span, Utf16Cursor, View, sentence_language},
};

/// From here on a sentence is confidently in its language, in thousandths.
const CONFIDENT: u16 = 900;
/// Letters a sentence needs to be confidently in a language.
const SENTENCE_LETTERS_MIN: u32 = 20;

/// Turns finds into hits.
pub(super) fn resolve(
    rules: &Ruleset,
    parts: &[ScanPart<'_>],
    mut finds: Vec<Find>,
    truncated: bool,
) -> Scanned {
    let order = |find: &Find| {
        let rule = rules.entries[find.entry].rule;
        // Longer finds come before the shorter ones they cover; cheaper views before dearer ones.
        let span = (find.span.start(), Reverse(find.span.end()));
        (rule, find.part, span, find.view, find.entry)
    };
    finds.sort_by_key(order);
    let mut hits = Vec::new();
    for of_rule in finds.chunk_by(|a, b| rules.entries[a.entry].rule == rules.entries[b.entry].rule)
    {
        hits.extend(rule_hits(rules, parts, of_rule));
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

/// The hits of one rule; `finds` are sorted by part and place.
fn rule_hits(rules: &Ruleset, parts: &[ScanPart<'_>], finds: &[Find]) -> Vec<RuleHit> {
    let mut counted = Vec::new();
    for of_part in finds.chunk_by(|a, b| a.part == b.part) {
        counted.extend(longest(rules, of_part));
    }
    let rule = &rules.rules[rules.entries[finds[0].entry].rule];
    let mut evidence: Vec<usize> =
        counted.iter().filter(|c| c.cancelled_by.is_none()).map(|c| c.find.entry).collect();
    evidence.sort_unstable();
    evidence.dedup();
    if evidence.len() < rule.min {
        // Too little to be evidence; what a decent phrase cancelled is still told.
        counted.retain(|find| find.cancelled_by.is_some());
    }
    group(rules, rule, parts, counted)
}

/// The finds of one part that no longer find of the same rule covers, each with what cancels it.
///
/// Literals compete with literals and regexes with regexes: a regex describes a context, and the word
/// inside it is a find of its own. A find in disguise never covers a plain one: what is added to a text
/// must not weaken the evidence that was there.
fn longest(rules: &Ruleset, finds: &[Find]) -> Vec<Counted> {
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
        let covered = |by: Option<&Find>| by.is_some_and(|by| by.span.covers(find.span));
        let is_disguised = find.view >= View::Skeleton;
        if covered(*plain) || (is_disguised && covered(*disguised)) {
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

/// One hit for each entry, part and fate; of several views the cheapest.
fn group(
    rules: &Ruleset,
    rule: &Rule,
    parts: &[ScanPart<'_>],
    mut counted: Vec<Counted>,
) -> Vec<RuleHit> {
    counted.sort_by(|a, b| {
        let key = |c: &Counted| (c.find.entry, c.find.part, c.cancelled_by.clone());
        key(a).cmp(&key(b)).then(a.find.view.cmp(&b.find.view)).then(a.find.span.cmp(&b.find.span))
    });
    let same = |a: &Counted, b: &Counted| {
        (a.find.entry, a.find.part, &a.cancelled_by) == (b.find.entry, b.find.part, &b.cancelled_by)
    };
    counted.chunk_by(same).map(|group| hit(rules, rule, parts, group)).collect()
}

fn hit(rules: &Ruleset, rule: &Rule, parts: &[ScanPart<'_>], group: &[Counted]) -> RuleHit {
    let first = &group[0];
    let part = &parts[first.find.part];
    let view = first.find.view;
    let in_view = || group.iter().filter(|c| c.find.view == view).map(|c| c.find.span);
    let mut cursor = Utf16Cursor::new(part.original);
    let spans: Vec<TextSpan> = in_view()
        .take(SPANS_PER_HIT_MAX)
        .map(|bytes| TextSpan { bytes, utf16: cursor.span(bytes) })
        .collect();
    let mismatched = |span: Span<Original>| is_other_language(rule, part.original, span.range());
    RuleHit {
        rule: Arc::clone(&rule.facts),
        entry: Arc::clone(&rules.entries[first.find.entry].name),
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

/// Whether the sentence around the find is confidently in none of the rule's languages.
fn is_other_language(rule: &Rule, original: &str, span: Range<usize>) -> bool {
    if rule.languages.is_empty() {
        return false;
    }
    let sentence = sentence_language(original, span);
    let confident = Score::from_thousandths(CONFIDENT).is_some_and(|c| sentence.confidence >= c);
    confident
        && sentence.letters >= SENTENCE_LETTERS_MIN
        && !rule.languages.contains(&sentence.language)
}
