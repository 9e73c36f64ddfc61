//! The description of the door is true: paths, methods, statuses, codes, limits, and the form of what
//! goes in and comes out.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tidegate::{
    http::{BODY_BYTES_MAX, DOCUMENT, POSTS_MAX},
    post::{Field, Operation, Surface, TriggerKind},
    telemetry::Instruments,
    wire::{ErrorCode, Limits, decode_post, error::MESSAGE_BYTES_MAX},
};

use crate::support::{
    http::{ask, live, moderate, open, settings},
    moderate,
};

fn document() -> Value {
    serde_json::from_str(DOCUMENT).expect("the document is JSON")
}

/// What a pointer names, references followed.
fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    let value = document.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => at(document, &reference[1..]),
        None => value,
    }
}

fn texts(value: &Value) -> BTreeSet<&str> {
    let items = value.as_array().expect("a list").iter();
    items.map(|item| item.as_str().expect("a text")).collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Everything about `value` that is not as `schema` says; the part of JSON Schema that is used here.
fn differences(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return differences(document, at(document, &reference[1..]), value, place);
    }
    let mut found = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{place}: {what}: {value}"));
        }
    };
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => panic!("the type {kind} is not known here"),
    };
    match schema.get("type") {
        Some(Value::String(kind)) => check(is(kind), kind),
        Some(kinds) => check(texts(kinds).into_iter().any(is), "one of the types"),
        None => {}
    }
    if let Some(allowed) = schema.get("enum") {
        check(allowed.as_array().expect("a list").contains(value), "one of the enum");
    }
    if let Some(constant) = schema.get("const") {
        check(constant == value, "the constant");
    }
    for (key, holds) in [("minimum", f64::le as fn(&f64, &f64) -> bool), ("maximum", f64::ge)] {
        if let (Some(limit), Some(number)) = (schema.get(key), value.as_f64()) {
            check(holds(&limit.as_f64().expect("a number"), &number), key);
        }
    }
    let length = value.as_array().map(Vec::len).or(value.as_str().map(str::len));
    for key in ["maxItems", "maxLength"] {
        if let (Some(limit), Some(length)) = (schema.get(key).and_then(Value::as_u64), length) {
            check(u64::try_from(length).is_ok_and(|length| length <= limit), key);
        }
    }
    if let Some(one_of) = schema.get("oneOf") {
        let fits = |schema: &&Value| differences(document, schema, value, place).is_empty();
        check(one_of.as_array().expect("a list").iter().filter(fits).count() == 1, "oneOf");
    }
    found.extend(differences_inside(document, schema, value, place));
    found
}

