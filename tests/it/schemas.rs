//! The published schemas hold: what is written conforms to them, what is refused is refused by them,
//! and they know the same keys as the code.
//!
//! Beside this, every answer that a test reads off a door is held to them where it is read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use tidegate::{
    bundle::{Sources, load},
    condition::MissingKeys,
    decision::{
        Action, Decision, Degraded, Effect, LegalBasis, Outcome, Reason, Reasons, RegionVerdict,
        ReviewAsk, ReviewWhen, RowId, Scope, Tier, Verdict, Versions,
    },
    diagnostic::{Diagnostics, SourceFile},
    files::RuleFolder,
    post::{Field, Operation, Part, PostId, Region},
    signal::{
        Answer, AtMost, Category, Language, LanguageShare, ModelIdentity, ModelSignal, Opinion,
        RuleFacts, RuleHit, RuleId, Score, Severity, Signals, Status, TextSpan,
    },
    text::{Span, View},
    wire::{
        DecisionId, ErrorCode, Limits, Origin, Published, WireError, decode_post, encode_decision,
    },
    yaml::{Node, NodeKind, parse},
};

use crate::support::schemas::{NAMES, assert_answer, problems, schema};

/// Posts, then what is none.
const POSTS: &str = r#"
{"id": "1"}
{"id": "1", "text": "hello", "mood": {"is": ["fine"]}}
{"id": "1", "text": null, "fields": {"body": ["a", "b"], "title": null}}
{"id": "1", "fields": {"title": "a"}, "text": "b"}
{"id": "1", "surface": "comment", "language": "pt-BR", "region": "BR"}
{"id": "1", "author": {"id": "a", "trust": 0.5, "strikes": 0, "verified": true, "followers": 9, "region": "de", "created_at": "2020-01-01T00:00:00Z"}}
{"id": "1", "audience": ["DE", "EU", "default"], "created_at": "2026-11-22T12:00:00.5+01:00"}
{"id": "1", "operation": "edit", "revision": 1}
{"id": "1", "trigger": {"kind": "order", "at": "2026-11-22T12:00:00Z", "ref": "7"}}
{"id": "1", "human": {"text_hash": "x", "outcome": "allow", "rows": ["de/x"], "at": "2026-11-22T12:00:00Z"}}
{"id": "1", "extra": {"score": 1.5, "beta": true, "kind": "shop"}}
{"text": "no id"}
{"id": 7}
{"id": ""}
["a list"]
"a text"
{"id": "1", "text": ["a list"]}
{"id": "1", "text": "a", "fields": {"body": "b"}}
{"id": "1", "fields": ["a"]}
{"id": "1", "fields": {"tags": [1]}}
{"id": "1", "surface": "billboard"}
{"id": "1", "author": ["someone"]}
{"id": "1", "author": {"trust": 1.5}}
{"id": "1", "author": {"strikes": -1}}
{"id": "1", "author": {"verified": "yes"}}
{"id": "1", "author": {"followers": 1.5}}
{"id": "1", "region": "no region"}
{"id": "1", "audience": []}
{"id": "1", "audience": "DE"}
{"id": "1", "audience": ["Atlantis, the lost one"]}
{"id": "1", "created_at": "yesterday"}
{"id": "1", "created_at": 1700000000}
{"id": "1", "revision": -1}
{"id": "1", "operation": "publish"}
{"id": "1", "operation": "edit"}
{"id": "1", "operation": "delete", "revision": 0}
{"id": "1", "operation": "delete", "revision": null}
{"id": "1", "trigger": {"kind": "order"}}
{"id": "1", "trigger": {"kind": "gossip", "at": "2026-11-22T12:00:00Z"}}
{"id": "1", "human": {"outcome": "allow"}}
{"id": "1", "human": {"text_hash": "x", "outcome": "allow", "rows": null, "at": "2026-11-22T12:00:00Z"}}
{"id": "1", "extra": {"list": [1]}}
{"id": "1", "extra": {"none": null}}
"#;

