//! The two suites that hold matcher and packs to account: listed words in disguise, which must be
//! found, and decent sentences, which must be left alone.
//!
//! Texts are never printed: a failure names cases by id and sentences by line.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tidegate::{
    bundle::{Sources, load},
    engine::Engine,
    files::RuleFolder,
    post::{Post, PostId},
    signal::{ModelSignal, RuleHit},
};

/// Least part of all disguises that is seen through, in thousandths.
const CAUGHT_MIN: usize = 970;
/// The same within one class of disguise.
const CAUGHT_MIN_OF_A_CLASS: usize = 850;
/// Most decent sentences that an enforced rule finds, in thousandths.
const BENIGN_HIT_MAX: usize = 2;

/// Least size of the suites.
const EVASIONS_MIN: usize = 600;
const EVASION_LANGUAGES_MIN: usize = 12;
const BENIGN_MIN: usize = 3_000;
const BENIGN_LANGUAGES_MIN: usize = 20;
const BENIGN_TRAPS_MIN: usize = 800;

/// A sentence with a listed word in disguise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Evasion {
    id: String,
    language: String,
    class: String,
    text: String,
    /// The rule that must find it.
    rule: String,
    /// The same sentence without the disguise: the rule finds it for certain.
    plain: String,
}

/// A sentence that nobody would moderate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Benign {
    language: String,
    text: String,
    /// The part of it that a careless rule would find.
    trap: Option<String>,
}

/// The engine over the shipped rules, loaded once for all tests.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let folders = [RuleFolder::read(&root).expect("the rules are shipped")];
    let sources = Sources { folders: &folders, shipped_rules: true, models: None };
    let loaded = load(&sources).unwrap_or_else(|errors| panic!("the rules load: {errors:?}"));
    Engine::new(Arc::new(loaded.bundle))
});

/// How many of how many.
#[derive(Clone, Copy, Default)]
struct Tally {
    caught: usize,
    total: usize,
}

impl Tally {
    fn count(&mut self, caught: bool) {
        self.caught += usize::from(caught);
        self.total += 1;
    }

    /// Whether at least `thousandths` of them were caught.
    fn reaches(self, thousandths: usize) -> bool {
        self.caught * 1_000 >= self.total * thousandths
    }
}

/// The lines of a suite with their numbers, counted from 1.
fn suite<T: DeserializeOwned>(file: &str) -> Vec<(usize, T)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    let text = fs::read_to_string(path).expect("the suite is in the repository");
    let parse = |(index, line): (usize, &str)| {
        let parsed = serde_json::from_str(line);
        (index + 1, parsed.unwrap_or_else(|error| panic!("{file}:{}: {error}", index + 1)))
    };
    text.lines().enumerate().map(parse).collect()
}

/// The evidence that enforced rules find in a text.
fn evidence(text: &str) -> Vec<RuleHit> {
    let at: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a time");
    let post = Post::of_text(PostId::new("suite").expect("an id"), text);
    let decision = ENGINE.decide(ENGINE.screen(post, at), ModelSignal::NotRouted);
    decision.signals.hits.into_iter().filter(RuleHit::is_evidence).collect()
}

fn finds(rule: &str, text: &str) -> bool {
    evidence(text).iter().any(|hit| hit.rule.id.as_str() == rule)
}

/// A table of tallies, one a line.
fn table(title: &str, tallies: &BTreeMap<&str, Tally>) -> String {
    let mut out = format!("{title}\n");
    for (name, tally) in tallies {
        writeln!(out, "  {name:<20} {:>4}/{:<4}", tally.caught, tally.total)
            .expect("writing to a string");
    }
    out
}

