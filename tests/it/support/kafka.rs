//! One real Apache Kafka node (`KRaft`, broker and controller in one JVM) that the tests start.
//!
//! Owns: the node's process, its ports, its folder, and plain ways to write to it and to read what
//! stands in it. Knows nothing of Tidegate: what it reads back is bytes.
//!
//! Most tests take [`Kafka::shared`] and a [`Kafka::topic`] of their own; a test that stops or
//! kills the node starts one for itself. Everything fails by panicking with what was waited for;
//! without Java or Kafka's jars that is a sentence on how to get them, never a skipped test.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use tempfile::TempDir;

use super::kafka_node::{
    BROKER_SESSION, controller_properties, format_in, java, server_properties, settings,
};
use super::process::{Process, poll_until};

/// A node is up in two or three seconds; a busy machine may need many more.
pub(super) const START: Duration = Duration::from_secs(90);
/// An orderly stop writes its logs out first.
const STOP: Duration = Duration::from_mins(1);
/// One question to a running node.
const ANSWER: Duration = Duration::from_secs(30);

/// A Kafka node. Dropping it kills it and removes its folder.
pub(crate) struct Kafka {
    // Before the folder, which must outlive them: fields are dropped in their order.
    process: Option<Process>,
    /// Who sees to the cluster while the broker is dead; most nodes do that themselves.
    controller: Option<Process>,
    folder: TempDir,
    port: u16,
    /// More listeners by their names.
    listeners: BTreeMap<&'static str, u16>,
}

/// What a node has beside its open listener.
#[derive(Default)]
pub(crate) struct Extras {
    /// Names and security protocols of more listeners.
    pub(crate) listeners: Vec<(&'static str, &'static str)>,
    /// More lines of its settings.
    pub(crate) properties: String,
    /// More arguments for whoever formats its folder.
    pub(crate) format: Vec<String>,
    /// The port that clients of the open listener are sent to, where it is not the listener's own.
    pub(crate) way: Option<u16>,
    /// Whether the controller is a process of its own, which does not die with the broker.
    pub(crate) controller_apart: bool,
}

/// A record to produce.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewRecord {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl NewRecord {
    /// A record with a key, a value and no headers.
    pub(crate) fn keyed(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self { key: Some(key.into()), value: Some(value.into()), headers: Vec::new() }
    }
}

