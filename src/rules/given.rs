//! What a rule's test says of its post beside the text.
//!
//! A test that says nothing of it runs with every condition taken as true.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::file::Example;
use crate::{
    condition::Circumstances,
    post::{Author, Field, Part, Post, PostId, Region, Scalar, Surface},
    yaml::{Entry, Keys, Node, NodeKind, Reader},
};

/// The day on which tests are run: what they say of time is said in days before it.
const TODAY: Timestamp = Timestamp::UNIX_EPOCH;
/// Hours of a day.
const HOURS: i64 = 24;

/// What is known of a test's post.
#[derive(Debug, Clone, Default)]
pub struct Given {
    author: Author,
    region: Option<Region>,
    surface: Option<Surface>,
    extra: BTreeMap<String, Scalar>,
}

impl Given {
    /// Reads the keys of a test; nothing where none of them is there.
    pub(super) fn read(reader: &Reader<'_>, keys: &mut Keys<'_>) -> Option<Self> {
        let author = keys.take("author");
        let region = keys.take("region");
        let surface = keys.take("surface");
        let extra = keys.take("extra");
        if [author, region, surface, extra].iter().all(Option::is_none) {
            return None;
        }
        Some(Self {
            author: author.and_then(|node| read_author(reader, node)).unwrap_or_default(),
            region: region.and_then(|node| read_region(reader, node)),
            surface: surface.and_then(|n| reader.choice(n, &Surface::ALL, Surface::as_str)),
            extra: extra.map(|node| read_extra(reader, node)).unwrap_or_default(),
        })
    }

    /// Where the post stands, where the test says it.
    pub(super) fn surface(&self) -> Option<Surface> {
        self.surface
    }
}

fn read_author(reader: &Reader<'_>, node: &Node) -> Option<Author> {
    let mut keys = reader.keys(node)?;
    let age = keys.take("age_days").and_then(|n| reader.parsed::<u32>(n, "a number of days"));
    let made = |days: u32| TODAY.checked_sub(SignedDuration::from_hours(HOURS * i64::from(days)));
    let author = Author {
        id: keys.take("id").and_then(|node| reader.filled(node)).map(str::to_owned),
        created_at: age.and_then(|days| made(days).ok()),
        trust: keys.take("trust").and_then(|n| reader.parsed(n, "a number from 0 to 1")),
        strikes: keys.take("strikes").and_then(|n| reader.parsed(n, "a number")),
        verified: keys.take("verified").and_then(|node| reader.boolean(node)),
        followers: keys.take("followers").and_then(|n| reader.parsed(n, "a number")),
        region: keys.take("region").and_then(|node| read_region(reader, node)),
    };
    reader.finish(&keys);
    Some(author)
}

fn read_region(reader: &Reader<'_>, node: &Node) -> Option<Region> {
    reader.parsed(node, "a region such as DE")
}

fn read_extra(reader: &Reader<'_>, node: &Node) -> BTreeMap<String, Scalar> {
    let entries = reader.keys(node).map_or(&[][..], |keys| keys.entries());
    let scalar = |entry: &Entry| {
        let text = reader.text(&entry.value)?;
        let plain = matches!(entry.value.kind, NodeKind::Scalar { plain: true, .. });
        let value = match (text, text.parse()) {
            ("true" | "false", _) if plain => Scalar::Bool(text == "true"),
            (_, Ok(number)) if plain => Scalar::Number(number),
            _ => Scalar::Text(text.to_owned()),
        };
        Some((entry.key.clone(), value))
    };
    entries.iter().filter_map(scalar).collect()
}

impl Example {
    /// The post that the test is about, in the body.
    pub(super) fn post(&self, surface: Surface) -> Post {
        let id = PostId::new("test").expect("four bytes are an id");
        let part = Part { field: Field::Body, index: None, text: self.text.clone() };
        let given = self.given.as_deref().cloned().unwrap_or_default();
        Post {
            parts: vec![part],
            surface,
            author: given.author,
            region: given.region,
            extra: given.extra,
            ..Post::of_text(id, "")
        }
    }

    /// What is known of the post; nothing where the test says nothing, so that every condition holds.
    pub(super) fn circumstances<'p>(&self, post: &'p Post) -> Option<Circumstances<'p>> {
        let language = self.language.map(|tag| tag.language);
        self.given.as_ref().map(|_| Circumstances::new(post, Some(TODAY), language))
    }
}
