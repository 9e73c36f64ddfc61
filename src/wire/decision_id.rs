//! The identity of a decision: the same record always gives the same id.
//!
//! Redelivery repeats the id, so that consumers can drop repeats; a topic that was made anew gives
//! others, because the record's bytes are part of it.

use std::fmt;

use uuid::Uuid;

use crate::hash::ValueHasher;

/// Version of the way ids are made.
const SCHEME: &str = "v1";

/// Where a post came from.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// A Kafka record.
    Record {
        /// The configured name of the source.
        source: &'a str,
        /// The topic.
        topic: &'a str,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
        /// The record's value as it was read.
        value: &'a [u8],
    },
    /// Another door, with the post's JSON, keys sorted, no spaces.
    Direct {
        /// The canonical post.
        post: &'a str,
    },
}

/// The form of a post for [`Origin::Direct`]: its JSON with sorted keys and no spaces, so that the same
/// post has the same id however it was written.
///
/// Keys that nobody knows may hold what no JSON value can, such as numbers out of range; such a post is
/// its own canonical form.
pub fn canonical(post: &[u8]) -> String {
    match serde_json::from_slice::<serde_json::Value>(post) {
        Ok(value) => value.to_string(),
        Err(_) => String::from_utf8_lossy(post).trim().to_owned(),
    }
}

/// A decision's id: a UUID of version 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(Uuid);

impl DecisionId {
    /// The id of the decision about what came from `origin`.
    pub fn of(origin: Origin<'_>) -> Self {
        let hasher = ValueHasher::default().bytes(SCHEME);
        let hasher = match origin {
            Origin::Record { source, topic, partition, offset, value } => hasher
                .bytes(source)
                .bytes(topic)
                .integer(i64::from(partition).cast_unsigned())
                .integer(offset.cast_unsigned())
                .bytes(value),
            Origin::Direct { post } => hasher.bytes("direct").bytes(post),
        };
        Self(Uuid::new_v8(hasher.short()))
    }

    /// The id of something that belongs to this decision, such as a review job.
    #[must_use]
    pub fn derive(self, name: &str) -> Self {
        let hasher = ValueHasher::default().bytes(SCHEME).bytes(self.0.as_bytes()).bytes(name);
        Self(Uuid::new_v8(hasher.short()))
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for DecisionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(topic: &str, offset: i64, value: &[u8]) -> DecisionId {
        DecisionId::of(Origin::Record { source: "s", topic, partition: 3, offset, value })
    }

    #[test]
    fn the_same_record_has_the_same_id_and_every_part_matters() {
        assert_eq!(id("posts", 7, b"x"), id("posts", 7, b"x"));
        let others = [id("posts", 8, b"x"), id("post", 7, b"x"), id("posts", 7, b"y")];
        assert!(others.iter().all(|&other| other != id("posts", 7, b"x")));
    }

    #[test]
    fn a_post_is_the_same_however_it_is_written() {
        let tidy = canonical(br#"{"id":"1","text":"a"}"#);
        assert_eq!(canonical(b" {\"text\": \"a\",\n \"id\": \"1\"}\n"), tidy);
        assert_ne!(canonical(br#"{"id":"1","text":"b"}"#), tidy);
        let no_value = br#" {"id":"1","mood":1e999} "#;
        assert_eq!(canonical(no_value), r#"{"id":"1","mood":1e999}"#);
    }

    #[test]
    fn ids_are_the_promised_ones() {
        // A change of this value breaks every consumer that drops repeats by id.
        let text = id("posts", 7, br#"{"id":"1"}"#).to_string();
        assert_eq!(text.as_bytes()[14], b'8', "version 8: {text}");
    }
}
