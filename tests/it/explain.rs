//! Explanations as people and tools read them, and that they never tell another story than the engine.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate::{
    bundle::{Loaded, Sources, load},
    decision::{Action, Decision},
    engine::Engine,
    explain::{Explanation, words},
    files::RuleFolder,
    policy::Weighed,
    rules::Ruleset,
    signal::{Category, ModelIdentity, ModelSignal, Score},
    wire::{DecisionId, Origin, Published, decode_value},
};

use crate::support::{moderate::tidegate, schemas::assert_answer};

/// The engine over the rules and policies of the fixture, with its drafts.
struct World {
    engine: Engine,
    drafts: Ruleset,
}

impl World {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/explain");
        let folders = [RuleFolder::read(&folder).expect("the fixture can be read")];
        let sources = Sources { folders: &folders, shipped_rules: true, models: None };
        let Loaded { bundle, drafts, .. } =
            load(&sources).unwrap_or_else(|errors| panic!("the fixture loads: {errors:?}"));
        Self { engine: Engine::new(Arc::new(bundle)), drafts }
    }

    /// What the engine decides, and the explanation of it.
    fn explain(&self, post: &Value, scores: &[(&str, u16)]) -> (Decision, Explanation) {
        let post = decode_value(post).unwrap_or_else(|error| panic!("{post} is a post: {error}"));
        let decide = || {
            let screened = self.engine.screen(post.clone(), at());
            self.engine.decide(screened, model(scores))
        };
        let explanation = Explanation::new(&self.engine, &self.drafts, &post, decide());
        (decide(), explanation)
    }
}

fn at() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn model(scores: &[(&str, u16)]) -> ModelSignal {
    if scores.is_empty() {
        return ModelSignal::NotRouted;
    }
    let model = ModelIdentity { name: "m".into(), version: "1".into(), sha256: String::new() };
    let score = |&(category, thousandths): &(&str, u16)| {
        (Category::new(category), Score::from_thousandths(thousandths).expect("in range"))
    };
    ModelSignal::Scored {
        model: Arc::new(model),
        scores: scores.iter().map(score).collect(),
        opinions: Vec::new(),
    }
}

/// A name, a post, the model's scores.
type Case = (&'static str, Value, Vec<(&'static str, u16)>);

/// Posts worth an explanation.
fn cases() -> Vec<Case> {
    let hostile =
        "\u{1b}[31m加微信 投资 傻逼 c\u{301}\u{302}\u{303}\u{304}\u{305}lown \u{202e}".repeat(4000);
    let text = |text: &str| json!({"id": "1", "text": text});
    let seen_in =
        |text: &str, audience: &[&str]| json!({"id": "1", "text": text, "audience": audience});
    let danish =
        "Jeg tror ikke, at den store fart på motorvejen er farlig for os, men det siger de";
    let french = "Le train a du retard parce que la neige est tombée sur toute la région";
    let fields = json!({"title": "hello", "tags": ["cats", "sieg heil"], "links": ["https://a.example/clown"]});
    vec![
        ("mixed", text("Telegram me, 投资 tips every day"), vec![]),
        ("disguised", seen_in("加 微 信 了解一下，𝓣𝓮𝓵𝓮𝓰𝓻𝓪𝓶 me, 投.资 tips", &["DE", "JP"]), vec![]),
        ("cancelled", text("请不要加微信转账，警方提醒"), vec![]),
        ("one_of_two", text("加微信聊聊，今天天气不错"), vec![]),
        ("covered", text("加微信，带你赚大钱，带你赚钱"), vec![]),
        ("danish", text(danish), vec![]),
        ("french", seen_in(french, &["FR", "JP"]), vec![]),
        ("empty", text(""), vec![]),
        ("hostile", text(&hostile), vec![]),
        (
            "edges",
            text("An assassin in my class wrote to @ass at https://a.example/ass: 不傻逼, ledger"),
            vec![],
        ),
        (
            "scored",
            seen_in("People like you should not be here with all of us", &["US", "JP"]),
            vec![("harassment", 400), ("hate", 790), ("toxic", 910)],
        ),
        ("fields", json!({"id": "1", "fields": fields, "audience": ["DE", "US"]}), vec![]),
        (
            "comment",
            json!({"id": "1", "text": "check my profile! sieg heil", "surface": "comment", "audience": ["DE"]}),
            vec![],
        ),
        ("not_a_comment", text("check my profile, you clown, you muppet"), vec![]),
        ("capped", seen_in("you idiot! you 傻傻傻逼", &["JP", "US"]), vec![]),
        (
            "deleted",
            json!({"id": "1", "text": "sieg heil", "operation": "delete", "revision": 2}),
            vec![],
        ),
    ]
}