#[test]
fn the_schema_of_a_post_refuses_what_the_decoder_refuses() {
    let listed = POSTS.lines().filter(|line| !line.trim().is_empty());
    let mut cases: Vec<Value> =
        listed.map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    cases.extend([
        json!({"id": "x".repeat(257)}),
        json!({"id": "1", "language": "x".repeat(1025)}),
        json!({"id": "1", "audience": vec!["DE"; 301]}),
        json!({"id": "1", "fields": {"tags": vec!["t"; 257]}}),
        json!({"id": "1", "human": {"text_hash": "x", "outcome": "allow", "rows": vec!["r"; 65], "at": "2026-11-22T12:00:00Z"}}),
    ]);
    let mut accepted = 0;
    for post in &cases {
        let decoded = decode_post(post.to_string().as_bytes(), &Limits::default());
        let found = problems("post.json", post);
        assert_eq!(decoded.is_ok(), found.is_empty(), "{post}: {decoded:?} against {found:?}");
        accepted += usize::from(decoded.is_ok());
    }
    assert_eq!(accepted, 11, "the first ones are posts");
}

#[test]
fn a_decision_with_everything_in_it_has_every_key_of_the_schema() {
    let mut answers = Vec::new();
    for (include_text, source) in [(true, None), (false, Some(("posts", 3, 41)))] {
        let parts = [Part { field: Field::Tags, index: Some(1), text: "a".to_owned() }];
        let published = Published {
            id: DecisionId::of(Origin::Direct { post: "{}" }),
            source,
            received_at: "2026-11-22T12:00:00Z".parse().expect("a time"),
            decided_at: "2026-11-22T12:00:01Z".parse().expect("a time"),
            text: include_text.then_some(&parts),
        };
        let mut bytes = Vec::new();
        encode_decision(&everything(), &published, 512 * 1024, &mut bytes);
        answers.push(serde_json::from_slice::<Value>(&bytes).expect("it is JSON"));
    }
    answers.iter().for_each(assert_answer);
    assert_every_key_is_used("decision.json", &answers);
    let mut error = WireError::new(ErrorCode::InvalidSchema, "expected a string").at("id");
    (error.line, error.post_id) = (Some(7), Some("1".to_owned()));
    let error = serde_json::from_str(&error.to_json()).expect("it is JSON");
    assert_answer(&error);
    assert_every_key_is_used("error.json", &[error]);
    let codes = |schema: Value, pointer: &str| schema.pointer(pointer).cloned().expect("its codes");
    let names = |codes: &[ErrorCode]| codes.iter().map(|code| code.as_str()).collect::<Vec<_>>();
    let of_records = names(&ErrorCode::OF_RECORDS);
    let written = Value::from([of_records.clone(), names(&ErrorCode::OF_REQUESTS)].concat());
    let error_codes = codes(schema("error.json"), "/properties/error/properties/code/enum");
    assert_eq!(error_codes, written);
    assert_eq!(codes(schema("dead-letter.json"), "/$defs/code/enum"), Value::from(of_records));
}

/// Everything that may stand in the way of a decision.
const DEGRADED: [Degraded; 5] = [
    Degraded::ModelUnavailable,
    Degraded::EvidenceTruncated,
    Degraded::EmergencyOverride,
    Degraded::SecondOpinionSkipped,
    Degraded::SecondOpinionUnavailable,
];

