//! What follows from which evidence.

use super::world::{
    compile, decide, hit, in_language, policies, post, regions, rule, rules, said, short, signals,
    verdict,
};
use crate::{
    decision::{Effect, ReviewWhen},
    policy::{Facts, PolicySet},
    post::Surface,
    signal::{AtMost, ModelSignal, RuleHit, Signals, Status},
};

const ROOT: &str = "
region: default
categories:
  hate: {review: {severity: 2, score: 0.60}, block: {severity: 4}, zh: {review: {score: 0.55}, block: {score: 0.93}}}
  harassment: {review: {severity: 1}, block: {severity: 1}}
  toxic: {review: {score: 0.90}}
";

/// The outcome in `default` of the root above, with `more` in place of what it says.
fn outcome(files: &[&str], signals: &Signals) -> String {
    short(&verdict(&policies(files), signals, "default").outcome)
}

fn weak(id: &str) -> RuleHit {
    RuleHit { obfuscated: true, ..hit(id) }
}

fn root(with: &str) -> String {
    format!("region: default\n{with}")
}

/// Hits, scores, and what follows.
type Case<'a> = (&'a [RuleHit], &'a [(&'a str, u16)], &'a str);

#[test]
fn cells_act_from_their_bars_on() {
    let root =
        &[ROOT.replace("harassment: {review: {severity: 1}, block: {severity: 1}}", "spam: never")];
    let root = &[root[0].as_str()];
    let cases: &[Case<'_>] = &[
        (&[], &[], "allow"),
        (&[hit("hate/mild")], &[], "allow"),
        (&[hit("hate/clear")], &[], "review: default/hate/review"),
        (&[hit("hate/slur")], &[], "review: default/hate/review"),
        (&[hit("hate/grave")], &[], "block: default/hate/block"),
        (&[], &[("hate", 599)], "allow"),
        (&[], &[("hate", 600)], "review: default/hate/review"),
        (&[], &[("hate", 1000)], "review: default/hate/review"),
        (&[], &[("toxic", 900)], "review: default/toxic/review"),
        (&[hit("spam/ad")], &[("spam", 1000)], "allow"),
        (&[hit("extremism/symbols")], &[], "allow"),
        (&[hit("hate/trial")], &[], "allow"),
    ];
    for (hits, scores, expected) in cases {
        assert_eq!(outcome(root, &signals(hits, scores)), *expected, "{hits:?} {scores:?}");
    }
}

#[test]
fn a_language_replaces_the_scores_it_names_and_may_block() {
    let root =
        &[ROOT.replace("harassment: {review: {severity: 1}, block: {severity: 1}}", "spam: never")];
    let set = policies(&[&root[0]]);
    let of = |score, language| {
        let signals = in_language(signals(&[], &[("hate", score)]), language);
        short(&verdict(&set, &signals, "default").outcome)
    };
    assert_eq!(of(560, "zh"), "review: default/hate/zh/review");
    assert_eq!(of(930, "zh"), "block: default/hate/zh/block");
    assert_eq!(of(930, "en"), "review: default/hate/review");
    assert_eq!(of(560, "und"), "allow");
}

#[test]
fn the_most_specific_key_wins_and_never_switches_off() {
    let root = root("categories: {hate: {block: {severity: 2}}, hate/slur: never}");
    assert_eq!(outcome(&[&root], &signals(&[hit("hate/slur")], &[])), "allow");
    assert_eq!(outcome(&[&root], &signals(&[hit("hate/clear")], &[])), "block: default/hate/block");
}

#[test]
fn weak_evidence_is_reviewed_unless_the_cell_says_otherwise() {
    let root_of = |weak| {
        root(&format!(
            "categories: {{hate: {{review: {{severity: 2}}, block: {{severity: 4}}{weak}}}}}"
        ))
    };
    let (plain, strict) = (root_of(""), root_of(", weak: block"));
    let mismatch = RuleHit { language_mismatch: true, ..hit("hate/grave") };
    assert_eq!(
        outcome(&[&plain], &signals(&[weak("hate/grave")], &[])),
        "review: default/hate/review"
    );
    assert_eq!(outcome(&[&plain], &signals(&[mismatch], &[])), "review: default/hate/review");
    assert_eq!(
        outcome(&[&strict], &signals(&[weak("hate/grave")], &[])),
        "block: default/hate/block"
    );
    let only_block = root("categories: {hate: {block: {severity: 4}}}");
    let reduced = outcome(&[&only_block], &signals(&[weak("hate/grave")], &[]));
    assert_eq!(reduced, "review: default/hate/block", "a block reduced to review keeps its row");
}

