//! What people are told about a file that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{compile, compile_with, said, told};
use crate::{
    policy::ModelEvidence,
    signal::{Category, Language},
};

const ROOT: &str = "region: default
categories: {hate: {review: {severity: 1}}, harassment: {review: {severity: 1}}, extremism: {review: {severity: 1}, block: {severity: 3}}, spam: {review: {severity: 1}}}
rows:
  - {id: a/symbols, rule: extremism/symbols, action: review}
  - {id: a/local, category: spam, action: review}
";

/// What is said of a file for DE beside a root without mistakes, but for idle rules.
fn of_germany(text: &str) -> Vec<String> {
    let (set, out) = compile(&[ROOT, &format!("region: DE\n{text}")]);
    assert!(set.is_none(), "{text} is refused");
    told(&out)
}

fn row(text: &str) -> Vec<String> {
    of_germany(&format!("rows: [{{id: de/x, {text}}}]"))
}

#[test]
fn cells() {
    let cases = [
        ("hat: never", "P008 there is no category `hat`"),
        ("hate: off", "P010 this says nothing about the category"),
        ("hate: {}", "P010 this cell says nothing"),
        ("hate: {review: {}}", "P010 this bar says nothing"),
        ("hate: {reveiw: {severity: 2}}", "Y015 the key `reveiw` is not known here"),
        ("hate: {review: {severity: 0}}", "P017 `0` is no severity that can stand here"),
        ("hate: {review: {score: 60}}", "P018 `60` is no score that can stand here"),
        ("hate: {review: {score: 0}}", "P018 `0` is no score that can stand here"),
        ("hate: {block: {score: 0.9}}", "P011 a score may block only under a language key"),
        (
            "hate: {review: {severity: 3}, block: {severity: 3}}",
            "P012 the bar for review is not below the bar for block",
        ),
        (
            "hate: {review: {score: 0.9}, zh: {block: {score: 0.9}}}",
            "P012 the bar for review is not below the bar for block",
        ),
        ("hate: {zh: {block: {severity: 2}}}", "Y016 the key `score` is missing"),
        ("hate: {zh: {}}", "P010 this language says nothing"),
        (
            "harassment/profanity: {block: {severity: 1}}",
            "P013 `harassment/profanity` never blocks",
        ),
        ("toxic: {zh: {block: {score: 0.99}}}", "P014 `toxic` never blocks"),
        ("toxic: {review: {severity: 2}}", "P014 `toxic` is a score: no rule finds it"),
        ("local_law: {review: {severity: 2}}", "P015 `local_law` acts only through rows"),
        (
            "extremism/terrorist_content: never",
            "P027 `extremism/terrorist_content` is mandatory and cannot be switched off",
        ),
        (
            "extremism: {review: {severity: 1}}",
            "P027 this would weaken `extremism/terrorist_content`, which is mandatory",
        ),
    ];
    for (cell, expected) in cases {
        let found = of_germany(&format!("categories: {{{cell}}}"));
        assert!(found.contains(&expected.to_owned()), "{cell}\n{found:#?}");
    }
}

const ROWS: &[(&str, &str)] = &[
    ("action: block", "P020 this row selects nothing"),
    ("rule: hate/slurr, action: block", "P009 there is no rule `hate/slurr`"),
    ("rule: hate/slur", "Y016 the key `action` is missing"),
    ("rule: hate/slur, score: 0.5, action: review", "P020 no evidence has both a rule and a score"),
    (
        "category: hate, severity: 1, score: 0.5, action: review",
        "P020 no evidence has both a rule and a score",
    ),
    (
        "category: spam, rule: hate/slur, action: review",
        "P020 `hate/slur` finds `hate/slur`, not `spam`",
    ),
    (
        "category: hate, score: 0.5, action: block",
        "P011 a score may block only under a language key",
    ),
    ("category: hate, action: allow", "P021 a row that allows does nothing"),
    ("category: hate, tier: restrain", "P021 a restraint without effects does nothing"),
    (
        "category: hate, tier: restrain, effects: limit, action: block",
        "P021 a restraint does not block",
    ),
    ("category: hate, action: block, tier: illegal", "P022 what is illegal is so by a law"),
    (
        "category: hate, action: block, exceptions: art, tier: illegal, legal: {act: X}",
        "P023 nobody would see whether an exception applies",
    ),
    ("category: hate, action: block, scope: global", "P024 one region cannot decide for all"),
    ("category: harassment/profanity, action: block", "P013 `harassment/profanity` never blocks"),
    ("rule: harassment/swearing, action: block", "P013 `harassment/profanity` never blocks"),
    ("category: toxic, score: 0.9, action: block", "P014 `toxic` never blocks"),
    ("category: hate, action: block, effective: {from: tomorrow}", "P025 `tomorrow` is no date"),
    (
        "category: hate, action: block, effective: {zone: Europe/Bonn}",
        "P025 there is no time zone `Europe/Bonn`",
    ),
    (
        "category: hate, action: block, effective: {from: 2026-01-02, until: 2026-01-02}",
        "P025 the row would end before it begins",
    ),
    (
        "category: hate, action: block, review: {after: sometimes}",
        "P028 `sometimes` does not say which blocks a person looks at",
    ),
    (
        "category: hate, action: block, review: {after: 0%}",
        "P028 `0%` does not say which blocks a person looks at",
    ),
    (
        "category: hate, action: block, review: {queue: My queue}",
        "P028 `My queue` cannot be a review queue",
    ),
    ("category: hate, action: block, review: {priority: 101}", "P028 `101` is no priority"),
    (
        "category: hate, action: block, legal: {act: X, url: 'http://x'}",
        "P033 the source of a law is an https address",
    ),
    ("category: hate, action: block, tell_author: {German: x}", "P035 `German` is no language"),
    ("category: hate, action: block, deadline: PT1H", "Y015 the key `deadline` is not known here"),
    (
        "rule: extremism/manual, action: block, replaces_category: true",
        "P027 `extremism/terrorist_content` is mandatory: its cell stays",
    ),
];