/// A decision that uses every key: not one that an engine makes, but one that it could.
fn everything() -> Decision {
    let score = |thousandths| Score::from_thousandths(thousandths).expect("in range");
    let category = Category::new("spam");
    let reasons = |count: usize| {
        Reasons::new((0..count).map(|row| reason_with_everything(row, &category)).collect())
            .expect("some")
    };
    let ask = ReviewAsk {
        row: RowId::new("de/row-1"),
        queue: "spam".into(),
        priority: 50,
        when: ReviewWhen::After,
    };
    let verdict = Verdict {
        outcome: Outcome::Block(reasons(40)),
        effects: Effect::ALL.into(),
        would: Some(Outcome::Review { reasons: reasons(1), hold: true }),
        reviews: vec![ask],
    };
    let model = ModelIdentity { name: "m".into(), version: "1".into(), sha256: "0".repeat(64) };
    let language = Language::new("de").expect("a code");
    let signals = Signals {
        hits: vec![hit_with_everything(&category)],
        languages: vec![LanguageShare { language, confidence: score(970), share: score(1000) }],
        model: ModelSignal::Scored {
            opinions: opinions_of_every_kind(&model, &category),
            model: Arc::new(model),
            scores: vec![(category, score(900))],
        },
        truncated: true,
    };
    let hash = || "0".repeat(64);
    Decision {
        post_id: PostId::new("1").expect("an id"),
        revision: 1,
        operation: Operation::Edit,
        content_hash: hash(),
        text_hash: hash(),
        action: Action::Block,
        verdicts: vec![RegionVerdict {
            regions: vec!["DE".parse::<Region>().expect("a code")],
            verdict,
        }],
        signals,
        versions: Arc::new(Versions {
            engine: "0.1.0",
            bundle: hash(),
            rules: hash(),
            policies: hash(),
            models: vec!["m@1".to_owned()],
        }),
        as_of: "2026-11-22T12:00:00Z".parse().expect("a time"),
        degraded: DEGRADED.into(),
        unnamed_regions: Vec::new(),
        missing_keys: MissingKeys::default(),
        shadow: None,
    }
}

fn opinions_of_every_kind(model: &ModelIdentity, category: &Category) -> Vec<Opinion> {
    let scores = |thousandths| {
        let score = Score::from_thousandths(thousandths).expect("in range");
        vec![(category.clone(), score)]
    };
    let scored = Answer::Scored { scores: scores(900), core: scores(400), flipped: true };
    let model = Arc::new(model.clone());
    let opinion = |answer| Opinion { model: Arc::clone(&model), answer };
    [scored, Answer::Skipped, Answer::Unavailable].map(opinion).into()
}

fn reason_with_everything(row: usize, category: &Category) -> Reason {
    Reason {
        row: RowId::new(&format!("de/row-{row}")),
        category: category.clone(),
        severity: Severity::new(3),
        rule: Some(RuleId::new("spam/ad")),
        entry: Some("ad".into()),
        score: Score::from_thousandths(900),
        threshold: Score::from_thousandths(800),
        tier: Tier::Illegal,
        legal: Some(Arc::new(LegalBasis {
            act: "Act".to_owned(),
            article: Some("1".to_owned()),
            url: Some("https://law.example".to_owned()),
        })),
        scope: Scope::Regional,
    }
}

fn hit_with_everything(category: &Category) -> RuleHit {
    let facts = RuleFacts {
        id: RuleId::new("spam/ad"),
        hash: "0123456789abcdef".into(),
        category: category.clone(),
        severity: Severity::new(3).expect("in range"),
        status: Status::Enforced,
    };
    RuleHit {
        rule: Arc::new(facts),
        entry: "ad".into(),
        field: Field::Tags,
        index: Some(1),
        spans: vec![TextSpan { bytes: Span::new(0, 1), utf16: Span::new(0, 1) }],
        view: View::Skeleton,
        obfuscated: true,
        language_mismatch: true,
        cancelled_by: Some("a decent ad".into()),
        at_most: Some(AtMost::Review),
        truncated: true,
    }
}

/// Fails when the schema names a key that none of the values has.
fn assert_every_key_is_used(name: &str, values: &[Value]) {
    let root = schema(name);
    let mut known = BTreeSet::new();
    known_keys(&root, &root, "", &mut known);
    let mut used = BTreeSet::new();
    for value in values {
        used_keys(&root, &root, value, "", &mut used);
    }
    let idle: Vec<&String> = known.difference(&used).collect();
    assert!(idle.is_empty(), "{name} names keys that nothing writes: {idle:?}");
}

/// What a `$ref` stands for, and the name that its keys have from there on.
fn resolved<'s>(root: &'s Value, node: &'s Value, path: &str) -> (&'s Value, String) {
    match node["$ref"].as_str() {
        None => (node, path.to_owned()),
        Some(reference) => {
            let target =
                root.pointer(reference.trim_start_matches('#')).expect("it points somewhere");
            (target, reference.to_owned())
        }
    }
}

