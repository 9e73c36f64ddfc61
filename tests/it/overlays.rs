//! Folders of users over the shipped ones: what they add and change, and what they must not.

use std::{collections::BTreeMap, fs, path::Path};

use tempfile::TempDir;
use tidegate::{
    bundle::{Loaded, Sources, load},
    diagnostic::{Diagnostics, Level},
    files::RuleFolder,
    signal::{RuleFacts, Status},
};

use crate::support::{
    moderate::{lines, tidegate},
    schemas::problems,
};

/// Folders with one pack each, over the small rules.
struct Overlays(TempDir, usize);

impl Overlays {
    fn of(packs: &[&str]) -> Self {
        let mut overlays = Self(tempfile::tempdir().expect("a scratch folder"), 0);
        for pack in packs {
            overlays.add(&[("packs/changes.yaml", pack)]);
        }
        overlays
    }

    fn add(&mut self, files: &[(&str, &str)]) {
        self.1 += 1;
        for (file, text) in files {
            let path = self.0.path().join(self.1.to_string()).join(file);
            fs::create_dir_all(path.parent().expect("below it")).expect("it is writable");
            fs::write(path, text).expect("it is writable");
        }
    }

    fn load_with(&self, shipped_rules: bool) -> Result<Loaded, Diagnostics> {
        let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small/rules");
        let own = (1..=self.1).map(|number| self.0.path().join(number.to_string()));
        let read = |path: &Path| RuleFolder::read(path).expect("the folder can be read");
        let folders: Vec<RuleFolder> =
            std::iter::once(small).chain(own).map(|path| read(&path)).collect();
        load(&Sources { folders: &folders, shipped_rules, models: None })
    }

    fn load(&self) -> Loaded {
        self.load_with(true).unwrap_or_else(|refused| panic!("{:#?}", told(&refused)))
    }

    fn refused(&self) -> Vec<String> {
        told(&self.load_with(true).expect_err("it is refused"))
    }
}

/// Code and place of each error, such as `R041 changes.yaml:3`.
fn told(found: &Diagnostics) -> Vec<String> {
    let place = |location: &tidegate::diagnostic::Location| {
        let name = location.file.path.rsplit('/').next().unwrap_or_default().to_owned();
        format!(" {name}:{}", location.line_column().0)
    };
    let errors = found.sorted().into_iter().filter(|found| found.level == Level::Error);
    errors
        .map(|d| d.code.to_owned() + &d.location.as_ref().map(place).unwrap_or_default())
        .collect()
}

fn change(body: &str) -> String {
    format!("pack: changes\nrules:\n  - rule: spam/ads\n    {}\n", body.replace('\n', "\n    "))
}

fn facts(loaded: &Loaded) -> BTreeMap<String, RuleFacts> {
    let known = loaded.bundle.rules().known().iter();
    known.map(|rule| (rule.id.as_str().to_owned(), (**rule).clone())).collect()
}

#[test]
fn a_rule_is_changed_by_name_and_the_rest_of_it_stays() {
    let base = Overlays::of(&[]).load();
    let changed = Overlays::of(&[&change("set: {severity: 2}")]).load();
    let (base, changed) = (facts(&base), facts(&changed));
    assert_eq!(changed["spam/ads"].severity.level(), 2);
    assert_eq!(changed["spam/ads"].status, Status::Enforced);
    assert_ne!(changed["spam/ads"].hash, base["spam/ads"].hash, "decisions tell them apart");
    assert_eq!(changed["spam/signal"], base["spam/signal"]);
    assert_eq!(changed.len(), base.len(), "a change is no rule");
}

/// Changes with the tests that show what they do, and what is said of them.
const CHANGES: &[(&str, &[&str])] = &[
    ("add: {any: purchase now, hit: [purchase now please]}", &[]),
    ("add: {hit: [purchase now please]}", &["R041 changes.yaml:4"]),
    ("add: {unless: [do not buy now], miss: [do not buy now]}", &[]),
    ("add: {miss: [you may buy now]}", &["R041 changes.yaml:4"]),
    ("remove: {any: [buy now]}", &["R041 spam.yaml:14"]),
    ("remove: {any: [buy now], hit: [please buy now]}\nadd: {hit: [last chance offer]}", &[]),
    ("remove: {any: [{list: offers}], unless: never buy now}", &[]),
    ("set: {status: deprecated}", &[]),
    ("set: {any: [purchase now], hit: purchase now}", &[]),
    ("set: {severity: 9}", &["R003 changes.yaml:4"]),
    ("set: {sevrity: 2}", &["Y015 changes.yaml:4"]),
    ("add: {any: [{regex: 'buy (now'}]}", &["R020 changes.yaml:4"]),
    ("set: {languages: [english]}", &["R004 changes.yaml:4"]),
    ("add: {any: [{list: mine}]}", &["R011 changes.yaml:4"]),
    ("weaken: {by: me, reason: x, until: soon}", &["R072 changes.yaml:3", "Y013 changes.yaml:4"]),
    ("sett: {severity: 2}", &["R072 changes.yaml:3", "Y015 changes.yaml:4"]),
    ("set: [severity]", &["R072 changes.yaml:3", "Y010 changes.yaml:4"]),
];

