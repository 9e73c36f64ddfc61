//! One core: the model that scores every post, and the cascade with second opinions.

use std::{hint::black_box, path::Path, sync::Arc};

use tidegate::{
    classify::{Classifier, Input, load_model},
    decision::Action,
    demo::WavePost,
    engine::Engine,
    moderator::Moderator,
    post::Post,
    signal::Language,
    text::{languages, standard},
};

use super::{
    clock::median_seconds,
    engine::{CHUNK, bundle, bundle_with, chunks, decide, decode, received},
    float,
    report::Report,
};

/// Posts that each second opinion reads.
const DOUBTFUL: usize = 100;
/// The models that are asked for second opinions.
const SECOND: [&str; 2] = ["zh", "en"];
/// Their routing.
const CASCADE: &str = "models: {core: core, second_opinions: [zh, en]}\n";

/// Measures the models and writes the figures into the report.
pub(crate) fn measure(posts: &[WavePost], home: &Path, report: &mut Report) {
    let views: Vec<String> =
        posts.iter().map(|post| standard(&post.text).text().to_owned()).collect();
    let seconds = scoring(&mut *session(home, "core"), &views, CHUNK);
    let micros = seconds / float(views.len()) * 1e6;
    report.figure("core model", "core_model_us_per_post", micros, "µs/post");
    let missing = SECOND.iter().find(|name| !home.join("models").join(name).exists());
    if let Some(name) = missing {
        eprintln!("no figures of second opinions: there is no model folder models/{name}");
        return;
    }
    let millis: Vec<f64> = SECOND.into_iter().map(|name| second(home, name, &views)).collect();
    let mean = millis.iter().sum::<f64>() / float(millis.len());
    report.figure("a second opinion", "second_opinion_ms_per_post", mean, "ms/post");
    report.rate(
        "engine, cascade, benign posts",
        "engine_cascade_posts_per_s",
        cascade(posts, home),
    );
}

fn session(home: &Path, name: &str) -> Box<dyn Classifier> {
    let library = home.join(".tidegate/lib/libonnxruntime.so");
    let model = load_model(&home.join("models").join(name), &library);
    model.unwrap_or_else(|error| panic!("{error}")).open().expect("it opened a moment ago")
}

/// Seconds that scoring the texts takes, so many at a time.
fn scoring(session: &mut dyn Classifier, views: &[String], together: usize) -> f64 {
    let mut texts: Vec<Input<'_>> =
        views.iter().map(|text| Input { text, language: None }).collect();
    texts.chunks_mut(together).for_each(|chunk| chunk.sort_by_key(|input| input.text.len()));
    median_seconds(
        || (),
        |()| {
            for chunk in texts.chunks(together) {
                black_box(session.score(chunk).expect("it scores"));
            }
        },
    )
}

/// Milliseconds that a second opinion takes for a post of its language.
fn second(home: &Path, name: &str, views: &[String]) -> f64 {
    let wanted = Language::new(name).expect("they are named by their languages");
    let spoken = |view: &&String| {
        languages(view, None).first().is_some_and(|share| share.language == wanted)
    };
    let own: Vec<String> = views.iter().filter(spoken).take(DOUBTFUL).cloned().collect();
    assert!(!own.is_empty(), "the corpus has posts in {name}");
    scoring(&mut *session(home, name), &own, 1) / float(own.len()) * 1e3
}

/// Posts a second of one core with second opinions, over posts that rules have nothing against.
fn cascade(posts: &[WavePost], home: &Path) -> f64 {
    let json: Vec<String> = posts.iter().map(WavePost::to_json).collect();
    let mut rules = Moderator::new(Engine::new(Arc::new(bundle(home, false)))).expect("no model");
    let posts = decode(&json);
    let decisions = rules.decide(received(&posts)).0;
    let benign: Vec<Post> = posts
        .into_iter()
        .zip(decisions)
        .filter(|(_, decision)| decision.as_ref().is_ok_and(|d| d.action == Action::Allow))
        .map(|(post, _)| post)
        .collect();
    let engine = Engine::new(Arc::new(bundle_with(home, true, CASCADE)));
    let mut moderator = Moderator::new(engine).expect("the models open");
    let seconds = median_seconds(|| chunks(&benign), |chunks| decide(&mut moderator, chunks));
    float(benign.len()) / seconds
}
