//! Reloads in this process, turn by turn: what comes into force, what is refused and why, what is
//! kept. The thread, the signal and the doors around it are tested from outside.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

use super::{BUNDLES_MAX, Pin, Refusal, Reloader, Settings, Store, View, Watched, Why};
use crate::{
    bundle::ModelSource,
    classify::{Classifier, ClassifyError, Evidence, Model, fixed::FixedModel},
    decision::{Decision, Degraded},
    engine::Engine,
    moderator::Moderator,
    post::{Post, PostId},
    signal::ModelIdentity,
    telemetry::{Instruments, Reload},
};

const TAXONOMY: &str = "
categories:
  - {id: spam, definition: spam}
  - {id: child_safety, definition: children, mandatory: true}
";
const POLICY: &str = "
region: default
categories: {spam: {review: {severity: 1}, block: {severity: 3}}}
";
const BLOCKS: &str = "severity: 3";
const REVIEWS: &str = "severity: 1";

fn pack(severity: &str) -> String {
    format!(
        "pack: spam\nrules:\n  - id: ads\n    category: spam\n    {severity}\n    status: enforced\n    \
         any: [buy now]\n    hit: [please buy now]\n    miss: [hello there]\n"
    )
}

fn emergency(rule: &str, at_most: &str) -> String {
    format!(
        "overrides: [{{rule: {rule}, at_most: {at_most}, from: 2026-11-22T12:00:00Z, until: \
         2026-11-23T12:00:00Z, by: on call, reason: it hits donations}}]\n"
    )
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
    fs::write(path, text).expect("it is writable");
}

/// A reloader over a small rules folder.
struct World {
    scratch: TempDir,
    reloader: Reloader,
    instruments: Arc<Instruments>,
}

impl World {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let rules = scratch.path().join("rules");
        write(&rules.join("taxonomy.yaml"), TAXONOMY);
        write(&rules.join("policies/default.yaml"), POLICY);
        // As Kubernetes mounts a volume: what is visible are links over a link.
        write(&rules.join("..1/spam.yaml"), &pack(BLOCKS));
        symlink("..1", rules.join("..data")).expect("it is writable");
        fs::create_dir(rules.join("packs")).expect("it is writable");
        symlink("../..data/spam.yaml", rules.join("packs/spam.yaml")).expect("it is writable");
        let instruments = Arc::new(Instruments::new());
        let reloader = Self::open(scratch.path(), &instruments).expect("the bundle is fine");
        Self { scratch, reloader, instruments }
    }

    fn open(folder: &Path, instruments: &Arc<Instruments>) -> Result<Reloader, Refusal> {
        let folders = vec![folder.join("rules")];
        let watched = Watched { folders, shipped_rules: true, models: None };
        Reloader::open(watched, settings(folder), Arc::clone(instruments)).map(|(open, _)| open)
    }

    fn restart(&mut self) -> Result<(), Refusal> {
        self.reloader = Self::open(self.scratch.path(), &self.instruments)?;
        Ok(())
    }

    fn rules(&self) -> PathBuf {
        self.scratch.path().join("rules")
    }

    fn store(&self) -> Store {
        Store::below(&self.scratch.path().join("state"))
    }

    /// Writes the pack anew, and lets the reloader look.
    fn edit(&mut self, severity: &str) {
        let path = self.rules().join("packs/spam.yaml");
        let _ = fs::remove_file(&path);
        write(&path, &pack(severity));
        self.turn();
    }

    fn turn(&mut self) {
        self.reloader.turn(false);
    }

    fn decide(&self, as_of: &str) -> Decision {
        let engine = Engine::in_force(self.reloader.live().now());
        let mut moderator = Moderator::new(engine).expect("there is no model to open");
        let post = Post::of_text(PostId::new("1").expect("an id"), "please buy now");
        let (mut decisions, _) = moderator.decide(vec![(post, as_of.parse().expect("a time"))]);
        decisions.remove(0).expect("nothing panics")
    }

    fn action(&self) -> &'static str {
        self.decide("2026-11-22T18:00:00Z").action.as_str()
    }

    fn view(&self) -> View {
        self.reloader.status().view()
    }

    /// How often bundles were applied, refused, and found unchanged.
    fn counts(&self) -> [u64; 3] {
        Reload::ALL.map(|result| self.instruments.reloads(result).get())
    }
}

