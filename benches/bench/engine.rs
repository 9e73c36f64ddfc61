//! One core: each stage of the engine, and all of it, on the corpus.

use std::{hint::black_box, path::Path, sync::Arc};

use jiff::Timestamp;
use tidegate::{
    bundle::{Bundle, ModelSource, Sources, load},
    classify::{Model, load_model},
    decision::{Action, Decision},
    demo::WavePost,
    diagnostic::SourceFile,
    engine::Engine,
    files::RuleFolder,
    moderator::Moderator,
    post::Post,
    rules::ScanPart,
    text::{languages, skeleton, standard},
    wire::{DecisionId, Limits, Origin, Published, decode_post, encode_decision},
};

use super::{
    clock::{median_seconds, seconds},
    float,
    report::Report,
};

/// Posts that a thread of the worker takes at once.
pub(crate) const CHUNK: usize = 64;

/// Posts that are decided to be counted: some minutes under a profiler.
const ONCE: usize = 2_000;

/// Rounds of [`rounds`].
const ROUNDS: usize = 60;

/// Measures every stage and writes it into the report.
pub(crate) fn measure(posts: &[WavePost], home: &Path, report: &mut Report) {
    let json: Vec<String> = posts.iter().map(WavePost::to_json).collect();
    let with_model = Arc::new(bundle(home, true));
    let rules_only = Arc::new(bundle(home, false));
    stages(&json, &rules_only, report);
    let rate = whole(&json, &rules_only, report);
    report.rate("engine, rules only", "engine_rules_posts_per_s", rate);
    let rate = whole(&json, &with_model, report);
    report.rate("engine, rules and model", "engine_model_posts_per_s", rate);
}

/// Decides the first posts with rules only, for a profiler that counts what [`counted`] does.
pub(crate) fn once(posts: &[WavePost], home: &Path) {
    let (mut moderator, posts) = rules_only(&posts[..ONCE.min(posts.len())], home);
    counted(&mut moderator, received(&posts));
}

/// Decides all posts many times with rules only, for who compares two builds: both at the same time,
/// each on a core of its own.
pub(crate) fn rounds(posts: &[WavePost], home: &Path) {
    let (mut moderator, posts) = rules_only(posts, home);
    let mut round = || {
        let chunks = chunks(&posts);
        seconds(|| decide(&mut moderator, chunks)) / float(posts.len()) * 1e6
    };
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_by(f64::total_cmp);
    let [least, quarter, half] = [0, ROUNDS / 4, ROUNDS / 2].map(|at| rounds[at]);
    println!("µs/post: least {least:.2}, first quartile {quarter:.2}, median {half:.2}");
}

/// A moderator that has decided the posts already, since some tables and automata are made when they are
/// first asked.
fn rules_only(posts: &[WavePost], home: &Path) -> (Moderator, Vec<Post>) {
    let json: Vec<String> = posts.iter().map(WavePost::to_json).collect();
    let posts = decode(&json);
    let mut moderator =
        Moderator::new(Engine::new(Arc::new(bundle(home, false)))).expect("there is no model");
    check(&mut moderator, &posts);
    (moderator, posts)
}

/// What `valgrind --tool=callgrind --toggle-collect='*counted*'` is to count.
#[inline(never)]
fn counted(moderator: &mut Moderator, posts: Vec<(Post, Timestamp)>) {
    black_box(moderator.decide(posts));
}

fn stages(json: &[String], bundle: &Arc<Bundle>, report: &mut Report) {
    let count = float(json.len());
    let mut stage = |name: &str, seconds: f64| report.stage(name, seconds / count * 1e6);
    let limits = Limits::default();
    let seconds = median_seconds(
        || (),
        |()| {
            for line in json {
                black_box(decode_post(line.as_bytes(), &limits).expect("it is a post"));
            }
        },
    );
    stage("decode", seconds);
    let posts = decode(json);
    let texts: Vec<&str> = posts.iter().map(|post| post.parts[0].text.as_str()).collect();
    let seconds =
        median_seconds(|| (), |()| texts.iter().for_each(|text| drop(black_box(standard(text)))));
    stage("standard view", seconds);
    let views: Vec<_> = texts.iter().map(|text| standard(text)).collect();
    let seconds = median_seconds(
        || (),
        |()| {
            for (text, view) in texts.iter().zip(&views) {
                black_box(skeleton(text, view));
            }
        },
    );
    stage("skeleton view", seconds);
    let seconds = median_seconds(
        || (),
        |()| views.iter().for_each(|view| drop(black_box(languages(view.text(), None)))),
    );
    stage("languages", seconds);
    let seconds = median_seconds(
        || (),
        |()| {
            for (post, view) in posts.iter().zip(&views) {
                let parts = ScanPart::of(&post.parts, std::slice::from_ref(view));
                black_box(bundle.rules().scan(&parts, post.surface));
            }
        },
    );
    stage("rules, with the skeleton view", seconds);
}

