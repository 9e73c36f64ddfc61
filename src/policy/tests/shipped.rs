//! The policies that come with Tidegate, with the rules that come with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    super::{Known, PolicySet, Reach},
    world::{regions, said, short, signals, source},
};
use crate::{
    condition::Declared,
    diagnostic::{Diagnostics, SourceFile},
    post::{Field, Region},
    signal::{Category, RuleFacts, RuleHit, RuleId, Severity, Signals, Status},
    taxonomy::Taxonomy,
    text::View,
    yaml::{Reader, parse},
};

struct Shipped {
    policies: PolicySet,
    rules: BTreeMap<String, Arc<RuleFacts>>,
}

/// The files of a folder of `rules` and of the folders in it.
fn files(folder: &str) -> Vec<Arc<SourceFile>> {
    files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(folder))
}

fn files_in(folder: &Path) -> Vec<Arc<SourceFile>> {
    let entries = fs::read_dir(folder).expect("the folder is shipped");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        if path.is_dir() {
            return files_in(&path);
        }
        let text = fs::read_to_string(&path).expect("readable");
        vec![source(path.to_str().expect("UTF-8"), &text)]
    };
    paths.into_iter().flat_map(read).collect()
}

/// Id, category, severity and status of every rule of a pack; the rest is the rule compiler's.
fn rules_of(file: &Arc<SourceFile>, into: &mut BTreeMap<String, Arc<RuleFacts>>) {
    let mut out = Diagnostics::default();
    let root = parse(file, &mut out).expect("YAML");
    let reader = Reader::new(file, &mut out);
    let mut keys = reader.keys(&root).expect("a mapping");
    let pack = reader.text(keys.require("pack", &reader).expect("a pack")).expect("a name");
    for node in reader.items(keys.require("rules", &reader).expect("rules")) {
        let mut keys = reader.keys(node).expect("a rule");
        let mut text = |key| keys.take(key).and_then(|node| reader.text(node));
        let id = format!("{pack}/{}", text("id").expect("an id"));
        let severity = text("severity").and_then(|level| Severity::new(level.parse().ok()?));
        let status = text("status").unwrap_or("shadow");
        let status = Status::ALL.into_iter().find(|known| known.as_str() == status);
        let facts = RuleFacts {
            id: RuleId::new(&id),
            hash: "".into(),
            category: Category::new(text("category").expect("a category")),
            severity: severity.expect("a severity"),
            status: status.expect("a status"),
        };
        into.insert(id, Arc::new(facts));
    }
}

fn shipped() -> Shipped {
    let mut out = Diagnostics::default();
    let text = include_str!("../../../rules/taxonomy.yaml");
    let taxonomy = Taxonomy::compile(&source("rules/taxonomy.yaml", text), &mut out);
    let taxonomy = taxonomy.unwrap_or_else(|| panic!("{:#?}", said(&out)));
    let mut rules = BTreeMap::new();
    for file in files("packs") {
        rules_of(&file, &mut rules);
    }
    let all: Vec<Arc<RuleFacts>> = rules.values().cloned().collect();
    let left_out = BTreeSet::new();
    let extra = Declared::new();
    let known =
        Known { taxonomy: &taxonomy, rules: &all, left_out: &left_out, model: None, extra: &extra };
    let policies = PolicySet::compile(&files("policies"), &known, &mut out);
    assert!(out.is_empty(), "not a warning in what is shipped: {:#?}", said(&out));
    Shipped { policies: policies.expect("no errors"), rules }
}

impl Shipped {
    fn hit(&self, id: &str) -> RuleHit {
        RuleHit {
            rule: Arc::clone(&self.rules[id]),
            entry: "an entry".into(),
            field: Field::Body,
            index: None,
            spans: Vec::new(),
            view: View::Standard,
            obfuscated: false,
            language_mismatch: false,
            cancelled_by: None,
            at_most: None,
            truncated: false,
        }
    }

    fn decide(&self, signals: &Signals, audience: &str) -> Vec<String> {
        let ruling = super::world::decide(&self.policies, signals, audience);
        let one = |verdict: &crate::decision::RegionVerdict| {
            let regions: Vec<&str> = verdict.regions.iter().map(Region::as_str).collect();
            format!("{} {}", regions.join(","), short(&verdict.verdict.outcome))
        };
        ruling.verdicts.iter().map(one).collect()
    }
}

#[test]
fn one_betting_offer_is_allowed_here_reviewed_there_and_blocked_elsewhere() {
    let shipped = shipped();
    let offer = signals(&[shipped.hit("illegal_goods/gambling-en")], &[]);
    assert_eq!(
        shipped.decide(&offer, "US DE SG"),
        [
            "DE review: default/illegal_goods/gambling/review",
            "SG block: sg/unlicensed-gambling",
            "US allow",
        ]
    );
}

#[test]
fn a_symbol_is_withheld_in_germany_only() {
    let shipped = shipped();
    let symbol = signals(&[shipped.hit("extremism/banned-symbols")], &[]);
    assert_eq!(
        shipped.decide(&symbol, "DE US NL default"),
        ["DE block: de/unconstitutional-symbols", "NL,US,default allow"]
    );
}

#[test]
fn a_manual_of_terror_is_blocked_for_everyone_by_a_global_row() {
    let shipped = shipped();
    let manual = signals(&[shipped.hit("extremism/attack-manual-en")], &[]);
    for region in ["US", "DE", "JP"] {
        let verdicts = shipped.decide(&manual, region);
        assert!(verdicts[0].contains("default/terrorist-content"), "{verdicts:?}");
        assert!(verdicts[0].starts_with(&format!("{region} block")), "{verdicts:?}");
    }
}

#[test]
fn nobody_who_speaks_of_ending_their_life_is_silenced() {
    let shipped = shipped();
    for rule in shipped.rules.values().filter(|r| r.category.as_str() == "self_harm/intent") {
        let hit = signals(&[shipped.hit(rule.id.as_str())], &[("self_harm", 1000)]);
        for region in shipped.policies.regions() {
            let verdicts = shipped.decide(&hit, region.as_str());
            assert!(!verdicts[0].contains("block"), "{}: {verdicts:?}", rule.id.as_str());
        }
    }
}

#[test]
fn swearing_is_never_reviewed_and_never_blocked() {
    let shipped = shipped();
    let swearing = signals(&[shipped.hit("harassment/profanity-en")], &[]);
    assert_eq!(
        shipped.decide(&swearing, "US DE SG"),
        ["DE,US allow", "SG allow: sg/limit-coarse-language"]
    );
}

#[test]
fn the_union_has_27_members_and_every_named_region_is_reached() {
    let shipped = shipped();
    assert_eq!(shipped.policies.expand(&regions("EU")).len(), 27);
    let rule = &shipped.rules["scam_fraud/off-platform-contact"];
    let everywhere = Reach { blocks: 37, ..Reach::default() };
    assert_eq!(shipped.policies.reach(rule), everywhere, "27, nine more countries and default");
    assert_eq!(everywhere.to_string(), "blocks in 37 regions");
}

#[test]
fn scores_alone_block_nowhere_without_a_language() {
    let shipped = shipped();
    let sure: Vec<(&str, u16)> =
        ["harassment/profanity", "hate", "self_harm", "spam", "toxic"].map(|c| (c, 1000)).to_vec();
    for region in shipped.policies.regions() {
        let verdicts = shipped.decide(&signals(&[], &sure), region.as_str());
        assert!(verdicts[0].contains(" review: "), "{verdicts:?}");
    }
}