fn known_keys(root: &Value, node: &Value, path: &str, known: &mut BTreeSet<String>) {
    let (node, path) = resolved(root, node, path);
    for (key, below) in node["properties"].as_object().into_iter().flatten() {
        let key = format!("{path}/{key}");
        if known.insert(key.clone()) {
            known_keys(root, below, &key, known);
        }
    }
    if node["items"].is_object() {
        known_keys(root, &node["items"], &path, known);
    }
}

fn used_keys(root: &Value, node: &Value, value: &Value, path: &str, used: &mut BTreeSet<String>) {
    let (node, path) = resolved(root, node, path);
    for (key, below) in node["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(key) {
            let key = format!("{path}/{key}");
            used_keys(root, below, value, &key, used);
            used.insert(key);
        }
    }
    for item in value.as_array().into_iter().flatten() {
        used_keys(root, &node["items"], item, &path, used);
    }
}

#[test]
fn every_shipped_file_is_as_its_schema_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = BTreeMap::new();
    for folder in ["rules", "tests/fixtures/explain"] {
        let read = RuleFolder::read(&root.join(folder)).expect("the folder can be read");
        let files = [
            ("bundle.json", read.bundle.into_iter().collect()),
            ("taxonomy.json", read.taxonomy.into_iter().collect()),
            ("pack.json", read.packs),
            ("policy.json", read.policies),
        ];
        for (name, files) in files {
            for file in files {
                let value = json_of(&file);
                let problems = problems(name, &value);
                assert!(problems.is_empty(), "{} against {name}: {problems:#?}", file.path);
                *checked.entry(name).or_insert(0) += 1;
                assert_modeline(&file, name);
            }
        }
    }
    assert_eq!(checked.len(), 4, "{checked:?}");
}

/// Editors find the schema by the first line; where a file has that line, it leads to its schema.
fn assert_modeline(file: &SourceFile, name: &str) {
    let Some(path) =
        file.text.lines().find_map(|l| l.strip_prefix("# yaml-language-server: $schema="))
    else {
        return;
    };
    let folder = Path::new(&file.path).parent().map(PathBuf::from).unwrap_or_default();
    let found = fs::canonicalize(folder.join(path));
    let found = found.unwrap_or_else(|error| panic!("{}: {path}: {error}", file.path));
    assert!(found.ends_with(Path::new("docs/schema").join(name)), "{}: {path}", file.path);
}

/// A file as JSON: plain numbers and booleans are typed, everything quoted is text.
fn json_of(file: &Arc<SourceFile>) -> Value {
    fn value(node: &Node) -> Value {
        match &node.kind {
            NodeKind::Scalar { text, plain, .. } => {
                let typed = serde_json::from_str(text).ok().filter(|v: &Value| !v.is_string());
                typed.filter(|_| *plain).unwrap_or_else(|| Value::from(text.as_str()))
            }
            NodeKind::Sequence(items) => items.iter().map(value).collect(),
            NodeKind::Mapping(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect()
            }
        }
    }
    let mut out = Diagnostics::default();
    value(&parse(file, &mut out).unwrap_or_else(|| panic!("{}: {out:?}", file.path)))
}

/// A rule and a row to put an unknown key into.
const PACK: &str = "pack: p\nrules:\n  - {id: a, category: spam, severity: 1, any: [buy now]}\n";
const POLICY: &str = "region: default\n";
const TAXONOMY: &str = "categories:\n  - {id: spam, definition: d}\n";

