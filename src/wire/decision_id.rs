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

/// A decision's id: a UUID of version 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(Uuid);

impl DecisionId {
    /// The id of the decision about what came from `origin`.
    pub fn of(origin: Origin<'_>) -> Self {
        let mut hasher = ValueHasher::default();
        hasher.bytes(SCHEME);
        match origin {
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
        let mut hasher = ValueHasher::default();
        hasher.bytes(SCHEME).bytes(self.0.as_bytes()).bytes(name);
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
    fn ids_are_the_promised_ones() {
        // A change of this value breaks every consumer that drops repeats by id.
        let text = id("posts", 7, br#"{"id":"1"}"#).to_string();
        assert_eq!(text.as_bytes()[14], b'8', "version 8: {text}");
    }
}
