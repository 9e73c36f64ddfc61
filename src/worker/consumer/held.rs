//! How the reader holds partitions back that yield only dead letters, and tries them again.

use std::time::{Duration, Instant};

use rdkafka::{
    TopicPartitionList,
    consumer::Consumer as _,
    error::KafkaError,
    topic_partition_list::{Offset as KafkaOffset, TopicPartitionListElem},
};

use super::{Flow, Reader};
use crate::{
    delivery::{Epoch, Partition, Place, Position},
    stop::{ExitCode, Stop},
    worker::breaker::Order,
};

/// How long the client may take to go to another position.
const SEEK: Duration = Duration::from_secs(5);

impl Reader {
    /// Does what the breaker asks for. While the stages behind are full, only what stops the flow.
    pub(super) fn serve_breaker(&self, flow: Flow) -> Result<(), Stop> {
        let breaker = self.partitions.breaker();
        let held = breaker.held();
        self.health.holds_back(held);
        self.instruments.held_partitions().set(i64::try_from(held).unwrap_or(i64::MAX));
        if held == 0 || flow != Flow::Flowing {
            return Ok(());
        }
        for order in breaker.orders(Instant::now()) {
            match order {
                Order::Hold(partition) => self.hold(partition),
                Order::Probe(partition, position) => self.probe(partition, position),
                Order::Flow(partition, position, epoch) => self.flow(partition, position, epoch)?,
                Order::GiveUp(partition) => {
                    let sentence = format!(
                        "partition {partition} of {} still yields only dead letters: the worker \
                         stops; mend the producer, or raise dead_letters.breaker",
                        self.topics.posts
                    );
                    return Err(Stop::new(ExitCode::TemporaryFailure, sentence));
                }
            }
        }
        Ok(())
    }

    /// Behind a probe nothing is read until it is known what became of it.
    pub(super) fn stop_behind_probe(&self, place: Place) {
        if self.partitions.breaker().is_probe(place) {
            self.stop_reading(place.partition);
        }
    }

    /// The assignment without the partitions that are held back.
    pub(super) fn without_held(&self, assignment: &TopicPartitionList) -> TopicPartitionList {
        let mut flowing = TopicPartitionList::new();
        for element in assignment.elements() {
            if !self.partitions.breaker().holds(Partition(element.partition())) {
                flowing.add_partition(element.topic(), element.partition());
            }
        }
        flowing
    }

    fn hold(&self, partition: Partition) {
        self.stop_reading(partition);
        tracing::error!(
            partition = partition.0,
            "too many records in a row, or of the last thousand, became dead letters: the partition \
             is held back and tried again now and then"
        );
    }

    fn stop_reading(&self, partition: Partition) {
        self.client.context().close_partition(partition);
        let list = self.list(partition);
        if let Err(error) = self.client.pause(&list) {
            // What still arrives has no epoch and is left out.
            tracing::warn!(%error, "a partition could not be paused");
        }
    }

    /// Reads one record under an epoch of its own.
    fn probe(&self, partition: Partition, position: Position) {
        let epoch = self.partitions.assign(partition);
        match self.read_from(partition, position) {
            Ok(()) => {
                self.partitions.breaker().probing(partition, epoch);
                self.client.context().open(partition, epoch);
                tracing::info!(partition = partition.0, "one record of a held partition is tried");
            }
            Err(error) => tracing::warn!(%error, "a held partition could not be tried"),
        }
    }

    fn flow(&self, partition: Partition, position: Position, epoch: Epoch) -> Result<(), Stop> {
        self.read_from(partition, position).map_err(|error| {
            let sentence = format!("partition {partition} could not be read on: {error}");
            Stop::new(ExitCode::TemporaryFailure, sentence)
        })?;
        self.client.context().open(partition, epoch);
        tracing::info!(partition = partition.0, "records become decisions again");
        Ok(())
    }

    fn read_from(&self, partition: Partition, position: Position) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        let next = KafkaOffset::Offset(position.get());
        list.add_partition_offset(&self.topics.posts, partition.0, next)?;
        let sought = self.client.seek_partitions(list, SEEK)?;
        sought.elements().iter().try_for_each(TopicPartitionListElem::error)?;
        self.client.resume(&self.list(partition))
    }

    fn list(&self, partition: Partition) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topics.posts, partition.0);
        list
    }
}