/// A schema, an object in it, and what a file holds besides its head, with a key that nobody knows.
const KEYS: [(&str, &str, &str); 38] = [
    ("pack.json", "", "rules: []\nqqqqqqqq: 1"),
    ("pack.json", "list", "lists: {l: {file: x.txt, qqqqqqqq: 1}}\nrules: []"),
    ("pack.json", "change", "rules: {rule: p/a, set: {severity: 2}, qqqqqqqq: 1}"),
    ("pack.json", "weaken", "rules: {rule: p/a, set: {severity: 2}, weaken: {qqqqqqqq: 1}}"),
    ("pack.json", "rule", "rules: {id: b, category: spam, severity: 1, any: [buy], qqqqqqqq: 1}"),
    (
        "pack.json",
        "keyedEntry",
        "rules: {id: b, category: spam, severity: 1, any: {word: x, qqqqqqqq: 1}}",
    ),
    (
        "pack.json",
        "keyedExample",
        "rules: {id: b, category: spam, severity: 1, any: buy, hit: {text: buy, qqqqqqqq: 1}}",
    ),
    (
        "pack.json",
        "choice",
        "rules: {id: b, category: spam, severity: 1, all: [{any: buy, qqqqqqqq: 1}]}",
    ),
    (
        "pack.json",
        "blastRadius",
        "rules: {id: b, category: spam, severity: 1, any: buy, blast_radius: {max: 1%, qqqqqqqq: 1}}",
    ),
    (
        "pack.json",
        "near",
        "rules: {id: b, category: spam, severity: 1, any: buy, near: {any_of: it, within: 3, qqqqqqqq: 1}}",
    ),
    (
        "pack.json",
        "condition",
        "rules: {id: b, category: spam, severity: 1, any: buy, when: {qqqqqqqq: 1}}",
    ),
    (
        "pack.json",
        "asked",
        "rules: {id: b, category: spam, severity: 1, any: buy, when: {links: {is: 1, qqqqqqqq: 1}}}",
    ),
    (
        "pack.json",
        "author",
        "rules: {id: b, category: spam, severity: 1, any: buy, hit: {text: buy, author: {qqqqqqqq: 1}}}",
    ),
    ("policy.json", "", "qqqqqqqq: 1"),
    (
        "policy.json",
        "condition",
        "rows: {id: r, category: spam, action: review, when: {qqqqqqqq: 1}}",
    ),
    (
        "policy.json",
        "asked",
        "rows: {id: r, category: spam, action: review, when: {links: {is: 1, qqqqqqqq: 1}}}",
    ),
    ("policy.json", "cell", "categories: {spam: {review: {severity: 1}, qqqqqqqq: 1}}"),
    ("policy.json", "bar", "categories: {spam: {review: {severity: 1, qqqqqqqq: 1}}}"),
    (
        "policy.json",
        "languageBars",
        "categories: {spam: {zh: {review: {score: 0.5}, qqqqqqqq: 1}}}",
    ),
    ("policy.json", "scoreBar", "categories: {spam: {zh: {review: {score: 0.5, qqqqqqqq: 1}}}}"),
    ("policy.json", "row", "rows: {id: r, category: spam, action: review, qqqqqqqq: 1}"),
    (
        "policy.json",
        "effective",
        "rows: {id: r, category: spam, action: review, effective: {qqqqqqqq: 1}}",
    ),
    (
        "policy.json",
        "legal",
        "rows: {id: r, category: spam, action: review, legal: {act: a, qqqqqqqq: 1}}",
    ),
    (
        "policy.json",
        "review",
        "rows: {id: r, category: spam, action: review, review: {qqqqqqqq: 1}}",
    ),
    (
        "policy.json",
        "statement",
        "rows: {id: r, category: spam, action: review, statement: {qqqqqqqq: 1}}",
    ),
    ("policy.json", "cap", "caps: {id: c, for: {category: spam}, at_most: review, qqqqqqqq: 1}"),
    (
        "policy.json",
        "capTarget",
        "caps: {id: c, for: {category: spam, qqqqqqqq: 1}, at_most: review}",
    ),
    ("policy.json", "test", "tests: {name: t, post: x, expect: {default: allow}, qqqqqqqq: 1}"),
    (
        "policy.json",
        "expectation",
        "tests: {name: t, post: x, expect: {default: {action: allow, qqqqqqqq: 1}}}",
    ),
    ("bundle.json", "", "qqqqqqqq: 1"),
    ("bundle.json", "/properties/models", "models: {qqqqqqqq: 1}"),
    (
        "bundle.json",
        "/properties/models/properties/shadow",
        "models: {shadow: {model: next, share: 5%, qqqqqqqq: 1}}",
    ),
    ("taxonomy.json", "", "categories: {id: spam, definition: d}\nqqqqqqqq: 1"),
    (
        "taxonomy.json",
        "umbrella",
        "umbrellas: {id: t, definition: d, qqqqqqqq: 1}\ncategories: {id: spam, definition: d}",
    ),
    ("taxonomy.json", "category", "categories: {id: spam, definition: d, qqqqqqqq: 1}"),
    (
        "taxonomy.json",
        "subcategory",
        "categories: {id: spam, definition: d, subcategories: {id: s, definition: d, qqqqqqqq: 1}}",
    ),
    ("taxonomy.json", "names", "categories: {id: spam, definition: d, names: {qqqqqqqq: 1}}"),
    ("taxonomy.json", "dsa", "categories: {id: spam, definition: d, names: {dsa: {qqqqqqqq: 1}}}"),
];