/// A record as it stands in a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Kafka {
    /// The node that most tests share, started by the first of them.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Kafka> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A node of the caller's own, for a test that stops or kills it.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| Extras::default())
    }

    /// A node that clients are sent to by way of another port, on which somebody passes everything
    /// on to [`Self::address`].
    pub(crate) fn start_behind(way: u16) -> Self {
        Self::start_with(|_| Extras { way: Some(way), ..Extras::default() })
    }

    /// The same, with what `extras` makes in the node's folder.
    pub(crate) fn start_with(extras: impl FnOnce(&Path) -> Extras) -> Self {
        let folder = scratch("kafka");
        let mut ports = free_ports();
        let mut port = || ports.next().expect("one of ten thousand ports is free");
        let (open, controller) = (port(), port());
        let extras = extras(folder.path());
        let listeners = extras.listeners.iter().map(|(name, _)| (*name, port())).collect();
        let mut properties =
            server_properties(folder.path(), open, controller, &extras, &listeners);
        properties += &extras.properties;
        fs::write(settings(folder.path()), properties).expect("the scratch folder can be written");
        let mut kafka = Self { process: None, controller: None, folder, port: open, listeners };
        if extras.controller_apart {
            kafka.start_controller(controller);
            kafka.format(&["--no-initial-controllers"], &extras.format);
        } else {
            kafka.format(&["--standalone"], &extras.format);
        }
        kafka.restart();
        kafka
    }

    /// A node that others see die: they take its partitions away from it before it is back.
    pub(crate) fn start_watched() -> Self {
        Self::start_with(|_| Extras { controller_apart: true, ..Extras::default() })
    }

    /// Waits until those who watch a dead node have noticed.
    pub(crate) fn wait_missed(&self) {
        assert!(self.controller.is_some() && self.process.is_none(), "nobody watches a dead node");
        std::thread::sleep(2 * BROKER_SESSION);
    }

    fn start_controller(&mut self, port: u16) {
        let folder = self.folder.path().join("controller");
        fs::create_dir(&folder).expect("the scratch folder can be written");
        fs::write(settings(&folder), controller_properties(&folder, port))
            .expect("the scratch folder can be written");
        format_in(&folder, &["--standalone"], &[]);
        let mut command = java();
        command.arg("kafka.Kafka").arg(settings(&folder));
        self.controller = Some(Process::start("controller", &folder, &mut command));
    }

    /// A broker that somebody else runs on this port of this machine.
    pub(crate) fn at(port: u16) -> Self {
        let (folder, listeners) = (scratch("kafka"), BTreeMap::new());
        Self { process: None, controller: None, folder, port, listeners }
    }

    /// What clients of one of its further listeners connect to.
    pub(crate) fn address_of(&self, listener: &str) -> String {
        format!("127.0.0.1:{}", self.listeners[listener])
    }

    /// Its folder, which it is removed with.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What clients connect to.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops the node in an orderly way.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("the node runs");
        process.terminate();
        process.wait(STOP);
    }

    /// `kill -9`: what was not yet on disk may be lost, as in a crash.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("the node runs").kill();
    }

    /// The node stands still: connections stay open and nothing is answered.
    pub(crate) fn pause(&self) {
        self.process.as_ref().expect("the node runs").signal("STOP");
    }

    /// The node goes on.
    pub(crate) fn go_on(&self) {
        self.process.as_ref().expect("the node runs").signal("CONT");
    }

    /// Starts a stopped or killed node again, with its data and on its ports.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.is_none(), "the node runs already");
        let mut command = java();
        command.arg("kafka.Kafka").arg(settings(self.folder.path()));
        let mut process = Process::start("kafka", self.folder.path(), &mut command);
        let ready = poll_until(START, || {
            if self.is_ready() { Some(true) } else { process.ended().map(|_| false) }
        });
        assert!(
            ready == Some(true),
            "Kafka did not start; its last lines:\n{}",
            process.last_lines()
        );
        self.process = Some(process);
    }

    /// Creates a topic of this test's own, named after `stem`, and gives its name.
    pub(crate) fn topic(&self, stem: &str, partitions: i32) -> String {
        self.topic_with(stem, partitions, &[])
    }

    /// The same with one partition that takes no request over so many bytes.
    pub(crate) fn topic_taking(&self, stem: &str, bytes_max: usize) -> String {
        self.topic_with(stem, 1, &[("max.message.bytes", &bytes_max.to_string())])
    }

    fn topic_with(&self, stem: &str, partitions: i32, settings: &[(&str, &str)]) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{stem}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.create_topic(&name, partitions, settings);
        name
    }

    /// Creates a topic of exactly this name, and waits until it has a leader.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let admin: AdminClient<_> = self.client().create().expect("a client can be made");
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(ANSWER));
        let results = wait_for(admin.create_topics([&topic], &options)).expect("the node answers");
        for result in results {
            result.unwrap_or_else(|(name, code)| panic!("topic {name} not created: {code}"));
        }
        let led = self.wait_topics(|names| names.iter().any(|each| each == name));
        assert!(led, "topic {name} got no leader");
    }

    /// Deletes a topic with everything in it.
    pub(crate) fn delete_topic(&self, name: &str) {
        let admin: AdminClient<_> = self.client().create().expect("a client can be made");
        let options = AdminOptions::new().operation_timeout(Some(ANSWER));
        let results = wait_for(admin.delete_topics(&[name], &options)).expect("the node answers");
        for result in results {
            result.unwrap_or_else(|(name, code)| panic!("topic {name} not deleted: {code}"));
        }
        let gone = self.wait_topics(|names| names.iter().all(|each| each != name));
        assert!(gone, "topic {name} is still there");
    }

    /// The offset behind the last record of each partition.
    pub(crate) fn ends(&self, topic: &str) -> BTreeMap<i32, i64> {
        let reader = self.reader("tidegate-tests-reader");
        let end = |partition| {
            let (_, end) = reader
                .fetch_watermarks(topic, partition, ANSWER)
                .unwrap_or_else(|error| panic!("the end of {topic}: {error}"));
            (partition, end)
        };
        self.partitions(&reader, topic).into_iter().map(end).collect()
    }

    /// Produces `records` in order, idempotent and with `acks=all`; returns when all are stored.
    pub(crate) fn produce(&self, topic: &str, records: impl IntoIterator<Item = NewRecord>) {
        self.produce_at(None, topic, records);
    }

    /// The same with a time of their own, in milliseconds since 1970.
    pub(crate) fn produce_at(
        &self,
        timestamp: Option<i64>,
        topic: &str,
        records: impl IntoIterator<Item = NewRecord>,
    ) {
        let mut client = self.client();
        client.set("enable.idempotence", "true").set("linger.ms", "5");
        client.set("message.max.bytes", "20000000");
        let producer: ThreadedProducer<Reports> =
            client.create_with_context(Reports::default()).expect("a producer can be made");
        let mut sent = 0;
        for record in records {
            send(&producer, topic, (&record, timestamp));
            sent += 1;
        }
        let reports = producer.context();
        poll_until(ANSWER, || (reports.count() >= sent).then_some(()));
        let (stored, failed) = (&reports.stored, &reports.failed);
        let (stored, failed) = (stored.load(Ordering::SeqCst), failed.load(Ordering::SeqCst));
        assert_eq!((stored, failed), (sent, 0), "of {sent} records, (stored, failed)");
    }

    /// Everything that committed readers see in `topic`, by partition and offset.
    pub(crate) fn read_all(&self, topic: &str) -> Vec<StoredRecord> {
        let mut records = Vec::new();
        self.read_each(topic, |record| records.push(record));
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    }

    /// The same one by one, for topics that are too large to be held; in the order of each partition.
    pub(crate) fn read_each(&self, topic: &str, mut take: impl FnMut(StoredRecord)) {
        let reader = self.reader("tidegate-tests-reader");
        let mut open = self.partitions(&reader, topic);
        let mut from_start = TopicPartitionList::new();
        for &partition in &open {
            from_start
                .add_partition_offset(topic, partition, Offset::Beginning)
                .expect("the beginning is an offset");
        }
        reader.assign(&from_start).expect("partitions can be assigned");
        while !open.is_empty() {
            match reader.poll(ANSWER) {
                Some(Ok(record)) => take(stored(&record)),
                Some(Err(KafkaError::PartitionEOF(done))) => open.retain(|&p| p != done),
                Some(Err(error)) => panic!("reading {topic}: {error}"),
                None => panic!("{topic} has no end: a transaction is open in {open:?}"),
            }
        }
    }

    /// About how many records were written to `topic`: transactions and what marks their ends count
    /// too. Unlike reading, it comes to an end while somebody writes.
    pub(crate) fn written(&self, topic: &str) -> usize {
        let reader = self.reader("tidegate-tests-reader");
        let end = |partition| {
            reader.fetch_watermarks(topic, partition, ANSWER).expect("the node answers").1
        };
        let total: i64 = self.partitions(&reader, topic).into_iter().map(end).sum();
        usize::try_from(total).expect("a count")
    }

    /// The positions that `group` has committed in `topic`: for each partition the next offset to
    /// read. A partition without one is absent.
    pub(crate) fn committed(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        let reader = self.reader(group);
        let mut asked = TopicPartitionList::new();
        for partition in self.partitions(&reader, topic) {
            asked.add_partition(topic, partition);
        }
        // A coordinator that was just elected refuses at first.
        let answer = poll_until(ANSWER, || reader.committed_offsets(asked.clone(), ANSWER).ok());
        let answer = answer.expect("the coordinator answers");
        let positions =
            answer.elements().into_iter().filter_map(|element| match element.offset() {
                Offset::Offset(next) => Some((element.partition(), next)),
                _ => None,
            });
        positions.collect()
    }

    /// A client's settings for this node, for tests that talk to it in their own way.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.address());
        // A node that was just restarted is found again at once.
        client.set("reconnect.backoff.ms", "10").set("reconnect.backoff.max.ms", "200");
        client
    }

    fn reader(&self, group: &str) -> BaseConsumer {
        let mut client = self.client();
        client.set("group.id", group).set("enable.auto.commit", "false");
        client.set("isolation.level", "read_committed").set("enable.partition.eof", "true");
        client.create().expect("a consumer can be made")
    }

    fn partitions(&self, reader: &BaseConsumer, topic: &str) -> Vec<i32> {
        let metadata = reader.fetch_metadata(Some(topic), ANSWER).expect("the node answers");
        let found: Vec<i32> = metadata
            .topics()
            .iter()
            .flat_map(MetadataTopic::partitions)
            .map(MetadataPartition::id)
            .collect();
        assert!(!found.is_empty(), "{} has no topic {topic}", self.address());
        found
    }

    /// Does it answer, and does every partition have a leader?
    fn is_ready(&self) -> bool {
        self.topics().is_some()
    }

    /// Its topics, if it answers and every partition has a leader. What the controller has decided
    /// about a topic comes here a little later.
    fn topics(&self) -> Option<Vec<String>> {
        // librdkafka logs refused connections; a plain socket does not.
        TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let client: BaseConsumer = self.client().create().expect("a client can be made");
        let metadata = client.fetch_metadata(None, Duration::from_secs(2)).ok()?;
        let mut partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        let led = partitions.all(|partition| partition.leader() >= 0);
        let names = metadata.topics().iter().map(|topic| topic.name().to_owned()).collect();
        (led && !metadata.brokers().is_empty()).then_some(names)
    }

    fn wait_topics(&self, right: impl Fn(&[String]) -> bool) -> bool {
        let look = || self.topics().filter(|names| right(names));
        poll_until(ANSWER, look).is_some()
    }

    fn format(&self, kind: &[&str], more: &[String]) {
        format_in(self.folder.path(), kind, more);
    }
}