#[test]
fn swearing_never_blocks_whatever_covers_it() {
    let root = root(
        "
categories: {harassment: {block: {severity: 1}}}
rows: [{id: a/b, category: harassment, action: block}]",
    );
    let swearing = signals(&[hit("harassment/swearing")], &[]);
    assert_eq!(outcome(&[&root], &swearing), "review: a/b, default/harassment/block");
}

#[test]
fn cancelled_hits_and_shadow_rules_are_never_reasons() {
    let cancelled = RuleHit { cancelled_by: Some("a phrase".into()), ..hit("hate/grave") };
    let root = root("categories: {hate: {block: {severity: 1}}}");
    assert_eq!(outcome(&[&root], &signals(&[cancelled, hit("hate/trial")], &[])), "allow");
}

#[test]
fn an_emergency_override_holds_evidence_down_in_cells_rows_and_every_scope() {
    let cell = root("categories: {hate: {review: {severity: 1}, block: {severity: 3}}}");
    let row = root("rows: [{id: a/b, rule: hate/slur, action: block, weak: block}]");
    let global = root(
        "
global_for: [hate]
rows: [{id: a/b, category: hate, action: block, scope: global}]",
    );
    let restraint =
        root("rows: [{id: a/b, category: hate, action: allow, tier: restrain, effects: [limit]}]");
    let cases = [
        (&cell, None, "block: default/hate/block"),
        (&cell, Some(AtMost::Review), "review: default/hate/review"),
        (&cell, Some(AtMost::Allow), "allow"),
        (&row, Some(AtMost::Review), "review: a/b"),
        (&row, Some(AtMost::Allow), "allow"),
        (&global, Some(AtMost::Review), "review: a/b"),
        (&global, Some(AtMost::Allow), "allow"),
        (&restraint, Some(AtMost::Review), "allow: a/b"),
        (&restraint, Some(AtMost::Allow), "allow"),
    ];
    for (policy, at_most, expected) in cases {
        let held = RuleHit { at_most, ..hit("hate/slur") };
        assert_eq!(outcome(&[policy], &signals(&[held], &[])), expected, "{at_most:?}\n{policy}");
    }
    let held = RuleHit { at_most: Some(AtMost::Allow), ..hit("hate/slur") };
    let another = outcome(&[&cell], &signals(&[held, hit("hate/grave")], &[]));
    assert_eq!(another, "block: default/hate/block", "another rule is not held down");
}

#[test]
fn rows_select_by_all_their_selectors() {
    let row = |selectors: &str| root(&format!("rows: [{{id: a/b, action: block, {selectors}}}]"));
    let cases = [
        ("rule: extremism/symbols", "extremism/symbols", "block: a/b"),
        ("category: extremism", "extremism/symbols", "allow"),
        ("category: extremism, severity: 0", "extremism/symbols", "block: a/b"),
        ("rule: [hate/slur, hate/grave]", "hate/slur", "block: a/b"),
        ("rule: [hate/slur, hate/grave]", "hate/clear", "allow"),
        ("category: hate, severity: 3", "hate/slur", "block: a/b"),
        ("category: hate, severity: 3", "hate/clear", "allow"),
        ("category: hate/slur", "hate/grave", "allow"),
    ];
    for (selectors, rule, expected) in cases {
        let found = outcome(&[&row(selectors)], &signals(&[hit(rule)], &[]));
        assert_eq!(found, expected, "{selectors} on {rule}");
    }
    let by_score = root("rows: [{id: a/b, action: review, category: hate, score: 0.5}]");
    assert_eq!(outcome(&[&by_score], &signals(&[], &[("hate", 500)])), "review: a/b");
    assert_eq!(outcome(&[&by_score], &signals(&[hit("hate/grave")], &[("hate", 499)])), "allow");
}