/// The file with its head.
fn in_file(name: &str, tail: &str) -> String {
    let head = match name {
        "pack.json" => "pack: p\n",
        "policy.json" => "region: default\n",
        _ => "",
    };
    format!("{head}{tail}\n")
}

#[test]
fn schemas_and_readers_know_the_same_keys() {
    let mut places: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, place, tail) in KEYS {
        let schema = schema(name);
        let pointer = match place {
            "" => String::new(),
            place if place.starts_with('/') => place.to_owned(),
            place => format!("/definitions/{place}"),
        };
        let keys = schema.pointer(&format!("{pointer}/properties")).and_then(Value::as_object);
        let keys = keys.unwrap_or_else(|| panic!("{name} has {pointer}"));
        let in_schema: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        let known = known_to_readers(name, &in_file(name, tail));
        let in_reader: BTreeSet<&str> = known.iter().map(String::as_str).collect();
        assert_eq!(in_schema, in_reader, "{name} {place}");
        places.entry(name).or_default().insert(pointer);
    }
    for (name, tried) in places {
        assert_eq!(closed_objects(&schema(name)), tried, "{name}: each closed object is tried");
    }
}

/// What the readers say they know, where the file holds a key that nobody knows.
fn known_to_readers(name: &str, text: &str) -> BTreeSet<String> {
    let file = |of: &str, usual: &str| {
        let text = if of == name { text } else { usual };
        Arc::new(SourceFile { path: of.to_owned(), text: text.to_owned() })
    };
    let folder = RuleFolder {
        bundle: Some(file("bundle.json", "regions: default\n")),
        taxonomy: Some(file("taxonomy.json", TAXONOMY)),
        packs: vec![file("pack.json", PACK)],
        policies: vec![file("policy.json", POLICY)],
        ..RuleFolder::default()
    };
    let sources = Sources { folders: &[folder], shipped_rules: true, models: None };
    let refused = load(&sources).expect_err("a key that nobody knows is refused");
    let sorted = refused.sorted();
    let unknown = sorted.iter().find(|d| d.code == "Y015" && d.message.contains("qqqqqqqq"));
    let unknown = unknown.unwrap_or_else(|| panic!("{text}: {refused:?}"));
    let help = unknown.help.as_deref().unwrap_or_default();
    let keys = help.strip_prefix("known here: ").unwrap_or_else(|| panic!("{text}: {help}"));
    keys.split(", ").map(str::to_owned).collect()
}

/// Where a schema lists all keys that may stand.
fn closed_objects(schema: &Value) -> BTreeSet<String> {
    fn walk(node: &Value, at: &str, found: &mut BTreeSet<String>) {
        if node["additionalProperties"] == false && node["properties"].is_object() {
            found.insert(at.to_owned());
        }
        for (key, below) in node.as_object().into_iter().flatten() {
            walk(below, &format!("{at}/{key}"), found);
        }
    }
    let mut found = BTreeSet::new();
    walk(schema, "", &mut found);
    found
}

#[test]
fn every_published_schema_is_named_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let files = fs::read_dir(folder).expect("the folder is there");
    let name = |file: Result<fs::DirEntry, _>| file.expect("an entry").file_name();
    let found: BTreeSet<String> =
        files.map(name).map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(found, NAMES.map(str::to_owned).into());
    for name in NAMES {
        assert!(jsonschema::meta::is_valid(&schema(name)), "{name} is a schema of its draft");
    }
}