fn settings(folder: &Path) -> Settings {
    Settings {
        watch: true,
        every: Duration::ZERO,
        settle: Duration::ZERO,
        state: folder.join("state"),
    }
}

/// What is done to the rules folder, the action afterwards, the counts, and what the refusal says.
type Change = (&'static str, fn(&Path), &'static str, [u64; 3], &'static str);

const CHANGES: &[Change] = &[
    ("nothing", |_| {}, "block", [0, 0, 0], ""),
    (
        "an editor renames over",
        |rules| {
            write(&rules.join("packs/.spam.yaml.swp"), &pack(REVIEWS));
            fs::rename(rules.join("packs/.spam.yaml.swp"), rules.join("packs/spam.yaml"))
                .expect("it is writable");
        },
        "review",
        [1, 0, 0],
        "",
    ),
    (
        "Kubernetes swaps ..data",
        |rules| {
            write(&rules.join("..2/spam.yaml"), &pack(REVIEWS));
            symlink("..2", rules.join("..data_tmp")).expect("it is writable");
            fs::rename(rules.join("..data_tmp"), rules.join("..data")).expect("it is writable");
            fs::remove_dir_all(rules.join("..1")).expect("it was there");
        },
        "review",
        [1, 0, 0],
        "",
    ),
    (
        "the same text is written again",
        |rules| write(&rules.join("packs/spam.yaml"), &pack(BLOCKS)),
        "block",
        [0, 0, 1],
        "",
    ),
    (
        "a mistake",
        |rules| write(&rules.join("packs/spam.yaml"), &pack("severity: 9")),
        "block",
        [0, 1, 0],
        "severity",
    ),
    (
        "a file cut in the middle of a value",
        |rules| write(&rules.join("packs/spam.yaml"), &pack(BLOCKS)[..90]),
        "block",
        [0, 1, 0],
        "",
    ),
    (
        "a file cut between two lines, which is valid YAML",
        |rules| {
            let whole = pack(BLOCKS);
            let (half, _) = whole.split_once("    hit:").expect("a pack has hits");
            write(&rules.join("packs/spam.yaml"), half);
        },
        "block",
        [0, 1, 0],
        "hit",
    ),
    ("an empty file", |rules| write(&rules.join("packs/spam.yaml"), ""), "block", [0, 1, 0], ""),
    (
        "bytes that are no text",
        |rules| fs::write(rules.join("packs/spam.yaml"), [0xff, 0xfe]).expect("it is writable"),
        "block",
        [0, 1, 0],
        "not UTF-8",
    ),
    (
        "the folder is gone",
        |rules| fs::remove_dir_all(rules).expect("it was there"),
        "block",
        [0, 1, 0],
        "there is no such folder",
    ),
    (
        "the packs are gone",
        |rules| fs::remove_dir_all(rules.join("packs")).expect("they were there"),
        "block",
        [0, 1, 0],
        "no rule that is scanned",
    ),
    (
        "the policies are gone",
        |rules| fs::remove_dir_all(rules.join("policies")).expect("they were there"),
        "block",
        [0, 1, 0],
        "no policy file is for `default`",
    ),
];

#[test]
fn what_is_right_comes_into_force_and_what_is_wrong_is_refused_with_its_reason() {
    for (name, change, action, counts, reason) in CHANGES {
        let mut world = World::new();
        change(&world.rules());
        world.turn();
        world.turn();
        assert_eq!(world.action(), *action, "{name}");
        assert_eq!(world.counts(), *counts, "{name}: tried once only");
        let refused = world.view().refused;
        let is_refused = counts[1] > 0;
        assert_eq!(refused.is_some(), is_refused, "{name}");
        assert_eq!(world.instruments.bundle_refused().get(), i64::from(is_refused), "{name}");
        if let Some(refused) = refused {
            assert!(refused.lines().contains(reason), "{name}: {}", refused.lines());
        }
    }
}

#[test]
fn a_mended_file_ends_the_refusal_and_a_wish_reloads_without_a_change() {
    let mut world = World::new();
    world.edit("severity: 9");
    assert!(world.view().refused.is_some());
    world.edit(BLOCKS);
    assert!(world.view().refused.is_none());
    assert_eq!(world.instruments.bundle_refused().get(), 0);
    assert_eq!(world.counts(), [0, 1, 1]);
    world.reloader.turn(true);
    assert_eq!(world.counts(), [0, 1, 2], "SIGHUP");
}

#[test]
fn a_list_that_lost_many_entries_comes_into_force_only_where_that_is_meant() {
    let mut world = World::new();
    let pack = |more: &str| {
        let lists = format!("lists: {{words: {{file: ../lists/words.txt{more}}}}}\n");
        pack(BLOCKS)
            .replace("rules:", &format!("{lists}rules:"))
            .replace("[buy now]", "{list: words}")
    };
    let words = |count: usize| {
        let more: Vec<String> = (1..count).map(|n| format!("word number {n}")).collect();
        format!("buy now\n{}\n", more.join("\n"))
    };
    let path = world.rules();
    let mut edit = |text: &str, count: usize| {
        let _ = fs::remove_file(path.join("packs/spam.yaml"));
        write(&path.join("packs/spam.yaml"), text);
        write(&path.join("lists/words.txt"), &words(count));
        world.turn();
        world.view().refused.is_some()
    };
    assert!(!edit(&pack(""), 10));
    assert!(!edit(&pack(""), 8), "a fifth may go");
    assert!(edit(&pack(""), 6));
    assert!(!edit(&pack(", shrink: accepted"), 6));
    assert!(!edit(&pack(""), 5), "it is measured by what is in force");
}

#[test]
fn a_rollback_holds_against_the_folders_and_over_a_restart_until_it_is_released() {
    let mut world = World::new();
    let old = world.view().in_force;
    world.edit(REVIEWS);
    let new = world.view().in_force;
    let since = "2026-11-22T12:00:00Z".parse().expect("a time");
    let pin = Pin { bundle: world.store().find(&old[..8]).expect("it is kept").hash, since };
    world.store().set_pin(&pin).expect("it is writable");
    world.turn();
    assert_eq!((world.action(), world.view().in_force), ("block", old.clone()));
    assert!(world.view().pinned.expect("it shows").changes_wait_since.is_none());
    assert_eq!(world.instruments.bundle_pinned().get(), 1);

    world.edit("severity: 2");
    assert_eq!(world.action(), "block", "the folders wait");
    assert!(world.view().pinned.expect("it shows").changes_wait_since.is_some());
    world.restart().expect("the kept bundle is whole");
    assert_eq!((world.action(), world.view().in_force), ("block", old.clone()));

    assert!(world.store().release().expect("it is writable"));
    world.turn();
    assert_eq!(world.action(), "review");
    assert!(world.view().pinned.is_none());
    let (list, _) = world.store().list().expect("it is readable");
    let fates: Vec<_> =
        list.iter().map(|kept| (kept.hash.clone(), kept.left.map(|left| left.why))).collect();
    let now = world.view().in_force;
    let expected = [(now, None), (old, Some(Why::Released)), (new, Some(Why::RolledBack))];
    assert_eq!(fates, expected);
}

#[test]
fn a_damaged_store_is_refused_with_a_sentence_and_hurts_nobody() {
    let mut world = World::new();
    let old = world.view().in_force;
    world.edit(REVIEWS);
    let state = world.scratch.path().join("state");
    for file in fs::read_dir(state.join("bundles/files")).expect("it is there") {
        fs::write(file.expect("it is readable").path(), "pack: other").expect("it is writable");
    }
    let since = "2026-11-22T12:00:00Z".parse().expect("a time");
    world.store().set_pin(&Pin { bundle: old.clone(), since }).expect("it is writable");
    world.turn();
    assert_eq!(world.action(), "review", "what was in force stays");
    let said = world.view().refused.expect("it shows").lines();
    assert!(said.contains("its content is not what its name says"), "{said}");
    let refusal = world.restart().expect_err("a start does not guess");
    assert!(refusal.to_string().contains("its content is not what its name says"), "{refusal}");

    for (file, text, reason) in [
        ("rollback.json", "{", "damaged"),
        ("rollback.json", r#"{"bundle": "../../x", "since": "2026-11-22T12:00:00Z"}"#, "no bundle"),
        (
            "rollback.json",
            &format!("{{\"bundle\": \"{}\", \"since\": \"2026-11-22T12:00:00Z\"}}", "0".repeat(64)),
            "no kept bundle",
        ),
    ] {
        fs::write(state.join(file), text).expect("it is writable");
        world.turn();
        let said = world.view().refused.expect("it shows").lines();
        assert!(said.contains(reason), "{text}: {said}");
    }
    fs::write(state.join(format!("bundles/{old}.json")), "{}").expect("it is writable");
    let (list, broken) = world.store().list().expect("the others are listed");
    assert_eq!((list.len(), broken.len()), (1, 1));
    world.store().release().expect("it is writable");
    world.edit("severity: 2");
    assert!(world.view().refused.is_none());
    assert_eq!(world.view().history_trouble, None, "a damaged file is written anew");
}

#[test]
fn a_state_folder_that_cannot_be_written_costs_the_history_and_nothing_else() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    write(&scratch.path().join("state"), "a file in the place of the folder");
    for (file, text) in [
        ("taxonomy.yaml", TAXONOMY.to_owned()),
        ("policies/default.yaml", POLICY.to_owned()),
        ("packs/spam.yaml", pack(BLOCKS)),
    ] {
        write(&scratch.path().join("rules").join(file), &text);
    }
    let instruments = Arc::new(Instruments::new());
    let opened = World::open(scratch.path(), &instruments);
    let reloader = opened.expect("nobody rolled back, so nothing is needed from there");
    assert!(reloader.status().view().history_trouble.is_some());
}

#[test]
fn the_last_bundles_are_kept_and_no_file_of_others_stays() {
    let mut world = World::new();
    for number in 0..BUNDLES_MAX + 5 {
        world.edit(&format!("{BLOCKS}\n    title: change {number}"));
    }
    let (list, broken) = world.store().list().expect("it is readable");
    assert_eq!((list.len(), broken.len()), (BUNDLES_MAX, 0));
    assert_eq!(list[0].hash, world.view().in_force);
    let files = fs::read_dir(world.scratch.path().join("state/bundles/files"));
    // A pack for each, and the taxonomy and the policy that all of them share.
    assert_eq!(files.expect("it is there").count(), BUNDLES_MAX + 2);
}

#[test]
fn an_emergency_file_weakens_a_rule_for_a_while_even_beside_a_broken_bundle() {
    let mut world = World::new();
    let file = world.rules().join("emergency.yaml");
    write(&file, &emergency("spam/ads", "review"));
    write(&world.rules().join("policies/default.yaml"), "region: [");
    world.turn();
    assert!(world.view().refused.is_some(), "the bundle is broken");
    let decision = world.decide("2026-11-22T18:00:00Z");
    assert_eq!(decision.action.as_str(), "review");
    assert!(decision.degraded.contains(&Degraded::EmergencyOverride));
    for outside in ["2026-11-22T11:59:59Z", "2026-11-23T12:00:00Z"] {
        let decision = world.decide(outside);
        assert_eq!((decision.action.as_str(), decision.degraded.len()), ("block", 0), "{outside}");
    }

    write(&file, &emergency("spam/adds", "allow"));
    world.turn();
    assert_eq!(world.action(), "review", "the last good one holds");
    let said = world.view().emergency.refused.expect("it shows").lines();
    assert!(said.contains("emergency.yaml:1:") && said.contains("spam/adds"), "{said}");
    assert_eq!(world.instruments.emergency_refused().get(), 1);

    fs::remove_dir_all(world.rules()).expect("it was there");
    world.turn();
    assert_eq!(world.action(), "review", "a lost folder takes nothing back");

    write(&file, &emergency("spam/ads", "allow"));
    world.turn();
    assert_eq!(world.action(), "allow");
    assert_eq!(world.view().emergency.overrides.len(), 1);
    fs::remove_file(&file).expect("it was there");
    world.turn();
    assert_eq!(world.action(), "block");
    assert_eq!(world.instruments.emergency_refused().get(), 0);
}

#[test]
fn what_is_mandatory_is_not_weakened() {
    let mut world = World::new();
    let mandatory = pack(BLOCKS).replace("category: spam", "category: child_safety");
    let policy = POLICY.replace("{spam:", "{child_safety:");
    write(&world.rules().join("policies/default.yaml"), &policy);
    let _ = fs::remove_file(world.rules().join("packs/spam.yaml"));
    write(&world.rules().join("packs/spam.yaml"), &mandatory);
    world.turn();
    write(&world.rules().join("emergency.yaml"), &emergency("spam/ads", "review"));
    world.turn();
    assert!(world.view().emergency.refused.is_some());
    assert_eq!(world.action(), "block");
}

#[derive(Debug)]
struct Counting(FixedModel, AtomicUsize);

impl Model for Counting {
    fn identity(&self) -> &Arc<ModelIdentity> {
        self.0.identity()
    }

    fn evidence(&self) -> &Evidence {
        self.0.evidence()
    }

    fn open(&self) -> Result<Box<dyn Classifier>, ClassifyError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.open()
    }
}