/// The same for the items of a list and the keys of an object.
fn differences_inside(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for (index, value) in values.iter().enumerate() {
            found.extend(differences(document, items, value, &format!("{place}/{index}")));
        }
    }
    if let Some(object) = value.as_object() {
        for key in schema.get("required").map(texts).into_iter().flatten() {
            if !object.contains_key(key) {
                found.push(format!("{place}: no {key}"));
            }
        }
        for (key, value) in object {
            let named = schema.get("properties").and_then(|properties| properties.get(key));
            match named.or(schema.get("additionalProperties")) {
                Some(Value::Bool(false)) => found.push(format!("{place}: {key} is not described")),
                Some(schema) if schema.is_object() => {
                    found.extend(differences(document, schema, value, &format!("{place}/{key}")));
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn it_is_served_as_it_is_shipped() {
    let door = open(&settings(), live(), &Arc::new(Instruments::new()));
    let answer = ask(door.address(), "GET /v1/openapi.json", &[], b"");
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "application/json"));
    assert_eq!(answer.body, DOCUMENT.as_bytes());
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn paths_and_methods_are_the_ones_that_answer() {
    let document = document();
    let door = open(&settings(), live(), &Arc::new(Instruments::new()));
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in ["get", "post", "put", "delete", "patch"] {
            let line = format!("{} {path}", method.to_ascii_uppercase());
            let status = ask(door.address(), &line, &[], b"").status;
            assert_eq!(methods.get(method).is_some(), status != 405, "{line}: {status}");
            assert_ne!(status, 404, "{line}");
        }
    }
}

#[test]
fn statuses_codes_and_limits_are_those_of_the_server() {
    let document = document();
    // A decision that a broker does not take is no matter of HTTP.
    let codes = ErrorCode::OF_RECORDS.into_iter().chain(ErrorCode::OF_REQUESTS);
    let codes: Vec<ErrorCode> = codes.filter(|code| *code != ErrorCode::DecisionTooLarge).collect();
    let names: BTreeSet<&str> = codes.iter().map(|code| code.as_str()).collect();
    let error = at(&document, "/components/schemas/Error/properties/error/properties");
    assert_eq!(texts(&error["code"]["enum"]), names);
    assert_eq!(error["message"]["maxLength"], MESSAGE_BYTES_MAX);

    let mut described = BTreeSet::from([200]);
    for (name, response) in document["components"]["responses"].as_object().expect("responses") {
        let status: u16 = name[1..].parse().expect("E and a status");
        described.insert(status);
        let schema = &response["content"]["application/json"]["schema"]["allOf"][1];
        let listed = texts(&schema["properties"]["error"]["properties"]["code"]["enum"]);
        let own: BTreeSet<&str> =
            codes.iter().filter(|c| c.http_status() == status).map(|c| c.as_str()).collect();
        assert_eq!(listed, own, "{status}");
    }
    let statuses: BTreeSet<u16> = codes.iter().map(|code| code.http_status()).collect();
    assert_eq!(described, &statuses | &BTreeSet::from([200]));
    let listed: BTreeSet<u16> = ["/paths/~1v1~1moderate/post", "/paths/~1v1~1openapi.json/get"]
        .iter()
        .flat_map(|pointer| keys(&at(&document, pointer)["responses"]))
        .map(|status| status.parse().expect("a status"))
        .collect();
    assert!(listed.is_subset(&described) && listed.len() >= described.len() - 1, "{listed:?}");

    let body = at(&document, "/paths/~1v1~1moderate/post/requestBody");
    assert_eq!(body["x-max-bytes"], BODY_BYTES_MAX);
    let list = &body["content"]["application/json"]["schema"]["oneOf"][1];
    assert_eq!(list["maxItems"], POSTS_MAX);
}

#[test]
fn a_post_with_every_described_key_is_understood() {
    let document = document();
    let post = at(&document, "/components/schemas/Post");
    let texts_of = |values: Vec<&'static str>| values.into_iter().collect::<BTreeSet<_>>();
    let properties = &post["properties"];
    assert_eq!(
        texts(&properties["surface"]["enum"]),
        texts_of(Surface::ALL.map(Surface::as_str).to_vec())
    );
    assert_eq!(
        texts(&properties["operation"]["enum"]),
        texts_of(Operation::ALL.map(Operation::as_str).to_vec())
    );
    let kinds = &properties["trigger"]["properties"]["kind"]["enum"];
    assert_eq!(texts(kinds), texts_of(TriggerKind::ALL.map(TriggerKind::as_str).to_vec()));
    let fields = &properties["fields"]["properties"];
    assert_eq!(keys(fields), texts_of(Field::ALL.map(Field::as_str).to_vec()));

    let time = "2026-01-01T00:00:00Z";
    let full = json!({
        "id": "1", "fields": {"title": "a", "body": ["b"], "tags": ["c"], "ocr": "d",
            "transcript": "e", "alt": "f", "links": ["https://example.org"]},
        "surface": "bio", "author": {"id": "a", "created_at": time, "trust": 0.5, "strikes": 1,
            "verified": true, "followers": 9, "region": "DE"},
        "region": "US", "audience": ["DE"], "language": "pt-BR", "created_at": time, "revision": 2,
        "operation": "edit", "trigger": {"kind": "order", "at": time, "ref": "x"},
        "human": {"text_hash": "h", "outcome": "allow", "rows": ["r"], "at": time, "until": time},
        "extra": {"k": true},
    });
    assert_eq!(differences(&document, post, &full, ""), [""; 0]);
    let mut named: BTreeSet<&str> = keys(&full);
    named.insert("text");
    assert_eq!(keys(properties), named, "this test names every key");
    for part in ["fields", "author", "trigger", "human"] {
        assert_eq!(keys(&full[part]), keys(&properties[part]["properties"]), "{part}");
    }
    let decoded = decode_post(full.to_string().as_bytes(), &Limits::default());
    assert_eq!(decoded.expect("it is a post").unknown_keys, 0);

    let examples = &at(&document, "/paths/~1v1~1moderate/post")["requestBody"]["content"]["application/json"]
        ["examples"];
    let door = open(&settings(), live(), &Arc::new(Instruments::new()));
    for example in keys(examples) {
        let answer = moderate(door.address(), examples[example]["value"].to_string().as_bytes());
        assert_eq!(answer.status, 200, "{example}");
    }
}

#[test]
fn answers_have_the_described_form() {
    let document = document();
    let door = open(&settings(), live(), &Arc::new(Instruments::new()));
    let schema = &at(&document, "/paths/~1v1~1moderate/post/responses/200")["content"]["application/json"]
        ["schema"];
    let body = br#"[{"id":"1","text":"hello","audience":["DE"]},{"id":7},
        {"id":"2","operation":"delete","revision":1}]"#;
    for body in [&body[..], br#"{"id":"1","text":"hello"}"#] {
        let answer = moderate(door.address(), body).json();
        assert_eq!(differences(&document, schema, &answer, ""), [""; 0]);
    }
    let error = at(&document, "/components/schemas/Error");
    let refused = moderate(door.address(), b"{}").json();
    assert_eq!(differences(&document, error, &refused, ""), [""; 0]);
    let wrong = json!({"error": {"code": "nothing", "message": "x", "more": 1}});
    assert_eq!(differences(&document, error, &wrong, "").len(), 2, "the comparison compares");

    // Rules, spans, reviews, laws, repeated texts: what the shipped rules say of evil posts.
    let posts = "\
        {\"id\":\"1\",\"text\":\"Sieg Heil! Telegram me, investment tips every day\",\"audience\":[\"DE\",\"US\",\"SG\"]}\n\
        {\"id\":\"2\",\"fields\":{\"tags\":[\"a\",\"New betting site, welcome bonus 200 %, claim with my code\"]},\"audience\":[\"SG\",\"DE\"]}\n";
    let output = moderate::moderate(&["--include-text"], posts.as_bytes());
    let decisions = moderate::lines(&output);
    let decision = at(&document, "/components/schemas/Decision");
    for answer in &decisions {
        assert_eq!(differences(&document, decision, answer, ""), [""; 0]);
    }
    let shown = json!(decisions).to_string();
    for key in ["legal", "reviews", "utf16_start", "index", "text"] {
        assert!(shown.contains(&format!("\"{key}\":")), "the posts bring {key}: {shown}");
    }
}
