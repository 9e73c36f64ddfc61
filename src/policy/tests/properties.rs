//! What holds for every policy and every post.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{decide, hit, in_language, policies, regions, rules, signals};
use crate::{
    decision::{Action, RegionVerdict},
    policy::PolicySet,
    post::Region,
    signal::{RuleHit, Signals},
};

const AUDIENCE: &str = "AT DE FR JP SG US default";
const CATEGORIES: [&str; 5] = ["extremism", "harassment", "hate", "hate/slur", "spam"];

/// One file's cells, rows and cap, of every kind.
#[derive(Debug, Clone)]
struct Draft {
    cells: Vec<Option<String>>,
    rows: Vec<(usize, u8, bool)>,
    cap: bool,
}

impl Draft {
    fn any() -> impl Strategy<Value = Self> {
        let cell = (1..=3_u8, 1..=2_u8, any::<bool>(), any::<bool>());
        let cell = cell.prop_map(|(least, more, weak, shadow)| {
            let (block, weak) = ((least + more).min(4), if weak { ", weak: block" } else { "" });
            let shadow = if shadow { ", status: shadow" } else { "" };
            format!(
                "{{review: {{severity: {least}, score: 0.{least}}}, block: {{severity: {block}}}, \
                 zh: {{block: {{score: 0.9}}}}{weak}{shadow}}}"
            )
        });
        let cells = proptest::collection::vec(proptest::option::of(cell), CATEGORIES.len());
        let row = (0..rules().len(), 0..3_u8, any::<bool>());
        let rows = proptest::collection::vec(row, 0..4);
        (cells, rows, any::<bool>()).prop_map(|(cells, rows, cap)| Self { cells, rows, cap })
    }

    /// The file as text; `weaken_nothing` leaves out what could weaken a mandatory category.
    fn text(&self, place: &str, weaken_nothing: bool) -> String {
        let cells = CATEGORIES.iter().zip(&self.cells);
        let cells = cells.filter(|(category, _)| !weaken_nothing || **category != "extremism");
        let cells =
            cells.filter_map(|(category, cell)| Some(format!("{category}: {}", cell.as_ref()?)));
        let cells: Vec<String> = cells.collect();
        let rows = self.rows.iter().enumerate();
        let rows: Vec<String> = rows.filter_map(|(at, row)| row_text(place, at, *row)).collect();
        let cap = format!("{{id: {place}/cap, for: {{category: hate}}, at_most: review}}");
        let cap = if self.cap { cap } else { String::new() };
        let (cells, rows) = (cells.join(", "), rows.join(", "));
        format!("categories: {{{cells}}}\nrows: [{rows}]\ncaps: [{cap}]\n")
    }
}

fn row_text(place: &str, at: usize, (rule, kind, replaces): (usize, u8, bool)) -> Option<String> {
    let facts = &rules()[rule];
    let category = facts.category.as_str();
    let action = match kind {
        0 => "tier: restrain, effects: [limit]",
        1 if category != "harassment/profanity" => "action: block",
        _ => "action: review",
    };
    let replaces = replaces && category != "extremism/terrorist_content";
    let line = format!(
        "{{id: {place}/r{at}, rule: {}, {action}, replaces_category: {replaces}}}",
        facts.id.as_str()
    );
    (category != "local_law").then_some(line)
}

/// Policies of a root, a group, a member of it and a region beside.
fn any_policies() -> impl Strategy<Value = PolicySet> {
    (Draft::any(), Draft::any()).prop_map(|(root, germany)| {
        policies(&[
            &format!("region: default\n{}", root.text("root", false)),
            "group: EU\nmembers: [AT, DE, FR]",
            &format!("region: DE\n{}", germany.text("de", true)),
            "region: US\ncategories: {spam: never}",
        ])
    })
}

fn any_hit() -> impl Strategy<Value = RuleHit> {
    let count = rules().len();
    (0..count, any::<bool>(), any::<bool>(), 0..6_u8).prop_map(
        |(rule, weak, mismatch, cancelled)| {
            let mut hit = hit(rules()[rule].id.as_str());
            hit.obfuscated = weak;
            hit.language_mismatch = mismatch;
            hit.cancelled_by = (cancelled == 0).then(|| "a phrase".into());
            hit
        },
    )
}

