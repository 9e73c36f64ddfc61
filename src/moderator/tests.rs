//! Who is asked, when, and what follows when nobody answers: with models that are tables.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Moderator, Upkeep};
use crate::{
    bundle::{ModelSource, Sources, load},
    classify::{Asked, Band, Happened, Model, Observer, fixed::FixedModel},
    decision::{Decision, Degraded},
    diagnostic::SourceFile,
    engine::Engine,
    files::RuleFolder,
    post::{Post, PostId},
    signal::{Answer, Category, Language, ModelSignal, Score},
};

const TAXONOMY: &str = "categories:
  - {id: hate, definition: hate}
  - {id: spam, definition: spam}
";
const POLICY: &str = "region: default
categories: {hate: {review: {score: 0.6}}, spam: {block: {severity: 3}}}
";
const PACK: &str = "pack: spam
rules:
  - {id: ads, category: spam, severity: 3, status: enforced, any: [buy now], hit: [buy now], miss: [hello]}
";
const ENGLISH: &str = "the people at the river are very kind to all of their neighbours today";
const GERMAN: &str = "die leute am fluss sind heute sehr freundlich zu allen ihren nachbarn";

fn score(thousandths: u16) -> Score {
    Score::from_thousandths(thousandths).expect("in range")
}

fn english() -> Language {
    Language::new("en").expect("a code")
}

/// A model that says this about the texts.
fn table(says: &[(&str, u16)]) -> FixedModel {
    let hate = Category::new("hate");
    let scored = |&(text, t): &(&str, u16)| (text.to_owned(), vec![(hate.clone(), score(t))]);
    let evidence = BTreeMap::from([(hate.clone(), [english()].into())]);
    FixedModel::new(says.iter().map(scored).collect(), evidence)
}

/// One that is asked in English, where the first score is from 0.2 to 0.9.
fn second(says: &[(&str, u16)]) -> FixedModel {
    let band = Band::new(score(200), score(900)).expect("the lower end is first");
    let bands = BTreeMap::from([(Category::new("hate"), band)]);
    table(says).asked_when("second", Asked { languages: [english()].into(), bands })
}

