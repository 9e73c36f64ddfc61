//! The records of a topic from one offset to another, without a group.

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::Timestamp;
use rdkafka::{
    Message as _, Offset as KafkaOffset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::BorrowedMessage,
    metadata::MetadataTopic,
};

use super::LettersError;
use crate::{config::kafka::KafkaSettings, delivery::Header, worker::consumer::headers_of};

/// One question to the brokers.
const ASK: Duration = Duration::from_secs(15);
/// How long a partition may give nothing before its end.
const SILENCE: Duration = Duration::from_secs(30);

/// A record as it stands in a topic.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// When it was written.
    pub timestamp: Option<Timestamp>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers in order.
    pub headers: Vec<Header>,
}

// Keys and values are users' words and ids.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stored").field(&self.partition).field(&self.offset).finish()
    }
}

/// A topic that is read from.
pub struct LetterTopic {
    client: BaseConsumer,
    name: String,
    brokers: String,
    /// The first offset of each partition and the one behind its last, as they were when it was opened.
    ranges: BTreeMap<i32, (i64, i64)>,
}

impl LetterTopic {
    /// Opens a topic as it is now.
    pub fn open(kafka: &KafkaSettings, name: &str) -> Result<Self, LettersError> {
        let mut config = kafka.consumer();
        config.set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        let brokers = kafka.brokers.clone();
        let failed = |source| LettersError::Kafka { brokers: brokers.clone(), source };
        let client: BaseConsumer = config.create().map_err(failed)?;
        let metadata = client.fetch_metadata(Some(name), ASK).map_err(failed)?;
        let found = metadata.topics().iter().find(|topic| topic.name() == name);
        let partitions =
            found.filter(|topic| topic.error().is_none()).map(MetadataTopic::partitions);
        let Some(partitions) = partitions.filter(|partitions| !partitions.is_empty()) else {
            return Err(LettersError::NoTopic(name.to_owned()));
        };
        let mut ranges = BTreeMap::new();
        for partition in partitions {
            let range = client.fetch_watermarks(name, partition.id(), ASK).map_err(failed)?;
            ranges.insert(partition.id(), range);
        }
        Ok(Self { client, name: name.to_owned(), brokers, ranges })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives every record that stood there when it was opened, partition by partition.
    pub fn each(
        &self,
        mut take: impl FnMut(Stored) -> Result<(), LettersError>,
    ) -> Result<(), LettersError> {
        for (&partition, &(first, end)) in &self.ranges {
            let mut next = first;
            while next < end {
                match self.read(partition, next)? {
                    Some(record) if record.offset < end => {
                        next = record.offset + 1;
                        take(record)?;
                    }
                    // Behind the last record there may be marks of transactions only.
                    Some(_) | None => break,
                }
            }
        }
        Ok(())
    }

    /// The record at a place, if it is still there.
    pub fn at(&self, partition: i32, offset: i64) -> Result<Option<Stored>, LettersError> {
        let held = self.ranges.get(&partition);
        if held.is_none_or(|(first, end)| !(*first..*end).contains(&offset)) {
            return Ok(None);
        }
        Ok(self.read(partition, offset)?.filter(|record| record.offset == offset))
    }

    /// The first record from an offset on; nothing at the end of the partition.
    fn read(&self, partition: i32, offset: i64) -> Result<Option<Stored>, LettersError> {
        self.go_to(partition, offset).map_err(|source| self.failed(source))?;
        loop {
            match self.client.poll(SILENCE) {
                // What an earlier assignment left behind.
                Some(Ok(record)) if record.partition() != partition || record.offset() < offset => {
                }
                Some(Ok(record)) => return Ok(Some(stored(&record))),
                Some(Err(KafkaError::PartitionEOF(of))) if of == partition => return Ok(None),
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(source)) => return Err(self.failed(source)),
                None => return Err(LettersError::Silent(self.name.clone())),
            }
        }
    }

    /// Reads on where it is, and goes elsewhere only where it is not.
    fn go_to(&self, partition: i32, offset: i64) -> Result<(), KafkaError> {
        let position = self.client.position()?;
        let here = position.find_partition(&self.name, partition).map(|element| element.offset());
        if here == Some(KafkaOffset::Offset(offset)) {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, KafkaOffset::Offset(offset))?;
        self.client.assign(&list)
    }

    fn failed(&self, source: KafkaError) -> LettersError {
        LettersError::Kafka { brokers: self.brokers.clone(), source }
    }
}

fn stored(record: &BorrowedMessage<'_>) -> Stored {
    let timestamp = record.timestamp().to_millis();
    Stored {
        partition: record.partition(),
        offset: record.offset(),
        timestamp: timestamp.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        key: record.key().map(<[u8]>::to_vec),
        value: record.payload().map(<[u8]>::to_vec),
        headers: record.headers().map_or_else(Vec::new, headers_of),
    }
}