#[test]
fn every_verb_is_seen_by_every_gate_and_problems_stand_where_they_were_written() {
    for (body, expected) in CHANGES {
        let loaded = Overlays::of(&[&change(body)]).load_with(true);
        let found = loaded.map_or_else(|refused| told(&refused), |_| Vec::new());
        assert_eq!(found, *expected, "{body}");
    }
}

#[test]
fn later_folders_win_over_earlier_ones() {
    let [first, second] = [change("set: {severity: 1}"), change("set: {severity: 2}")];
    let second = second.replace("pack: changes", "pack: more");
    let loaded = Overlays::of(&[&first, &second]).load();
    assert_eq!(facts(&loaded)["spam/ads"].severity.level(), 2);
    let own = "pack: own\nrules:\n  - {id: a, category: spam, severity: 1, any: [buy two]}\n";
    let of_own = "pack: more\nrules: {rule: own/a, set: {severity: 2}}\n";
    let loaded = Overlays::of(&[own, of_own]).load();
    assert_eq!(facts(&loaded)["own/a"].severity.level(), 2);
}

#[test]
fn a_change_brings_its_own_lists() {
    let mut overlays = Overlays::of(&[]);
    let pack = "pack: changes\nlists:\n  mine: {file: ../lists/mine.txt}\nrules:\n  - rule: spam/ads\n    \
                add: {any: [{list: mine}], hit: [purchase today]}\n";
    overlays.add(&[("packs/changes.yaml", pack), ("lists/mine.txt", "purchase today\n")]);
    overlays.load();
    let clash = pack.replace("mine:", "offers:").replace("list: mine", "list: offers");
    let mut overlays = Overlays::of(&[]);
    overlays.add(&[("packs/changes.yaml", &clash), ("lists/mine.txt", "purchase today\n")]);
    assert_eq!(overlays.refused(), ["R072 changes.yaml:3"]);
}

#[test]
fn what_is_mandatory_is_weakened_by_nobody_without_a_name() {
    let of = |body: &str| change(body).replace("spam/ads", "extremism/recruiting");
    let weak = [
        "set: {status: deprecated}",
        "set: {severity: 3}",
        "set: {category: spam}",
        "set: {languages: [en]}",
        "add: {unless: [the film join the imaginary army]}",
        "remove: {any: [join the imaginary army]}\nadd: {any: [join the imaginary]}",
    ];
    for body in weak {
        assert_eq!(Overlays::of(&[&of(body)]).refused(), ["R073 changes.yaml:3"], "{body}");
        let signed =
            format!("{body}\nweaken: {{by: A. Clerk, reason: a court's order, until: 2027-01-31}}");
        let loaded = Overlays::of(&[&of(&signed)]).load();
        let weakened = &loaded.report.weakened[0];
        assert_eq!((&*weakened.rule, &*weakened.by), ("extremism/recruiting", "A. Clerk"));
    }
    for body in [
        "set: {title: Recruiting, severity: 4, status: enforced}",
        "add: {any: [enlist in the imaginary army], hit: [enlist in the imaginary army]}",
    ] {
        let loaded = Overlays::of(&[&of(body)]).load();
        assert!(loaded.report.weakened.is_empty(), "{body}");
    }
}

#[test]
fn other_files_are_layers_too() {
    let mut overlays = Overlays::of(&[]);
    let policy = "region: DE\nrows:\n  - {id: eu/ads, category: spam, action: block}\n";
    overlays.add(&[("policies/de.yaml", policy), ("bundle.yaml", "decision_bytes: 128KiB\n")]);
    let policy = "region: DE\nrows:\n  - {id: de/ads, category: spam, action: review}\n";
    overlays.add(&[("policies/germany.yaml", policy)]);
    let loaded = overlays.load();
    let rows = loaded.bundle.policies().rows("DE".parse().expect("a region"));
    let rows: Vec<String> = rows.iter().map(|row| row.ground.id.as_str().to_owned()).collect();
    assert_eq!(rows, ["de/ads", "eu/ads", "shown/ads"]);
    assert_eq!(loaded.bundle.decision_bytes(), 128 * 1024);
    assert_eq!(
        loaded.bundle.regions(),
        ["default".parse().expect("a region")],
        "the other key stays"
    );
}

