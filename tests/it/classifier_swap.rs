//! A model folder that changes under a running program: taken like a changed rule, or refused and seen.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tempfile::{TempDir, tempdir};
use tidegate::{
    bundle::{Live, ModelSource},
    classify::{Model, load_model},
    engine::Engine,
    moderator::Moderator,
    post::{Post, PostId},
    reload::{Hangup, Reloader, Running, Settings, Status, Watched},
    signal::{Category, Score},
    telemetry::Instruments,
};

use crate::support::{
    model::{repository, small, written},
    onnx::Network,
};

const TAXONOMY: &str = "umbrellas: [{id: toxic, definition: toxic}]
categories: [{id: hate, definition: hate, umbrella: toxic}]
";
const POLICY: &str = "region: default\ncategories: {toxic: {review: {score: 0.6}}}\n";
const SOON: Duration = Duration::from_mins(1);

struct Folders(PathBuf);

impl ModelSource for Folders {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let library = repository(".tidegate/lib/libonnxruntime.so");
        load_model(&self.0.join(name), &library).map_err(|error| error.to_string())
    }
}

/// A running reloader over a folder with one model.
struct World {
    scratch: TempDir,
    live: Arc<Live>,
    status: Arc<Status>,
    instruments: Arc<Instruments>,
    _running: Running,
}

impl World {
    fn new() -> Self {
        let scratch = tempdir().expect("a scratch folder");
        let write = |file: &str, text: &str| {
            let path = scratch.path().join("rules").join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
            fs::write(path, text).expect("it is writable");
        };
        write("taxonomy.yaml", TAXONOMY);
        write("policies/default.yaml", POLICY);
        write("bundle.yaml", "models: {core: core}\n");
        let models = scratch.path().join("models");
        model(&models, "1", &small());
        let watched = Watched {
            folders: vec![scratch.path().join("rules")],
            shipped_rules: true,
            models: Some((models.clone(), Box::new(Folders(models)))),
        };
        let settings = Settings {
            watch: true,
            every: Duration::from_millis(20),
            settle: Duration::from_millis(100),
            state: scratch.path().join("state"),
        };
        let instruments = Arc::new(Instruments::new());
        let opened = Reloader::open(watched, settings, Arc::clone(&instruments));
        let reloader = opened.unwrap_or_else(|refused| panic!("{refused:?}")).0;
        let (live, status) = (Arc::clone(reloader.live()), Arc::clone(reloader.status()));
        let running = reloader.start(Hangup::default());
        Self { scratch, live, status, instruments, _running: running }
    }

    fn models(&self) -> PathBuf {
        self.scratch.path().join("models")
    }

    /// The versions of the models that decide.
    fn deciding(&self) -> Vec<String> {
        self.live.now().bundle.versions().models.clone()
    }

    fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < SOON, "no {what}: {:?}", self.status.view());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Writes the model anew, with what it says as its golden outputs.
fn model(models: &Path, version: &str, network: &Network) {
    let version = format!("version: '{version}'");
    written(models, "core", network, &[("version: '1'", &version)]);
}

fn toxic(moderator: &mut Moderator) -> u16 {
    let post = Post::of_text(PostId::new("1").expect("an id"), "the idiot");
    let decision = moderator.decide(vec![(post, Timestamp::UNIX_EPOCH)]).0.remove(0);
    let scores = decision.expect("nothing panics").signals.model;
    scores.score(&Category::new("toxic")).map_or(0, Score::thousandths)
}

#[test]
fn a_changed_model_comes_into_force_and_a_bad_one_leaves_the_old_one() {
    let world = World::new();
    let engine = || Engine::in_force(world.live.now());
    let mut moderator = Moderator::new(engine()).expect("it opens");
    assert!(toxic(&mut moderator) > 900);

    model(&world.models(), "2", &Network::of(&[("fool", &[3.0, 0.0])]));
    world.until("second model", |world| world.deciding() == ["core@2"]);
    assert!(toxic(&mut moderator) > 900, "what was pinned decides until the next batch");
    moderator.follow(engine()).expect("it opens");
    assert!(toxic(&mut moderator) < 100);

    // What it said where it was made is not what it says here.
    let wrong = r#"{"text": "the idiot", "language": null, "ids": [[2, 8, 4, 3]], "scores": {"hate": 0.018, "toxic": 0.75}}"#;
    fs::write(world.models().join("core/golden.jsonl"), format!("{wrong}\n")).expect("written");
    model(&world.models(), "3", &small());
    world.until("refusal", |world| world.status.view().refused.is_some());
    let refused = world.status.view().refused.expect("it was there a moment ago");
    let problem = &refused.problems[0];
    assert_eq!(problem.code, "B004");
    let said = "1 golden outputs are others on this machine: golden.jsonl:1: toxic is ";
    assert!(problem.message.contains(said), "{}", problem.message);
    assert_eq!(world.deciding(), ["core@2"], "the old one stays");
    assert_eq!(world.instruments.bundle_refused().get(), 1);

    fs::remove_file(world.models().join("core/golden.jsonl")).expect("removed");
    world.until("third model", |world| world.deciding() == ["core@3"]);
    assert_eq!(world.instruments.bundle_refused().get(), 0);
}