/// A folder that is removed when its owner is dropped, on the disk that holds the build.
pub(crate) fn scratch(name: &str) -> TempDir {
    tempfile::Builder::new()
        .prefix(&format!("{name}-"))
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("the target folder can be written")
}

#[derive(Default)]
struct Reports {
    stored: AtomicUsize,
    failed: AtomicUsize,
}

impl Reports {
    fn count(&self) -> usize {
        self.stored.load(Ordering::SeqCst) + self.failed.load(Ordering::SeqCst)
    }
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, report: &DeliveryResult<'_>, (): ()) {
        let counter = if report.is_ok() { &self.stored } else { &self.failed };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

fn send(
    producer: &ThreadedProducer<Reports>,
    topic: &str,
    (record, timestamp): (&NewRecord, Option<i64>),
) {
    let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
    for (key, value) in &record.headers {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    let mut next = BaseRecord::to(topic).headers(headers);
    next.key = record.key.as_deref();
    next.payload = record.value.as_deref();
    next.timestamp = timestamp;
    let mut next = Some(next);
    let queued = poll_until(ANSWER, || {
        match producer.send(next.take().expect("put back below, else done")) {
            Ok(()) => Some(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                next = Some(back);
                None
            }
            Err((error, _)) => panic!("{topic} takes no record: {error}"),
        }
    });
    assert!(queued.is_some(), "the queue of {topic} stayed full for {ANSWER:?}");
}

fn stored(record: &impl Message) -> StoredRecord {
    let owned = |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.map(Vec::from));
    StoredRecord {
        partition: record.partition(),
        offset: record.offset(),
        key: record.key().map(Vec::from),
        value: record.payload().map(Vec::from),
        headers: record.headers().map(|all| all.iter().map(owned).collect()).unwrap_or_default(),
    }
}

fn wait_for<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime can be made").block_on(answer)
}

/// Ports that nobody listens on, below the range that the system gives to outgoing
/// connections: a client that keeps trying a stopped node could otherwise meet itself there.
fn free_ports() -> impl Iterator<Item = u16> {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    // Test processes that run side by side begin at different places, and far enough apart.
    let own = u16::try_from(std::process::id() % u32::from(COUNT)).expect("COUNT is a u16");
    std::iter::repeat_with(move || {
        let next = own.wrapping_mul(197).wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        FIRST + next % COUNT
    })
    .take(COUNT.into())
    .filter(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
}