struct OneModel(Arc<Counting>);

impl ModelSource for OneModel {
    fn load(&self, _: &str) -> Result<Arc<dyn Model>, String> {
        Ok(Arc::clone(&self.0) as Arc<dyn Model>)
    }
}

#[test]
fn an_edited_rule_rebuilds_no_session_of_a_model_that_is_the_same() {
    let mut world = World::new();
    write(&world.rules().join("bundle.yaml"), "models: {core: fixed}");
    let model =
        Arc::new(Counting(FixedModel::new([].into(), Evidence::new()), AtomicUsize::new(0)));
    let folder = world.scratch.path().to_owned();
    let watched = Watched {
        folders: vec![world.rules()],
        shipped_rules: true,
        models: Some((folder.join("models"), Box::new(OneModel(Arc::clone(&model))))),
    };
    let opened = Reloader::open(watched, settings(&folder), Arc::clone(&world.instruments));
    world.reloader = opened.expect("the bundle is fine").0;
    let engine = || Engine::in_force(world.reloader.live().now());
    let mut moderator = Moderator::new(engine()).expect("it opens");
    assert_eq!(model.1.load(Ordering::Relaxed), 1);
    let generation = world.reloader.live().now().generation;
    world.edit(REVIEWS);
    assert!(world.reloader.live().now().generation > generation);
    moderator.follow(Engine::in_force(world.reloader.live().now())).expect("nothing is opened");
    assert_eq!(model.1.load(Ordering::Relaxed), 1, "the session stays");
    assert_eq!(moderator.engine().bundle().versions().bundle, world.view().in_force);
}