#[test]
fn without_shipped_packs_their_policies_stay_and_their_rules_cannot_be_changed() {
    let own = "pack: own\nrules:\n  - {id: a, category: spam, severity: 3, status: enforced, any: [purchase now], hit: purchase now, miss: a purchase}\n";
    let loaded = Overlays::of(&[own]).load_with(false).expect("it loads");
    let ids: Vec<String> = facts(&loaded).into_keys().collect();
    assert_eq!(ids, ["own/a"]);
    assert_eq!(loaded.report.reach.values().next().map(|reach| reach.blocks), Some(3));
    let refused = Overlays::of(&[&change("set: {severity: 2}")]).load_with(false);
    assert_eq!(told(&refused.expect_err("it is refused")), ["R070 changes.yaml:3"]);
}

/// Every command that decides takes the same two arguments.
#[test]
fn overlays_and_the_lack_of_shipped_packs_hold_for_every_command() {
    let own = "pack: own\nrules:\n  - {id: a, category: spam, severity: 3, status: enforced, any: [purchase now], hit: purchase now, miss: a purchase}\n";
    let overlays = Overlays::of(&[own]);
    let (home, folder) = ("tests/fixtures/small", overlays.0.path().join("1"));
    let arguments = ["--no-model", "--home", home, "--rules", folder.to_str().expect("letters")];
    let posts =
        b"{\"id\": \"1\", \"text\": \"purchase now\"}\n{\"id\": \"2\", \"text\": \"buy now\"}\n";
    for (more, expected) in
        [(&[][..], ["block", "block"]), (&["--no-default-rules"], ["block", "allow"])]
    {
        let run = |command: &[&str], input: &[u8]| {
            let output = tidegate(&[command, &arguments, more].concat(), input);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output
        };
        let decisions = lines(&run(&["moderate"], posts));
        let actions: Vec<&str> =
            decisions.iter().map(|decision| decision["action"].as_str().expect("one")).collect();
        assert_eq!(actions, expected);
        let shipped = more.is_empty();
        for command in [&["rules", "check"][..], &["rules", "explain", "buy now"]] {
            let shown = String::from_utf8(run(command, b"").stdout).expect("text");
            assert_eq!(shown.contains("spam/ads"), shipped, "{command:?}\n{shown}");
        }
    }
}

#[test]
fn what_is_in_effect_is_shown_with_the_place_of_each_value() {
    let of_ads = "set: {severity: 2}\nadd: {any: [{text: 'purchase now', fields: title}], unless: [do not buy now]}\n\
                  remove: {unless: [never buy now]}";
    let overlays = Overlays::of(&[&change(of_ads)]);
    let folder = overlays.0.path().display().to_string();
    let show = |arguments: &[&str]| {
        let own = format!("{folder}/1");
        let all =
            ["rules", "show", "--no-model", "--home", "tests/fixtures/small", "--rules", &own];
        let output = tidegate(&[&all, arguments].concat(), b"");
        let text = |bytes| String::from_utf8(bytes).expect("text").replace(&folder, "<overlays>");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (_, effective, _) = show(&["spam/ads", "--effective"]);
    // How far the columns are apart depends on the scratch folder's path.
    let columns = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let effective: Vec<String> = effective.lines().map(columns).collect();
    insta::assert_snapshot!("effective", effective.join("\n"));
    let (_, source, _) = show(&["spam/ads"]);
    insta::assert_snapshot!("source", source);
    let (_, list, _) = show(&[]);
    insta::assert_snapshot!("list", list);
    let (_, pack, _) = show(&["spam", "--effective"]);
    assert!(
        pack.contains("spam/lures\n")
            && pack.contains("no policy acts on it: its status is shadow")
    );
    let (_, json, _) = show(&["spam/ads", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(problems("shown.json", &json), Vec::<String>::new());
    let values = json["rules"][0]["values"].as_array().expect("a list");
    let severity = values.iter().find(|value| value["key"] == "severity").expect("it has one");
    assert_eq!(severity["place"]["file"], "<overlays>/1/packs/changes.yaml");
    assert_eq!(
        json["rules"][0]["regions"],
        serde_json::json!({"DE": "review", "FR": "review", "default": "review"})
    );
    let (code, _, wrong) = show(&["spam/adds"]);
    assert_eq!((code, wrong.contains("did you mean `spam/ads`?")), (Some(66), true), "{wrong}");
}