struct Named(BTreeMap<&'static str, FixedModel>);

impl ModelSource for Named {
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String> {
        let model = self.0.get(name).cloned().ok_or_else(|| format!("no {name}"))?;
        Ok(Arc::new(model))
    }
}

fn engine(routing: &str, models: &[(&'static str, &FixedModel)]) -> Engine {
    let file = |path: &str, text: &str| {
        Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() })
    };
    let folder = RuleFolder {
        bundle: Some(file("bundle.yaml", routing)),
        taxonomy: Some(file("taxonomy.yaml", TAXONOMY)),
        packs: vec![file("packs/spam.yaml", PACK)],
        policies: vec![file("policies/default.yaml", POLICY)],
        ..RuleFolder::default()
    };
    let models = Named(models.iter().map(|(name, model)| (*name, (*model).clone())).collect());
    let sources = Sources { folders: &[folder], shipped_rules: true, models: Some(&models) };
    let loaded = load(&sources).unwrap_or_else(|refused| panic!("{:?}", refused.sorted()));
    Engine::new(Arc::new(loaded.bundle))
}

const CASCADE: &str = "models: {core: core, second_opinions: second}";

fn decide(moderator: &mut Moderator, text: &str) -> Decision {
    let post = Post::of_text(PostId::new("1").expect("an id"), text);
    let (mut decisions, _) = moderator.decide(vec![(post, jiff::Timestamp::UNIX_EPOCH)]);
    decisions.remove(0).expect("nothing panics")
}

/// The action, the score that stands, and what came of a second opinion.
fn outcome(decision: &Decision) -> (&'static str, Option<u16>, &'static str) {
    let model = &decision.signals.model;
    let stands = model.score(&Category::new("hate")).map(Score::thousandths);
    let opinion = match model.opinions() {
        [] => "not asked",
        [one] => match &one.answer {
            Answer::Scored { flipped: true, .. } => "flipped",
            Answer::Scored { flipped: false, .. } => "kept",
            other => other.as_str(),
        },
        _ => "asked twice",
    };
    (decision.action.as_str(), stands, opinion)
}

#[test]
fn a_second_opinion_is_asked_where_it_could_change_a_verdict_and_the_score_between_stands() {
    let advert = format!("{ENGLISH}. buy now");
    let cases = [
        (ENGLISH, 500, 800, ("review", Some(667), "flipped")),
        (ENGLISH, 700, 100, ("allow", Some(337), "flipped")),
        (ENGLISH, 700, 650, ("review", Some(676), "kept")),
        (ENGLISH, 200, 100, ("allow", Some(143), "kept")),
        (ENGLISH, 199, 800, ("allow", Some(199), "not asked")),
        (ENGLISH, 901, 100, ("review", Some(901), "not asked")),
        (GERMAN, 500, 800, ("allow", Some(500), "not asked")),
        (&advert, 500, 800, ("block", Some(500), "not asked")),
    ];
    for (text, first, own, expected) in cases {
        let (core, second) = (table(&[(text, first)]), second(&[(text, own)]));
        let engine = engine(CASCADE, &[("core", &core), ("second", &second)]);
        let mut moderator = Moderator::new(engine.clone()).expect("tables open");
        let decision = decide(&mut moderator, text);
        assert_eq!(outcome(&decision), expected, "{first} and {own} of {text}");
        assert_eq!(decision.degraded, [].into());
        let alone = Arc::new(Upkeep::default().without_second_opinions());
        let mut alone = Moderator::with(engine, alone).expect("tables open");
        assert_eq!(outcome(&decide(&mut alone, text)).1, Some(first));
    }
}

#[test]
fn what_the_first_model_said_is_told() {
    let (core, second) = (table(&[(ENGLISH, 500)]), second(&[(ENGLISH, 800)]));
    let engine = engine(CASCADE, &[("core", &core), ("second", &second)]);
    let decision = decide(&mut Moderator::new(engine).expect("tables open"), ENGLISH);
    let [opinion] = decision.signals.model.opinions() else { panic!("one was asked") };
    assert_eq!(opinion.model.name, "second");
    let hate = |thousandths| vec![(Category::new("hate"), score(thousandths))];
    let expected = Answer::Scored { scores: hate(800), core: hate(500), flipped: true };
    assert_eq!(opinion.answer, expected);
    assert_eq!(decision.versions.models, ["fixed@0", "second@0"]);
}

#[test]
fn a_second_opinion_that_fails_or_costs_too_much_leaves_the_first_score() {
    let (core, second) = (table(&[(ENGLISH, 700)]), second(&[(ENGLISH, 100)]));
    let engine = engine(CASCADE, &[("core", &core), ("second", &second)]);
    let one = NonZeroUsize::new(1).expect("not zero");
    let upkeep = Arc::new(Upkeep::default().within_share_of(one));
    let mut moderator = Moderator::with(engine, Arc::clone(&upkeep)).expect("tables open");
    assert_eq!(outcome(&decide(&mut moderator, ENGLISH)).2, "flipped");
    second.set_broken(true);
    let decision = decide(&mut moderator, ENGLISH);
    assert_eq!(outcome(&decision), ("review", Some(700), "unavailable"));
    assert_eq!(decision.degraded, [Degraded::SecondOpinionUnavailable].into());
    second.set_broken(false);
    upkeep.took(Duration::from_mins(10));
    let decision = decide(&mut moderator, ENGLISH);
    assert_eq!(outcome(&decision), ("review", Some(700), "skipped"));
    assert_eq!(decision.degraded, [Degraded::SecondOpinionSkipped].into());
}

#[test]
fn a_model_that_fails_thrice_is_left_alone_and_everybody_hears_of_it() {
    let told: Arc<Mutex<Vec<&str>>> = Arc::default();
    let heard = Arc::clone(&told);
    let observer = Observer::new(move |event| {
        heard.lock().expect("nobody panics").push(match event.what {
            Happened::Scored { .. } => "scored",
            Happened::Failed { .. } => "failed",
            Happened::Suspended => "suspended",
            Happened::Resumed => "resumed",
        });
    });
    let core = table(&[(ENGLISH, 700)]);
    let engine = engine("models: {core: core}", &[("core", &core)]);
    let upkeep = Arc::new(Upkeep::watched(observer));
    let open = || Moderator::with(engine.clone(), Arc::clone(&upkeep)).expect("a table opens");
    let mut threads = [open(), open()];
    let status = |moderator: &mut Moderator| {
        let decision = decide(moderator, ENGLISH);
        matches!(decision.signals.model, ModelSignal::Scored { .. })
    };
    assert!(status(&mut threads[0]));
    core.set_broken(true);
    for at in [0, 1, 0] {
        assert!(!status(&mut threads[at]));
    }
    core.set_broken(false);
    assert!(!status(&mut threads[1]), "it is left alone on every thread");
    let expected = ["scored", "failed", "failed", "failed", "suspended"];
    assert_eq!(*told.lock().expect("nobody panics"), expected);
    threads[1].follow(engine.clone()).expect("a table opens");
    assert!(status(&mut threads[1]), "another bundle opens it anew");
    assert_eq!(told.lock().expect("nobody panics")[5..], ["resumed", "scored"]);
}

#[test]
fn a_model_on_trial_is_compared_and_decides_nothing() {
    let (core, next) = (table(&[(ENGLISH, 700)]), table(&[(ENGLISH, 100)]));
    let routing = "models: {core: core, shadow: {model: next, share: 100%}}";
    let engine = engine(routing, &[("core", &core), ("next", &next)]);
    let mut moderator = Moderator::new(engine).expect("tables open");
    let decision = decide(&mut moderator, ENGLISH);
    assert_eq!(outcome(&decision), ("review", Some(700), "not asked"));
    assert_eq!(decision.versions.models, ["fixed@0"]);
    let shadow = decision.shadow.expect("it is in its share");
    assert!(shadow.differs, "it would allow");
    assert_eq!(shadow.scores.expect("it answers"), [(Category::new("hate"), score(100))]);
    next.set_broken(true);
    let decision = decide(&mut moderator, ENGLISH);
    assert_eq!(outcome(&decision).0, "review");
    assert_eq!(decision.shadow.expect("it is in its share").scores, None);
    assert_eq!(decision.degraded, [].into());
}

#[test]
fn models_that_do_not_go_together_are_refused() {
    let (core, opinion) = (table(&[]), second(&[]));
    let cases = [
        ("models: {core: core, second_opinions: core}", "B009"),
        ("models: {core: core, second_opinions: [second, other]}", "B008"),
        ("models: {core: core, second_opinions: plain}", "B008"),
        ("models: {second_opinions: second}", "B008"),
        ("models: {core: ../core}", "B010"),
    ];
    for (routing, code) in cases {
        let known = [("core", &core), ("second", &opinion), ("other", &opinion), ("plain", &core)];
        let refused = std::panic::catch_unwind(|| engine(routing, &known));
        let said = *refused.expect_err(routing).downcast::<String>().expect("it says why");
        assert!(said.contains(code), "{routing}: {said}");
    }
}