#[test]
fn rows() {
    for (text, expected) in ROWS {
        let found = row(text);
        assert!(found.contains(&(*expected).to_owned()), "{text}\n{found:#?}");
    }
}

#[test]
fn ids() {
    for id in ["X/y", "nothing", "a/b/c", "default/truncated", "a/"] {
        let found = of_germany(&format!("rows: [{{id: {id}, category: hate, action: block}}]"));
        assert_eq!(found, [format!("P019 `{id}` cannot be an id of a row")]);
    }
    let twice = of_germany(
        "rows: [{id: a/b, category: hate, action: block}]
caps: [{id: a/b, for: {category: hate}, at_most: review}]",
    );
    assert_eq!(twice, ["P019 the id `a/b` is there twice"]);
}

#[test]
fn caps_and_drops() {
    let cases = [
        (
            "caps: [{id: a/c, for: {category: extremism/terrorist_content}, at_most: review}]",
            "P027 mandatory evidence cannot be capped",
        ),
        (
            "caps: [{id: a/c, for: {rule: extremism/manual}, at_most: review}]",
            "P027 mandatory evidence cannot be capped",
        ),
        (
            "caps: [{id: a/c, for: {}, at_most: review}]",
            "P029 a cap is for one category or for one rule",
        ),
        (
            "caps: [{id: a/c, for: {category: hate}, at_most: block}]",
            "Y014 `block` is not known here",
        ),
        (
            "caps: [{id: a/c, for: {category: hate}, when: {}, at_most: review}]",
            "R092 this condition asks for nothing",
        ),
        ("drop: [a/symbol]", "P026 no row or cap `a/symbol` is inherited"),
        ("global_for: [hate]", "P030 only the root says what may be decided for every region"),
        ("members: [AT]", "P003 `DE` is a region: only groups have members"),
        ("when_truncated: block", "Y014 `block` is not known here"),
    ];
    for (text, expected) in cases {
        let found = of_germany(text);
        assert!(found.contains(&expected.to_owned()), "{text}\n{found:#?}");
    }
}

#[test]
fn families() {
    let root = "region: default";
    let cases: &[(&[&str], &str)] = &[
        (&["region: DE"], "P007 no policy file is for `default`"),
        (&[root, "owner: x"], "P001 a policy is for one region or for one group"),
        (&[root, "region: DE\ngroup: EU"], "P001 a policy is for one region or for one group"),
        (&[root, "region: UK"], "P002 `UK` is no known region"),
        (&[root, "region: EU"], "P002 `EU` is no known region"),
        (&[root, "region: D E"], "P002 `D E` is no region"),
        (&[root, "group: DE\nmembers: [AT]"], "P002 `DE` is a region, not a group"),
        (&[root, "group: EU"], "P003 the group `EU` has no members"),
        (&[root, "group: EU\nmembers: [AT, XX]"], "P002 `XX` is no known region"),
        (&[root, "group: EU\nmembers: [EEA]"], "P002 `EEA` is no known region"),
        (&[root, "region: DE", "region: DE"], "P004 another file of this directory is for `DE`"),
        (
            &[root, "group: EU\nmembers: [AT]", "group: EEA\nmembers: [AT]"],
            "P005 `AT` is a member of `EEA` already",
        ),
        (
            &[root, "group: EU\nmembers: [EEA]", "group: EEA\nmembers: [EU]"],
            "P006 the group `EEA` is a member of itself",
        ),
        (
            &[root, "region: DE\ntests: [{name: n, post: x, expect: {EG: allow, EEA: allow}}]"],
            "P002 `EEA` is no known region",
        ),
        (
            &["region: default\nrows: [{id: a/b, category: spam, action: block, scope: global}]"],
            "P024 `spam` is not decided for every region",
        ),
        (
            &["region: default\nrows: [{id: a/b, category: local_law, action: block}]"],
            "P015 `local_law` is the law of some place, not of all",
        ),
    ];
    for (files, expected) in cases {
        let (set, out) = compile(files);
        assert!(set.is_none(), "{files:?} is refused");
        assert!(told(&out).contains(&(*expected).to_owned()), "{files:?}\n{:#?}", said(&out));
    }
}