#[test]
fn people_read_what_led_to_the_decision() {
    let world = World::new();
    for (name, post, scores) in cases() {
        let (_, explanation) = world.explain(&post, &scores);
        let page = anstream::adapter::strip_str(&explanation.human()).to_string();
        assert!(page.lines().count() < 120, "{name}: {} lines", page.lines().count());
        assert!(page.len() < 16 * 1024, "{name}: {} bytes", page.len());
        let harmless =
            |c: char| c == '\n' || !(c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        assert!(page.chars().all(harmless), "{name} moves the cursor");
        insta::assert_snapshot!(format!("human_{name}"), page);
    }
}

#[test]
fn tools_read_the_same() {
    let world = World::new();
    for (name, post, scores) in cases() {
        let (_, explanation) = world.explain(&post, &scores);
        let mut explained = as_json(&explanation);
        assert_answer(&explained["decision"]);
        for hit in explained["decision"]["signals"]["rules"].as_array_mut().expect("hits") {
            hit.as_object_mut().expect("a hit").remove("hash").expect("it has a hash");
        }
        explained["decision"].as_object_mut().expect("a decision").remove("versions");
        let text = serde_json::to_string_pretty(&explained).expect("JSON is text");
        assert!(text.len() < 256 * 1024, "{name}: {} bytes", text.len());
        if name == "hostile" {
            // Its hits and spans fill pages; that they are bounded is what matters.
            continue;
        }
        insta::assert_snapshot!(format!("json_{name}"), text);
    }
}

#[test]
fn colours_are_there_for_terminals_and_nowhere_else() {
    let (_, explanation) = World::new().explain(&json!({"id": "1", "text": "you idiot"}), &[]);
    assert!(explanation.human().contains("\u{1b}[1m"));
    assert!(!as_json(&explanation).to_string().contains("\u{1b}["));
}

#[test]
fn an_explanation_agrees_with_the_engine() {
    let world = World::new();
    for (name, post, scores) in cases() {
        let (decision, explanation) = world.explain(&post, &scores);
        if let Err(difference) = agrees(&decision, &explanation) {
            panic!("{name}: {difference}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_explanation_agrees_with_the_engine_whatever_the_post(
        words in proptest::collection::vec(0..WORDS.len(), 0..12),
        surface in 0..2_usize,
        hate in 0..=1000_u16,
        toxic in 0..=1000_u16,
        scored in any::<bool>(),
    ) {
        thread_local!(static WORLD: World = World::new());
        let text: String = words.iter().map(|&at| WORDS[at]).collect();
        let surface = ["post", "comment"][surface];
        let post = json!({"id": "1", "text": text, "surface": surface, "audience": ["DE", "FR", "JP"]});
        let scores = if scored { vec![("hate", hate), ("toxic", toxic)] } else { vec![] };
        let (decision, explanation) = WORLD.with(|world| world.explain(&post, &scores));
        prop_assert_eq!(agrees(&decision, &explanation), Ok(()), "{}", text);
    }
}

/// Pieces that posts are made of.
const WORDS: [&str; 20] = [
    "加微信",
    "不要",
    "投资",
    "带你赚钱",
    "带你赚大钱",
    " telegram me ",
    " t e l e g r a m m e ",
    "傻逼",
    "不",
    "了吗",
    " you idiot",
    " ass",
    "sin ",
    " sieg heil ",
    " clown ",
    " seed phrase",
    " Ledger ",
    "check my profile",
    "Le train a du retard parce que la neige est tombée. ",
    "傻傻傻逼",
];

/// Whether the explanation says what was decided, on the same evidence and by the same rows.
fn agrees(decision: &Decision, explanation: &Explanation) -> Result<(), String> {
    let same =
        |what: &str, holds: bool| if holds { Ok(()) } else { Err(format!("{what} differs")) };
    same("the decision", explanation.decision() == decision)?;
    same("the evidence", explanation.trace().scanned.hits == decision.signals.hits)?;
    for verdict in &decision.verdicts {
        for region in &verdict.regions {
            let of_region = explanation.policies().iter().find(|p| p.regions.contains(region));
            let policy = of_region.ok_or_else(|| format!("{region} is not explained"))?;
            same("a verdict", policy.verdict == verdict.verdict)?;
            let outcome = &verdict.verdict.outcome;
            let strictest = policy.weighed.iter().filter_map(Weighed::held).max();
            let action = outcome.action();
            same("the action", strictest.unwrap_or(Action::Allow) == action)?;
            let reasons = outcome.reasons().map_or(&[][..], |reasons| reasons.as_slice());
            let mut rows: Vec<&str> = reasons.iter().map(|reason| reason.row.as_str()).collect();
            let mut told: Vec<&str> =
                policy.decided().map(|weighed| weighed.row.as_str()).collect();
            rows.sort_unstable();
            rows.dedup();
            told.sort_unstable();
            told.dedup();
            same(&format!("rows of {region}: {rows:?} against {told:?}"), rows == told)?;
            let idle = policy.stricter().iter().all(|weighed| weighed.asks > action);
            same("what was not enough", idle)?;
        }
    }
    let regions = |d: &Decision| d.verdicts.iter().map(|v| v.regions.len()).sum::<usize>();
    let told: usize = explanation.policies().iter().map(|policy| policy.regions.len()).sum();
    same("the number of regions", told == regions(decision))
}

fn as_json(explanation: &Explanation) -> Value {
    let id = DecisionId::of(Origin::Direct { post: "{}" });
    let (received_at, decided_at) = (at(), at());
    let published = Published { id, source: None, received_at, decided_at, text: None };
    explanation.json(&published, 512 * 1024)
}

/// `tidegate rules explain` over the fixture alone, fed with `input`.
fn command(arguments: &[&str], input: &str) -> (i32, String, String) {
    let explain = ["rules", "explain", "--no-model", "--at", "2026-11-22T12:00:00Z"];
    let output = tidegate(&[&explain, arguments].concat(), input.as_bytes());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
    let code = output.status.code().expect("it ends by itself");
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn the_shipped_rules_explain_a_post_of_two_languages() {
    let (code, page, errors) = command(&["Telegram me, 投资 tips every day"], "");
    assert_eq!(code, 0, "{errors}");
    for told in ["Telegram me, 投资 tips every day", "en ", "zh ", "scam_fraud", "default: "] {
        assert!(page.contains(told), "`{told}` is missing:\n{page}");
    }
    assert!(!page.contains('\u{1b}'), "no colours off a terminal");
}

#[test]
fn a_post_comes_as_argument_file_or_input_as_json_or_text() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("post.json");
    let post = r#"{"id":"7","fields":{"title":"Sieg Heil"},"audience":["US"]}"#;
    std::fs::write(&file, post).expect("it is writable");
    let file = file.to_str().expect("a plain path");
    let id_and_audience = |arguments: &[&str], input: &str| {
        let (code, page, errors) = command(&[&["--format", "json"], arguments].concat(), input);
        assert_eq!(code, 0, "{errors}");
        let explained: Value = serde_json::from_str(&page).expect("it is JSON");
        let regions = explained["decision"]["verdicts"][0]["regions"].to_string();
        (explained["decision"]["post_id"].to_string(), regions)
    };
    let told = |id: &str, regions: &str| (id.to_owned(), regions.to_owned());
    assert_eq!(id_and_audience(&["--file", file], ""), told(r#""7""#, r#"["US"]"#));
    assert_eq!(id_and_audience(&["--audience", "ZZ"], post), told(r#""7""#, r#"["ZZ"]"#));
    assert_eq!(id_and_audience(&[], "hello\n"), told(r#""explained""#, r#"["default"]"#));
    assert_eq!(id_and_audience(&["{curly}"], ""), told(r#""explained""#, r#"["default"]"#));
}

#[test]
fn what_is_no_post_is_refused_with_its_code() {
    let huge = "x".repeat(1024 * 1024 + 1);
    for (arguments, input, code, words) in [
        (&[][..], "{\"text\": \"no id\"}", 65, "missing field `id`"),
        (&[], "{\"id\": 7}", 65, "expected a string"),
        (&[], &huge, 65, "at most 1048576 bytes"),
        (&["--file", "/nowhere/post.json"], "", 66, "/nowhere/post.json"),
    ] {
        let (got, _, errors) = command(arguments, input);
        assert_eq!(got, code, "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
}

/// Whatever a rule lacks is named, with the value that the post has.
#[test]
fn a_near_hit_says_what_its_rule_lacks() {
    let world = World::new();
    for (text, made, expected) in [
        ("cheap tickets tonight", None, "the rule needs `cash` or `coins` too"),
        (
            "cheap tickets tonight for coins, no official resale",
            None,
            "`official resale`, which is in `none`, stands in the post",
        ),
        (
            "cheap tickets for coins, for all of you and tonight",
            None,
            "`hurry` or `tonight` does not stand within 10 characters",
        ),
        (
            "cheap tickets tonight, coins only",
            None,
            "author.age_days is not given, and < 30 was asked for",
        ),
        (
            "cheap tickets tonight, coins only",
            Some("2026-10-01T00:00:00Z"),
            "author.age_days is 52, not < 30",
        ),
        ("reach me now, reach me now", None, "it stands at 2 places, and the rule's count is >= 3"),
        (
            "Le train de Paris a encore une retardation ce matin, nous sommes tous fatigués.",
            None,
            "the sentence is another language, and the rule drops those",
        ),
    ] {
        let mut post = json!({"id": "p", "text": text});
        if let Some(made) = made {
            post["author"] = json!({"created_at": made});
        }
        let (_, explanation) = world.explain(&post, &[]);
        let near = explanation.trace().near.iter();
        let says: Vec<String> = near.map(|near| words::why(&near.why)).collect();
        assert!(says.iter().any(|says| says == expected), "{text}: {says:#?}");
    }
}