fn any_signals() -> impl Strategy<Value = Signals> {
    let hits = proptest::collection::vec(any_hit(), 0..4);
    (hits, 0..=1000_u16, 0..=1000_u16, any::<bool>()).prop_map(|(hits, hate, toxic, zh)| {
        let signals = signals(&hits, &[("hate", hate), ("toxic", toxic)]);
        if zh { in_language(signals, "zh") } else { signals }
    })
}

fn action_in(verdicts: &[RegionVerdict], region: Region) -> Action {
    let of = verdicts.iter().find(|verdict| verdict.regions.contains(&region));
    of.expect("every region has a verdict").verdict.outcome.action()
}

proptest! {
    #[test]
    fn more_evidence_never_lowers_an_action(
        set in any_policies(),
        signals in any_signals(),
        more in any_hit(),
    ) {
        let before = decide(&set, &signals, AUDIENCE).verdicts;
        let mut with_more = signals;
        with_more.hits.push(more);
        let after = decide(&set, &with_more, AUDIENCE).verdicts;
        for region in regions(AUDIENCE) {
            prop_assert!(action_in(&before, region) <= action_in(&after, region));
        }
    }

    #[test]
    fn verdicts_partition_the_audience_and_equal_ones_are_joined(
        set in any_policies(),
        signals in any_signals(),
    ) {
        let verdicts = decide(&set, &signals, AUDIENCE).verdicts;
        let mut seen: Vec<Region> = verdicts.iter().flat_map(|v| v.regions.iter().copied()).collect();
        prop_assert!(verdicts.is_sorted_by_key(|verdict| verdict.regions[0]));
        prop_assert!(verdicts.iter().all(|verdict| verdict.regions.is_sorted()));
        seen.sort_unstable();
        prop_assert_eq!(seen, regions(AUDIENCE));
        for (at, verdict) in verdicts.iter().enumerate() {
            prop_assert!(verdicts[..at].iter().all(|other| other.verdict != verdict.verdict));
        }
    }

    #[test]
    fn the_order_of_the_audience_does_not_matter(
        set in any_policies(),
        signals in any_signals(),
        order in Just(regions(AUDIENCE)).prop_shuffle(),
    ) {
        let post = super::world::post();
        let as_of = Some("2026-11-22T12:00:00Z".parse().expect("a time"));
        let facts = crate::policy::Facts { signals: &signals, post: &post, as_of };
        let mut twice = order.clone();
        twice.extend(&order);
        prop_assert_eq!(set.decide(&facts, &twice), decide(&set, &signals, AUDIENCE));
    }

    #[test]
    fn a_region_alone_has_the_verdict_it_has_among_others(
        set in any_policies(),
        signals in any_signals(),
    ) {
        for joined in decide(&set, &signals, AUDIENCE).verdicts {
            for region in joined.regions {
                let alone = decide(&set, &signals, region.as_str()).verdicts;
                prop_assert_eq!(&alone[0].verdict, &joined.verdict);
            }
        }
    }

    #[test]
    fn equal_tables_give_equal_verdicts(set in any_policies(), signals in any_signals()) {
        let of = |code: &str| decide(&set, &signals, code).verdicts.remove(0).verdict;
        prop_assert_eq!(of("AT"), of("FR"));
        prop_assert_eq!(of("JP"), of("default"));
    }

    #[test]
    fn reasons_stand_on_evidence_that_policies_may_act_on(
        set in any_policies(),
        signals in any_signals(),
    ) {
        let evidence = signals.hits.iter().filter(|hit| hit.is_evidence());
        let evidence: BTreeSet<_> = evidence.map(|hit| hit.rule.id.clone()).collect();
        for verdict in decide(&set, &signals, AUDIENCE).verdicts {
            let reasons = verdict.verdict.outcome.reasons().map_or(&[][..], |r| r.as_slice());
            for reason in reasons {
                prop_assert!(reason.rule.as_ref().is_none_or(|rule| evidence.contains(rule)));
                prop_assert!(reason.rule.is_some() || reason.score.is_some());
            }
        }
    }
}