#[test]
fn mandatory_and_global_rows_stay() {
    let root = "region: default
global_for: [extremism]
rows:
  - {id: a/terror, category: extremism/terrorist_content, action: block}
  - {id: a/symbols, rule: extremism/symbols, action: block, scope: global}";
    let germany = "region: DE
drop: [a/terror, a/symbols]
rows:
  - {id: a/terror, category: extremism/terrorist_content, action: review}
  - {id: a/symbols, rule: extremism/symbols, action: review}";
    let (_, out) = compile(&[root, germany]);
    let found = told(&out);
    assert_eq!(
        found,
        [
            "P027 `a/terror` cannot be dropped: its category is mandatory",
            "P027 `a/symbols` cannot be dropped: it is global",
            "P027 `a/terror` cannot be replaced: its category is mandatory",
            "P027 `a/symbols` cannot be replaced: it is global",
        ]
    );
}

#[test]
fn every_mistake_of_every_file_is_told_at_once() {
    let (set, out) =
        compile(&["region: default\ncategories: {hat: never, spm: never}", "region: UK"]);
    assert!(set.is_none());
    let errors = told(&out);
    assert_eq!(errors.len(), 3, "{errors:#?}");
    let helps: Vec<_> = out.sorted().iter().filter_map(|d| d.help.clone()).collect();
    assert!(helps.contains(&"did you mean `spam`?".to_owned()), "{helps:?}");
    assert!(helps.contains(&"the code is `GB`".to_owned()), "{helps:?}");
}

#[test]
fn scores_need_evidence_in_the_report_of_the_model() {
    let zh = Language::new("zh").expect("a code");
    let model = ModelEvidence(BTreeMap::from([(Category::new("hate"), BTreeSet::from([zh]))]));
    let root = "region: default
categories:
  hate: {review: {score: 0.6}, zh: {block: {score: 0.9}}, en: {block: {score: 0.9}}}
  spam: {review: {score: 0.6}}
when_model_unavailable: {toxic: review_if_signal}";
    let (set, out) = compile_with(&[root], Some(&model));
    assert!(set.is_none());
    let errors = told(&out);
    assert_eq!(
        errors,
        [
            "P016 the model has no evidence for `hate` in `en`",
            "P016 the model has no evidence for `spam`",
            "P016 the model has no evidence for `toxic`",
        ]
    );
}

#[test]
fn the_place_is_the_word_that_is_wrong() {
    let cases = [
        ("categories: {hat: never}", "hat"),
        ("categories: {hate: {review: {severity: 9}}}", "9"),
        ("categories: {extremism: {review: {severity: 1}}}", "extremism"),
        ("rows: [{id: de/x, rule: hate/slurr, action: block}]", "hate/slurr"),
        ("rows: [{id: de/x, category: hate, action: allow}]", "de/x"),
        ("rows: [{id: de/x, category: hate, action: blok}]", "blok"),
        ("rows: [{id: de/x, category: hate, action: block, effective: {from: soon}}]", "soon"),
        ("drop: [a/none]", "a/none"),
        ("members: [AT]", "DE"),
    ];
    for (text, word) in cases {
        let (_, out) = compile(&[ROOT, &format!("region: DE\n{text}")]);
        let errors =
            out.sorted().into_iter().filter(|d| d.level == crate::diagnostic::Level::Error);
        let places = errors.filter_map(|d| d.location.as_ref());
        let words: Vec<&str> = places.map(|at| &at.file.text[at.range.clone()]).collect();
        assert_eq!(words, [word], "{text}");
    }
    let (_, out) = compile(&[ROOT, "region: DE\ndrop: [a/none]"]);
    assert!(said(&out).contains(&"P026 2:8 no row or cap `a/none` is inherited".to_owned()));
}