/// Prints a suite's figures, and leaves them where `make test` finds them for its summary.
fn tell(suite: &str, figures: &str) {
    let line = format!("{suite} suite: {figures}\n");
    print!("{line}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("suite-{suite}.txt"));
    fs::write(path, line).expect("the target folder can be written");
}

#[test]
fn the_suites_are_large_and_say_nothing_twice() {
    let evasions = suite::<Evasion>("evasion.jsonl");
    let languages: BTreeSet<&str> = evasions.iter().map(|(_, c)| c.language.as_str()).collect();
    let ids: BTreeSet<&str> = evasions.iter().map(|(_, case)| case.id.as_str()).collect();
    let texts: BTreeSet<&str> = evasions.iter().map(|(_, case)| case.text.as_str()).collect();
    assert!(evasions.len() >= EVASIONS_MIN, "{} disguises", evasions.len());
    assert!(languages.len() >= EVASION_LANGUAGES_MIN, "disguises in {languages:?}");
    assert_eq!(ids.len(), evasions.len(), "an id is used twice");
    assert_eq!(texts.len(), evasions.len(), "a disguise is there twice");
    for (line, case) in &evasions {
        assert_ne!(case.text, case.plain, "line {line} is not in disguise");
    }

    let benign = suite::<Benign>("benign.jsonl");
    let languages: BTreeSet<&str> = benign.iter().map(|(_, s)| s.language.as_str()).collect();
    let texts: BTreeSet<&str> = benign.iter().map(|(_, s)| s.text.as_str()).collect();
    let traps = benign.iter().filter(|(_, sentence)| sentence.trap.is_some()).count();
    assert!(benign.len() >= BENIGN_MIN, "{} decent sentences", benign.len());
    assert!(languages.len() >= BENIGN_LANGUAGES_MIN, "decent sentences in {languages:?}");
    assert!(traps >= BENIGN_TRAPS_MIN, "{traps} traps");
    assert_eq!(texts.len(), benign.len(), "a decent sentence is there twice");
    for (line, sentence) in &benign {
        let trap = sentence.trap.as_deref().unwrap_or_default();
        assert!(sentence.text.contains(trap), "line {line} does not hold its trap");
    }
}

#[test]
fn every_sentence_of_the_evasion_suite_is_found_without_its_disguise() {
    let evasions = suite::<Evasion>("evasion.jsonl");
    let blunt: Vec<&str> = evasions
        .iter()
        .filter(|(_, case)| !finds(&case.rule, &case.plain))
        .map(|(_, case)| case.id.as_str())
        .collect();
    assert!(blunt.is_empty(), "their rule does not find these undisguised: {blunt:?}");
}

#[test]
fn listed_words_are_found_in_disguise() {
    let evasions = suite::<Evasion>("evasion.jsonl");
    let mut all = Tally::default();
    let mut classes: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut languages: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut missed = Vec::new();
    for (_, case) in &evasions {
        let caught = finds(&case.rule, &case.text);
        all.count(caught);
        classes.entry(&case.class).or_default().count(caught);
        languages.entry(&case.language).or_default().count(caught);
        if !caught {
            missed.push(case.id.as_str());
        }
    }
    print!("{}{}", table("by class", &classes), table("by language", &languages));
    println!("missed: {missed:?}");
    tell("evasion", &format!("{} of {} disguises caught", all.caught, all.total));
    let weak: Vec<&str> = classes
        .iter()
        .filter(|(_, tally)| !tally.reaches(CAUGHT_MIN_OF_A_CLASS))
        .map(|(class, _)| *class)
        .collect();
    assert!(weak.is_empty(), "classes under {CAUGHT_MIN_OF_A_CLASS} ‰: {weak:?}");
    let (caught, total) = (all.caught, all.total);
    assert!(all.reaches(CAUGHT_MIN), "{caught} of {total} is under {CAUGHT_MIN} ‰");
}

#[test]
fn decent_sentences_are_left_alone() {
    let sentences = suite::<Benign>("benign.jsonl");
    let mut languages: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut offenders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let (mut hit, mut mismatched) = (0, 0);
    for (line, sentence) in &sentences {
        let evidence = evidence(&sentence.text);
        let counts = evidence.iter().any(|found| !found.language_mismatch);
        hit += usize::from(counts);
        mismatched += usize::from(!counts && !evidence.is_empty());
        languages.entry(&sentence.language).or_default().count(counts);
        for found in evidence.iter().filter(|found| !found.language_mismatch) {
            let lines = offenders.entry(found.rule.id.as_str().to_owned()).or_default();
            if lines.last() != Some(line) {
                lines.push(*line);
            }
        }
    }
    print!("{}", table("decent sentences hit, by language", &languages));
    println!("hit: {offenders:?}");
    let total = sentences.len();
    let figures =
        format!("{hit} of {total} decent sentences hit, {mismatched} more as another language's");
    tell("benign", &figures);
    assert!(
        hit * 1_000 <= total * BENIGN_HIT_MAX,
        "{hit} of {total} is over {BENIGN_HIT_MAX} ‰: {offenders:?}"
    );
}