/// Posts a second of one core, from a decoded post to a decision.
fn whole(json: &[String], bundle: &Arc<Bundle>, report: &mut Report) -> f64 {
    let mut moderator = Moderator::new(Engine::new(Arc::clone(bundle))).expect("the model opens");
    let posts = decode(json);
    check(&mut moderator, &posts);
    let seconds = median_seconds(|| chunks(&posts), |chunks| decide(&mut moderator, chunks));
    let decided = moderator.decide(received(&posts)).0;
    let decisions: Vec<Decision> =
        decided.into_iter().map(|decision| decision.expect("no bug")).collect();
    let name = if bundle.model().is_some() { "encode, with scores" } else { "encode" };
    report.stage(name, encode(&decisions) / float(posts.len()) * 1e6);
    float(posts.len()) / seconds
}

/// Seconds that writing the decisions as JSON takes.
fn encode(decisions: &[Decision]) -> f64 {
    let id = DecisionId::of(Origin::Direct { post: "{}" });
    median_seconds(
        || Vec::with_capacity(4096),
        |mut out| {
            for decision in decisions {
                let (received_at, decided_at) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
                let published = Published { id, source: None, received_at, decided_at, text: None };
                out.clear();
                encode_decision(decision, &published, usize::MAX, &mut out);
                black_box(&out);
            }
        },
    )
}

/// What is measured must decide what it should: a fast wrong answer is worth nothing.
fn check(moderator: &mut Moderator, posts: &[Post]) {
    let (decisions, _) = moderator.decide(received(posts));
    let mut lures = 0;
    for (post, decision) in posts.iter().zip(decisions) {
        let decision = decision.expect("no bug");
        if post.parts[0].text.contains("加微信 abc123") {
            assert_eq!(decision.action, Action::Block, "a lure to a private chat");
            lures += 1;
        }
    }
    assert!(lures > 0, "the corpus has lures to private chats");
}

/// Posts as a thread of the worker gets them, so many at a time.
pub(crate) fn chunks(posts: &[Post]) -> Vec<Vec<(Post, Timestamp)>> {
    posts.chunks(CHUNK).map(received).collect()
}

/// Decides them, chunk by chunk.
pub(crate) fn decide(moderator: &mut Moderator, chunks: Vec<Vec<(Post, Timestamp)>>) {
    for chunk in chunks {
        black_box(moderator.decide(chunk));
    }
}

/// Posts and when they came, which is no matter here.
pub(crate) fn received(posts: &[Post]) -> Vec<(Post, Timestamp)> {
    posts.iter().map(|post| (post.clone(), Timestamp::UNIX_EPOCH)).collect()
}

/// Posts as the engine gets them.
pub(crate) fn decode(json: &[String]) -> Vec<Post> {
    let limits = Limits::default();
    json.iter().map(|line| decode_post(line.as_bytes(), &limits).expect("a post").post).collect()
}

/// The shipped rules and policies, with the model that scores every post or without any.
pub(crate) fn bundle(home: &Path, model: bool) -> Bundle {
    bundle_with(home, model, "models: {core: core}\n")
}

/// The same with these keys in the place of those of the shipped `bundle.yaml`.
pub(crate) fn bundle_with(home: &Path, model: bool, settings: &str) -> Bundle {
    struct Models<'a>(&'a Path);
    impl ModelSource for Models<'_> {
        fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
            let library = self.0.join(".tidegate/lib/libonnxruntime.so");
            let folder = self.0.join("models").join(name);
            load_model(&folder, &library).map_err(|error| error.to_string())
        }
    }
    let folder = RuleFolder::read(&home.join("rules")).expect("the rules are shipped");
    let models = Models(home);
    let models = model.then_some(&models as &dyn ModelSource);
    let file = SourceFile { path: "bench/bundle.yaml".to_owned(), text: settings.to_owned() };
    let over = RuleFolder { bundle: Some(Arc::new(file)), ..RuleFolder::default() };
    let sources = Sources { folders: &[folder, over], shipped_rules: true, models };
    load(&sources).expect("the shipped bundle loads").bundle
}
