//! A record as it was read.

use std::fmt;

use jiff::Timestamp;

use super::{Epoch, Offset, Partition};

/// Where a record comes from, under which holding of its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The partition.
    pub partition: Partition,
    /// The offset in it.
    pub offset: Offset,
    /// The holding it was read under.
    pub epoch: Epoch,
}

/// A header of a record: a name, and bytes or nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The name; names may repeat.
    pub name: String,
    /// The value.
    pub value: Option<Vec<u8>>,
}

impl Header {
    /// A header with a text as its value.
    pub fn text(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: Some(value.into().into_bytes()) }
    }

    /// The bytes it takes, without the few of its encoding.
    pub fn size(&self) -> usize {
        self.name.len() + self.value.as_ref().map_or(0, Vec::len)
    }
}

/// One record of the posts topic, owned.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it comes from.
    pub place: Place,
    /// The time Kafka has for it.
    pub timestamp: Option<Timestamp>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers in order.
    pub headers: Vec<Header>,
}

impl Record {
    /// Bytes of value, key and headers together.
    pub fn size(&self) -> usize {
        let bytes = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        bytes(&self.value) + bytes(&self.key) + self.headers.iter().map(Header::size).sum::<usize>()
    }
}

// Values, keys and headers hold users' words and ids: only sizes are shown.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("place", &self.place).field("bytes", &self.size()).finish()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("name", &self.name).field("bytes", &self.size()).finish()
    }
}