#[test]
fn rows_act_on_their_surfaces_and_between_their_dates() {
    let root = root("
rows:
  - {id: a/bio, rule: spam/ad, action: block, surfaces: bio}
  - {id: a/berlin, rule: hate/clear, action: block, effective: {from: 2026-11-22, until: 2026-11-23, zone: Europe/Berlin}}");
    let set = policies(&[&root]);
    let on = |surface, rule, as_of: Option<&str>| {
        let mut post = post();
        post.surface = surface;
        let signals = signals(&[hit(rule)], &[]);
        let as_of = as_of.map(|at| at.parse().expect("a time"));
        let facts = Facts { signals: &signals, post: &post, as_of };
        short(&set.decide(&facts, &regions("default")).verdicts[0].verdict.outcome)
    };
    assert_eq!(on(Surface::Bio, "spam/ad", None), "block: a/bio");
    assert_eq!(on(Surface::Post, "spam/ad", None), "allow");
    let berlin = |at| on(Surface::Post, "hate/clear", at);
    assert_eq!(berlin(Some("2026-11-21T22:59:59Z")), "allow");
    assert_eq!(berlin(Some("2026-11-21T23:00:00Z")), "block: a/berlin", "midnight in Berlin");
    assert_eq!(berlin(Some("2026-11-22T23:00:00Z")), "allow", "`until` is the first moment after");
    assert_eq!(berlin(None), "block: a/berlin", "a test without a time has every row in effect");
}

#[test]
fn every_row_that_reached_the_strictest_action_is_a_reason_and_no_other() {
    let root = root(
        "
categories: {hate: {review: {severity: 1}, block: {severity: 4}}}
rows:
  - {id: a/block, rule: hate/slur, action: block}
  - {id: a/review, rule: hate/slur, action: review}",
    );
    let found =
        outcome(&[&root], &signals(&[hit("hate/grave"), hit("hate/slur")], &[("hate", 1000)]));
    assert_eq!(found, "block: default/hate/block, a/block");
}

#[test]
fn a_row_can_stand_in_for_the_cell_but_not_for_a_mandatory_one() {
    let root = root(
        "
categories: {extremism: {block: {severity: 1}}, hate: {block: {severity: 1}}}
rows:
  - {id: a/hate, rule: hate/slur, action: review, replaces_category: true}
  - {id: a/terror, category: extremism, action: review, replaces_category: true}",
    );
    assert_eq!(outcome(&[&root], &signals(&[hit("hate/slur")], &[])), "review: a/hate");
    let both = signals(&[hit("hate/slur"), hit("hate/clear")], &[]);
    assert_eq!(outcome(&[&root], &both), "block: default/hate/block", "only for its own evidence");
    let terror = signals(&[hit("extremism/manual")], &[]);
    assert_eq!(outcome(&[&root], &terror), "block: default/extremism/block");
}

#[test]
fn caps_soften_all_but_mandatory_and_global_evidence() {
    let root = root("
global_for: [extremism]
categories: {hate: {block: {severity: 1}}, extremism: {block: {severity: 1}}, spam: {review: {severity: 1}}}
rows: [{id: a/global, rule: extremism/symbols, action: block, scope: global}]
caps:
  - {id: cap/hate, for: {category: hate}, at_most: review}
  - {id: cap/extremism, for: {category: extremism}, at_most: allow}
  - {id: cap/spam, for: {rule: spam/ad}, at_most: allow}");
    let of = |id| outcome(&[&root], &signals(&[hit(id)], &[]));
    assert_eq!(of("hate/grave"), "review: default/hate/block");
    assert_eq!(of("spam/ad"), "allow");
    assert_eq!(of("extremism/manual"), "block: default/extremism/block");
    assert_eq!(of("extremism/symbols"), "block: a/global");
}

#[test]
fn a_review_holds_the_post_back_where_the_row_says_or_the_law_is_the_ground() {
    let row = |more: &str| root(&format!("rows: [{{id: a/b, rule: hate/slur, {more}}}]"));
    let law = "tier: illegal, legal: {act: X}";
    let slur = signals(&[hit("hate/slur")], &[]);
    let held = |more: &str| outcome(&[&row(more)], &slur);
    assert_eq!(held("action: review"), "review: a/b");
    assert_eq!(held("action: review, review: {hold: true}"), "review+hold: a/b");
    assert_eq!(held(&format!("action: review, {law}")), "review+hold: a/b");
    assert_eq!(held(&format!("action: review, {law}, review: {{hold: false}}")), "review: a/b");
    let reduced = signals(&[weak("hate/slur")], &[]);
    assert_eq!(outcome(&[&row(&format!("action: block, {law}"))], &reduced), "review+hold: a/b");
}

#[test]
fn reviews_are_asked_once_a_row_with_the_most_urgent_evidence() {
    let root = root(
        "
categories: {hate: {review: {severity: 2, score: 0.5}}}
rows:
  - {id: a/after, rule: spam/ad, action: block, review: {after: always, queue: ads, priority: 7}}
  - {id: a/appeal, rule: spam/ad, action: block, review: {after: appeal}}
  - {id: a/none, rule: spam/ad, action: block}",
    );
    let set = policies(&[&root]);
    let asks = |signals: &Signals| -> Vec<(String, String, u8, ReviewWhen)> {
        let asks = verdict(&set, signals, "default").reviews.into_iter();
        asks.map(|a| (a.row.as_str().into(), a.queue.to_string(), a.priority, a.when)).collect()
    };
    let hate = signals(&[hit("hate/slur"), hit("hate/clear")], &[("hate", 900)]);
    let before = ("default/hate/review".to_owned(), "hate".to_owned(), 60, ReviewWhen::Before);
    assert_eq!(asks(&hate), [before]);
    let after = ("a/after".to_owned(), "ads".to_owned(), 7, ReviewWhen::After);
    let appeal = ("a/appeal".to_owned(), "spam".to_owned(), 40, ReviewWhen::Appeal);
    let blocked = signals(&[hit("hate/slur"), hit("spam/ad")], &[]);
    assert_eq!(
        asks(&blocked),
        [after, appeal],
        "what only asked for review is settled by the block"
    );
}

#[test]
fn a_share_of_blocks_is_drawn_alike_every_time() {
    let root = root("rows: [{id: a/b, rule: spam/ad, action: block, review: {after: 20%}}]");
    let set = policies(&[&root]);
    let ad = signals(&[hit("spam/ad")], &[]);
    let drawn = |id: u32| {
        let mut post = post();
        post.id = crate::post::PostId::new(&id.to_string()).expect("an id");
        let facts = Facts { signals: &ad, post: &post, as_of: None };
        let verdicts = set.decide(&facts, &regions("default")).verdicts;
        !verdicts[0].verdict.reviews.is_empty()
    };
    let first: Vec<bool> = (0..2000).map(drawn).collect();
    let share = first.iter().filter(|drawn| **drawn).count();
    assert!((340..=460).contains(&share), "about 400 of 2000, not {share}");
    assert_eq!(first, (0..2000).map(drawn).collect::<Vec<_>>());
}

#[test]
fn effects_are_united_and_stand_beside_any_action() {
    let root = root(
        "
categories: {hate: {block: {severity: 1}}}
rows:
  - {id: a/limit, category: hate, tier: restrain, effects: [limit]}
  - {id: a/label, rule: spam/ad, tier: restrain, effects: label}",
    );
    let set = policies(&[&root]);
    let both = verdict(&set, &signals(&[hit("hate/slur"), hit("spam/ad")], &[]), "default");
    assert_eq!(short(&both.outcome), "block: default/hate/block");
    assert_eq!(both.effects.into_iter().collect::<Vec<_>>(), [Effect::Limit, Effect::Label]);
    let mild = verdict(&set, &signals(&[hit("spam/ad")], &[]), "default");
    assert_eq!(short(&mild.outcome), "allow: a/label", "a restraint is a reason of an allow");
}

#[test]
fn what_is_tried_changes_nothing_but_says_what_it_would_do() {
    let root = root(
        "
categories: {hate: {review: {severity: 1}}}
rows: [{id: a/old, rule: spam/ad, action: block}]",
    );
    let trial = "
region: DE
categories: {hate: {block: {severity: 1}, status: shadow}}
rows: [{id: a/old, rule: spam/ad, action: review, status: shadow}]";
    let set = policies(&[&root, trial]);
    let of = |id| verdict(&set, &signals(&[hit(id)], &[]), "DE");
    let hate = of("hate/slur");
    assert_eq!(short(&hate.outcome), "review: default/hate/review", "the inherited cell stays");
    assert_eq!(hate.would.as_ref().map(short), Some("block: DE/hate/block".to_owned()));
    let ad = of("spam/ad");
    assert_eq!(short(&ad.outcome), "block: a/old");
    assert_eq!(ad.would.as_ref().map(short), Some("review: a/old".to_owned()));
    assert_eq!(of("extremism/symbols").would, None);
}

#[test]
fn an_unavailable_model_and_a_cut_scan_have_their_own_rows() {
    let root = root(
        "
categories: {hate: {review: {severity: 4}}}
when_model_unavailable: {hate: review_if_signal, toxic: review_if_signal, spam: allow}
when_truncated: review",
    );
    let mut found = signals(&[hit("hate/mild")], &[]);
    assert_eq!(outcome(&[&root], &found), "allow");
    found.model = ModelSignal::Unavailable(None);
    let both = "review: default/model_unavailable/hate, default/model_unavailable/toxic";
    assert_eq!(outcome(&[&root], &found), both);
    found.hits = vec![hit("hate/trial")];
    assert_eq!(outcome(&[&root], &found), both, "a shadow rule is a sign that something is there");
    found.hits = vec![hit("spam/ad")];
    assert_eq!(outcome(&[&root], &found), "allow");
    found.model = ModelSignal::NotRouted;
    found.truncated = true;
    assert_eq!(outcome(&[&root], &found), "review: default/truncated");
    let all = "region: default\nwhen_model_unavailable: {hate: review_all}";
    let nothing = Signals { model: ModelSignal::Unavailable(None), ..signals(&[], &[]) };
    assert_eq!(outcome(&[all], &nothing), "review: default/model_unavailable/hate");
}

fn family() -> PolicySet {
    policies(&[
        "region: default\ncategories: {hate: {review: {severity: 1}}, spam: {review: {severity: 1}}}
rows: [{id: a/root, rule: extremism/symbols, action: block}]
caps: [{id: cap/x, for: {category: spam}, at_most: allow}]",
        "group: EU\nmembers: [DE, FR]\ncategories: {hate: {block: {severity: 3}}}",
        "group: WORLD\nmembers: [EU, SG]\ncategories: {harassment: {review: {severity: 1}}}",
        "region: DE\ndrop: [a/root, cap/x]",
        "# layer\nregion: DE\ncategories: {harassment: never}",
    ])
}

#[test]
fn the_nearest_file_says_what_holds_and_names_the_row() {
    let set = family();
    let of = |id, region| short(&verdict(&set, &signals(&[hit(id)], &[]), region).outcome);
    assert_eq!(of("hate/slur", "DE"), "block: EU/hate/block");
    assert_eq!(of("hate/clear", "FR"), "allow", "the cell is replaced whole");
    assert_eq!(of("hate/clear", "SG"), "review: default/hate/review");
    assert_eq!(of("harassment/grave", "FR"), "review: WORLD/harassment/review");
    assert_eq!(of("harassment/grave", "DE"), "allow", "a later layer of the same region");
    assert_eq!(of("extremism/symbols", "FR"), "block: a/root");
    assert_eq!(of("extremism/symbols", "DE"), "allow", "dropped");
    assert_eq!(
        (of("spam/ad", "FR"), of("spam/ad", "DE")),
        ("allow".into(), "review: default/spam/review".into())
    );
}

#[test]
fn groups_become_their_members_and_unnamed_regions_are_told() {
    let set = family();
    assert_eq!(set.expand(&regions("WORLD DE JP")), regions("DE FR JP SG"));
    let ruling = decide(&set, &signals(&[hit("hate/slur")], &[]), "JP EU default");
    assert_eq!(ruling.unnamed, regions("JP"));
    let groups: Vec<_> = ruling.verdicts.iter().map(|v| v.regions.clone()).collect();
    assert_eq!(groups, [regions("DE FR"), regions("JP default")]);
    assert!(decide(&set, &signals(&[], &[]), "").verdicts.is_empty());
}

#[test]
fn the_reach_of_a_rule_counts_named_regions() {
    let set = family();
    let reach = |id: &str| set.reach(&hit(id).rule).to_string();
    assert_eq!(reach("hate/slur"), "blocks in 2 regions, reviews in 2");
    assert_eq!(reach("extremism/symbols"), "blocks in 3 regions, nothing in 1");
    assert_eq!(reach("local/insult"), "nothing in 4 regions");
    assert_eq!(set.regions().collect::<Vec<_>>(), regions("DE FR SG default"));
}

#[test]
fn rows_and_signals_that_never_act_are_warned_of() {
    let (set, out) = compile(&["region: default
categories: {hate: {review: {severity: 1}}, harassment: {review: {severity: 1}}, extremism: {review: {severity: 1}}}
rows: [{id: a/b, rule: hate/trial, action: block}]"]);
    assert!(set.is_some(), "warnings refuse nothing");
    assert_eq!(
        said(&out),
        [
            "P041 `extremism/symbols` has severity 0 and no row names it",
            "P040 3:24 `hate/trial` is shadow: this row never acts on it",
        ]
    );
    assert!(rules().contains(&rule("hate/trial", "hate", 4, Status::Shadow)));
}

#[test]
fn rows_may_name_rules_that_the_operator_left_out() {
    let root = root(
        "rows: [{id: a/b, rule: [hate/left-out, hate/slur], action: block}]
caps: [{id: a/cap, for: {rule: hate/left-out}, at_most: review}]",
    );
    assert_eq!(outcome(&[&root], &signals(&[hit("hate/slur")], &[])), "block: a/b");
}
