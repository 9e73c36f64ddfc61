//! A post as JSON, version 1.
//!
//! Decoding is strict about types and lenient about keys: a wrong type is an error with its path, an
//! unknown key is counted and ignored. Messages never repeat a value, because values are users' words.

use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData, str::FromStr};

use jiff::Timestamp;
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::error::{ErrorCode, WireError};
use crate::post::{
    AUDIENCE_MAX, Author, Field, HumanDecision, Operation, PARTS_MAX, Part, Post, PostId, Region,
    Scalar, Surface, TEXT_BYTES_MAX, Trigger, TriggerKind,
};

/// Most keys of `extra`.
const EXTRA_KEYS_MAX: usize = 64;
/// Longest text that is no content: ids, references, outcomes, texts of `extra`.
const LABEL_BYTES_MAX: usize = 1024;
/// Most rows that a standing human decision lifts.
const HUMAN_ROWS_MAX: usize = 64;

/// What input may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a record or line; checked before anything else.
    pub record_bytes: usize,
    /// Nesting of its JSON.
    pub json_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 1024 * 1024, json_depth: 64 }
    }
}

/// A post with what was noticed on the way.
#[derive(Debug)]
pub struct Decoded {
    /// The post.
    pub post: Post,
    /// How many keys nobody knows.
    pub unknown_keys: u64,
}

/// Decodes one post.
pub fn decode_post(bytes: &[u8], limits: &Limits) -> Result<Decoded, WireError> {
    if bytes.len() > limits.record_bytes {
        let message = format!("{} bytes, {} are allowed", bytes.len(), limits.record_bytes);
        return Err(WireError::new(ErrorCode::TooLarge, message));
    }
    let json = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("byte {} is not UTF-8", error.valid_up_to());
        WireError::new(ErrorCode::InvalidUtf8, message)
    })?;
    if depth(bytes) > limits.json_depth {
        let message = format!("nested deeper than {} levels", limits.json_depth);
        return Err(WireError::new(ErrorCode::TooDeep, message));
    }
    let mut unknown_keys = 0;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let parsed = serde_ignored::deserialize(&mut deserializer, |_| unknown_keys += 1);
    let parsed = parsed.and_then(|Object(post)| deserializer.end().map(|()| post));
    let raw: PostV1<'_> = parsed.map_err(|_| explain(json))?;
    let post_id = raw.id.clone().into_owned();
    let post = raw.check().map_err(|mut error| {
        error.post_id = (post_id.len() <= crate::post::POST_ID_BYTES_MAX).then_some(post_id);
        error
    })?;
    Ok(Decoded { post, unknown_keys })
}

/// Decodes a post that is a JSON value already, as tests in files are.
pub fn decode_value(value: &serde_json::Value) -> Result<Post, WireError> {
    let json = value.to_string();
    decode_post(json.as_bytes(), &Limits::default()).map(|decoded| decoded.post)
}

/// Nesting of a text that may be JSON, brackets inside strings left out.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Parses once more, slowly, to say where it went wrong; the path costs too much to keep always.
fn explain(json: &str) -> WireError {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let failed = serde_path_to_error::deserialize::<_, Object<PostV1<'_>>>(&mut deserializer).err();
    let (path, error) = match failed {
        Some(failed) => (failed.path().to_string(), failed.into_inner()),
        None => match deserializer.end() {
            Err(error) => (String::new(), error),
            Ok(()) => return WireError::new(ErrorCode::InvalidJson, "not a post"),
        },
    };
    let code = if error.is_data() { ErrorCode::InvalidSchema } else { ErrorCode::InvalidJson };
    let mut wire = WireError::new(code, without_values(&error));
    // The keys of `extra` are the platform's or a user's own words.
    let path = if path.starts_with("extra.") { "extra".to_owned() } else { path };
    wire.path = (error.is_data() && path != "." && path.len() <= LABEL_BYTES_MAX).then_some(path);
    wire.post_id = post_id(json);
    wire
}

/// What the parser said, without the value it said it about.
fn without_values(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(before, _)| before);
    match message.rfind("expected ") {
        Some(at) if error.is_data() => message[at..].to_owned(),
        _ if error.is_data() && message.starts_with("missing field") => message.to_owned(),
        _ if error.is_data() && message.starts_with("duplicate field") => message.to_owned(),
        _ if error.is_data() => "a value of another kind is expected".to_owned(),
        _ => format!("{message}, near character {} of its line {}", error.column(), error.line()),
    }
}

/// The id alone, for an error about the rest.
fn post_id(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    let Id { id } = serde_json::from_str(json).ok()?;
    PostId::new(&id).is_some().then_some(id)
}

/// A JSON object. A derived struct would also take a list, by the order of its fields: a guess.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

