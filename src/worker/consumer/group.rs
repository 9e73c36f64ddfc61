//! What a transaction needs of the consumer whose records it is about.
//!
//! Both questions go to the client's own thread, so another thread than the reading one may ask
//! them, even while the reading one serves a rebalance.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata},
    error::KafkaError,
    topic_partition_list::Offset as KafkaOffset,
};

use super::Context;
use crate::delivery::{Partition, Position};

/// Our membership in the group.
pub(in crate::worker) struct Group {
    client: Arc<BaseConsumer<Context>>,
    topic: String,
}

impl Group {
    /// The membership of the consumer of `topic`.
    pub(in crate::worker) fn new(client: &Arc<BaseConsumer<Context>>, topic: &str) -> Self {
        Self { client: Arc::clone(client), topic: topic.to_owned() }
    }

    /// Who we are in the group now, if we are in it. Kafka refuses positions from whoever is not that
    /// any more; so whoever asks this first and then finds a partition still held may commit for it.
    pub(in crate::worker) fn member(&self) -> Option<ConsumerGroupMetadata> {
        let member = self.client.group_metadata()?;
        // Asked after the loss, this may name nobody, whom the broker would not refuse; and the
        // reading thread may not have heard of the loss yet.
        (!self.client.assignment_lost()).then_some(member)
    }

    /// The positions that the group has. While a transaction with positions is being ended the
    /// broker lets us wait for them.
    pub(in crate::worker) fn committed(
        &self,
        partitions: impl Iterator<Item = Partition>,
        wait: Duration,
    ) -> Result<BTreeMap<Partition, Position>, KafkaError> {
        let mut list = TopicPartitionList::new();
        partitions.for_each(|partition| {
            list.add_partition(&self.topic, partition.0);
        });
        let answer = self.client.committed_offsets(list, wait)?;
        let mut positions = BTreeMap::new();
        for element in answer.elements() {
            element.error()?;
            if let KafkaOffset::Offset(next) = element.offset() {
                positions.insert(Partition(element.partition()), Position::committed(next));
            }
        }
        Ok(positions)
    }
}
