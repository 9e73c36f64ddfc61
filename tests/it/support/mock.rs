//! librdkafka's own mock cluster, in this process: quick, and it fails on demand.
//!
//! Good for groups, outages and injected errors; it fakes transactions and keeps nothing on disk.

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::kafka::Kafka;

/// A mock cluster.
pub(crate) struct Mock {
    cluster: MockCluster<'static, DefaultProducerContext>,
    clients: Kafka,
}

impl Mock {
    /// A cluster with these topics, as (name, partitions).
    pub(crate) fn start(topics: &[(&str, i32)]) -> Self {
        Self::of_brokers(1, topics)
    }

    /// A cluster of several brokers with these topics, replicated to all of them.
    pub(crate) fn of_brokers(brokers: i32, topics: &[(&str, i32)]) -> Self {
        let cluster = MockCluster::new(brokers).expect("a mock cluster starts");
        for &(name, partitions) in topics {
            cluster.create_topic(name, partitions, brokers).expect("a topic can be made");
        }
        let address = cluster.bootstrap_servers();
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
        Self { cluster, clients: Kafka::at(port.expect("it listens on a port")) }
    }

    /// The cluster itself, for what only some tests ask of it.
    pub(crate) fn cluster(&self) -> &MockCluster<'static, DefaultProducerContext> {
        &self.cluster
    }

    /// Plain ways to write to it and to read from it.
    pub(crate) fn clients(&self) -> &Kafka {
        &self.clients
    }

    /// The next produce requests are answered with these errors, one each.
    pub(crate) fn refuse_produce(&self, errors: &[RDKafkaRespErr]) {
        self.cluster.request_errors(RDKafkaApiKey::Produce, errors);
    }

    /// The next commits are answered with these errors, one each.
    pub(crate) fn refuse_commits(&self, errors: &[RDKafkaRespErr]) {
        self.cluster.request_errors(RDKafkaApiKey::OffsetCommit, errors);
    }

    /// From now on nobody may use this topic.
    pub(crate) fn deny_topic(&self, topic: &str) {
        let denied = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
        self.cluster.topic_error(topic, denied).expect("a topic can be denied");
    }

    /// The broker is gone.
    pub(crate) fn down(&self) {
        self.cluster.broker_down(-1).expect("a broker can go");
    }

    /// The broker is back, with its data.
    pub(crate) fn up(&self) {
        self.cluster.broker_up(-1).expect("a broker can come back");
    }
}