#[derive(Deserialize)]
struct PostV1<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    fields: Option<Object<FieldsV1<'a>>>,
    #[serde(borrow, default)]
    surface: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    author: Option<Object<AuthorV1<'a>>>,
    #[serde(borrow, default)]
    region: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    audience: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    language: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    created_at: Option<Cow<'a, str>>,
    #[serde(default)]
    revision: Option<u64>,
    #[serde(borrow, default)]
    operation: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    trigger: Option<Object<TriggerV1<'a>>>,
    #[serde(borrow, default)]
    human: Option<Object<HumanV1<'a>>>,
    #[serde(borrow, default)]
    extra: Option<BTreeMap<Cow<'a, str>, ScalarV1<'a>>>,
}

#[derive(Deserialize)]
struct FieldsV1<'a> {
    #[serde(borrow, default)]
    title: Option<TextsV1<'a>>,
    #[serde(borrow, default)]
    body: Option<TextsV1<'a>>,
    #[serde(borrow, default)]
    tags: Option<TextsV1<'a>>,
    #[serde(borrow, default)]
    ocr: Option<TextsV1<'a>>,
    #[serde(borrow, default)]
    transcript: Option<TextsV1<'a>>,
    #[serde(borrow, default)]
    alt: Option<TextsV1<'a>>,
    #[serde(borrow, default)]
    links: Option<TextsV1<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum TextsV1<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    Many(#[serde(borrow)] Vec<Cow<'a, str>>),
}

#[derive(Deserialize)]
struct AuthorV1<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    created_at: Option<Cow<'a, str>>,
    #[serde(default)]
    trust: Option<f64>,
    #[serde(default)]
    strikes: Option<u32>,
    #[serde(default)]
    verified: Option<bool>,
    #[serde(default)]
    followers: Option<u64>,
    #[serde(borrow, default)]
    region: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct TriggerV1<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow, default, rename = "ref")]
    reference: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct HumanV1<'a> {
    #[serde(borrow)]
    text_hash: Cow<'a, str>,
    #[serde(borrow)]
    outcome: Cow<'a, str>,
    #[serde(borrow, default)]
    rows: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    at: Cow<'a, str>,
    #[serde(borrow, default)]
    until: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected true, false, a number or a text")]
enum ScalarV1<'a> {
    Bool(bool),
    Number(f64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

impl PostV1<'_> {
    fn check(self) -> Result<Post, WireError> {
        let id = PostId::new(&self.id).ok_or_else(|| schema("id", "an id has 1 to 256 bytes"))?;
        let parts = parts(self.text, self.fields)?;
        let operation = choice("operation", self.operation, &Operation::ALL, Operation::as_str)?
            .unwrap_or_default();
        let revision = self.revision.unwrap_or(0);
        if operation != Operation::Create && revision == 0 {
            let message = "an edit or a delete says which revision it is, from 1";
            return Err(WireError::new(ErrorCode::MissingRevision, message).at("revision"));
        }
        Ok(Post {
            id,
            parts,
            surface: choice("surface", self.surface, &Surface::ALL, Surface::as_str)?
                .unwrap_or_default(),
            author: self
                .author
                .map(|Object(author)| author.check())
                .transpose()?
                .unwrap_or_default(),
            region: region("region", self.region)?,
            audience: self.audience.map(audience).transpose()?,
            language: label("language", self.language)?,
            created_at: time("created_at", self.created_at)?,
            revision,
            operation,
            trigger: self.trigger.map(|Object(trigger)| trigger.check()).transpose()?,
            human: self.human.map(|Object(human)| human.check()).transpose()?,
            extra: self.extra.map(extra).transpose()?.unwrap_or_default(),
        })
    }
}

impl AuthorV1<'_> {
    fn check(self) -> Result<Author, WireError> {
        if self.trust.is_some_and(|trust| !(0.0..=1.0).contains(&trust)) {
            return Err(schema("author.trust", "expected a number from 0 to 1"));
        }
        Ok(Author {
            id: label("author.id", self.id)?,
            created_at: time("author.created_at", self.created_at)?,
            trust: self.trust,
            strikes: self.strikes,
            verified: self.verified,
            followers: self.followers,
            region: region("author.region", self.region)?,
        })
    }
}

impl TriggerV1<'_> {
    fn check(self) -> Result<Trigger, WireError> {
        let kind = choice("trigger.kind", Some(self.kind), &TriggerKind::ALL, TriggerKind::as_str)?;
        Ok(Trigger {
            kind: kind.expect("a present value gives a choice or an error"),
            at: instant("trigger.at", &self.at)?,
            reference: label("trigger.ref", self.reference)?,
        })
    }
}

impl HumanV1<'_> {
    fn check(self) -> Result<HumanDecision, WireError> {
        if self.rows.len() > HUMAN_ROWS_MAX {
            return Err(schema("human.rows", "expected at most 64 rows"));
        }
        Ok(HumanDecision {
            text_hash: bounded("human.text_hash", self.text_hash)?,
            outcome: bounded("human.outcome", self.outcome)?,
            rows: self
                .rows
                .into_iter()
                .map(|row| bounded("human.rows", row))
                .collect::<Result<_, _>>()?,
            at: instant("human.at", &self.at)?,
            until: time("human.until", self.until)?,
        })
    }
}

/// The texts, sorted by field and place.
fn parts(
    text: Option<Cow<'_, str>>,
    fields: Option<Object<FieldsV1<'_>>>,
) -> Result<Vec<Part>, WireError> {
    let mut parts = Vec::new();
    if let Some(Object(fields)) = fields {
        let FieldsV1 { title, body, tags, ocr, transcript, alt, links } = fields;
        if text.is_some() && body.is_some() {
            return Err(schema("text", "expected `text` or `fields.body`, not both"));
        }
        let texts = [title, body, tags, ocr, transcript, alt, links];
        for (field, texts) in Field::ALL.into_iter().zip(texts) {
            match texts {
                None => {}
                Some(TextsV1::One(text)) => parts.push(part(field, None, text)),
                Some(TextsV1::Many(texts)) => {
                    for (index, text) in texts.into_iter().enumerate().take(PARTS_MAX + 1) {
                        parts.push(part(field, u16::try_from(index).ok(), text));
                    }
                }
            }
        }
    }
    if let Some(text) = text {
        let at = parts.iter().take_while(|part| part.field < Field::Body).count();
        parts.insert(at, part(Field::Body, None, text));
    }
    let bytes: usize = parts.iter().map(|part| part.text.len()).sum();
    if parts.len() > PARTS_MAX || bytes > TEXT_BYTES_MAX {
        return Err(schema("fields", "expected at most 256 texts of 16 MiB together"));
    }
    Ok(parts)
}

fn part(field: Field, index: Option<u16>, text: Cow<'_, str>) -> Part {
    Part { field, index, text: text.into_owned() }
}

fn audience(codes: Vec<Cow<'_, str>>) -> Result<Vec<Region>, WireError> {
    if codes.is_empty() || codes.len() > AUDIENCE_MAX {
        return Err(schema("audience", "expected 1 to 300 regions, or no audience at all"));
    }
    let regions = codes.into_iter().map(|code| {
        let region = region("audience", Some(code))?;
        Ok(region.expect("a present code gives a region or an error"))
    });
    regions.collect()
}

fn extra(
    values: BTreeMap<Cow<'_, str>, ScalarV1<'_>>,
) -> Result<BTreeMap<String, Scalar>, WireError> {
    if values.len() > EXTRA_KEYS_MAX {
        return Err(schema("extra", "expected at most 64 keys"));
    }
    let entries = values.into_iter().map(|(key, value)| {
        let value = match value {
            ScalarV1::Bool(value) => Scalar::Bool(value),
            ScalarV1::Number(value) => Scalar::Number(value),
            ScalarV1::Text(value) => Scalar::Text(bounded("extra", value)?),
        };
        Ok((bounded("extra", key)?, value))
    });
    entries.collect()
}

fn region(path: &str, code: Option<Cow<'_, str>>) -> Result<Option<Region>, WireError> {
    let parsed = code.map(|code| Region::from_str(&code)).transpose();
    parsed.map_err(|error| schema(path, &format!("expected a region: {error}")))
}

fn time(path: &str, text: Option<Cow<'_, str>>) -> Result<Option<Timestamp>, WireError> {
    text.map(|text| instant(path, &text)).transpose()
}

fn instant(path: &str, text: &str) -> Result<Timestamp, WireError> {
    let expected = "expected a time such as 2026-11-22T12:00:00Z";
    text.parse().map_err(|_| schema(path, expected))
}

fn label(path: &str, text: Option<Cow<'_, str>>) -> Result<Option<String>, WireError> {
    text.map(|text| bounded(path, text)).transpose()
}

fn bounded(path: &str, text: Cow<'_, str>) -> Result<String, WireError> {
    if text.len() > LABEL_BYTES_MAX {
        return Err(schema(path, "expected at most 1024 bytes"));
    }
    Ok(text.into_owned())
}

fn choice<T: Copy>(
    path: &str,
    word: Option<Cow<'_, str>>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, WireError> {
    let Some(word) = word else { return Ok(None) };
    let found = all.iter().copied().find(|&value| name(value) == word);
    let names = || all.iter().map(|&value| name(value)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| schema(path, &format!("expected one of {}", names())))
}

fn schema(path: &str, message: &str) -> WireError {
    WireError::new(ErrorCode::InvalidSchema, message).at(path)
}
