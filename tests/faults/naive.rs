//! A worker as one writes it in an afternoon, with a well-known mistake each: what the checker must
//! catch. It lives in this binary alone and runs as a process of its own.

use std::process::ExitCode;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::message::{Message as _, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::json;

/// The first argument that makes this binary such a worker.
pub(crate) const ROLE: &str = "naive-worker";

/// The mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Positions are committed when records are handed out, not when they are done.
    CommitFirst,
    /// The committed position is one too high.
    OffByOne,
    /// Decisions are written in another order than the posts.
    Unordered,
    /// Decisions carry a random id.
    FreshIds,
}

impl Mistake {
    pub(crate) const ALL: [Self; 4] =
        [Self::CommitFirst, Self::OffByOne, Self::Unordered, Self::FreshIds];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CommitFirst => "commit-first",
            Self::OffByOne => "off-by-one",
            Self::Unordered => "unordered",
            Self::FreshIds => "fresh-ids",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mistake| mistake.name() == name)
    }
}

/// Works until it is killed: `<mistake> <brokers> <group> <posts> <decisions>`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let [mistake, brokers, group, posts, decisions] = arguments else {
        return ExitCode::FAILURE;
    };
    let Some(mistake) = Mistake::of(mistake) else { return ExitCode::FAILURE };
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers);
    let producer: BaseProducer = client.create().expect("a producer can be made");
    client.set("group.id", group).set("auto.offset.reset", "earliest");
    client.set("enable.auto.commit", "false").set("session.timeout.ms", "1500");
    client.set("heartbeat.interval.ms", "200");
    let consumer: BaseConsumer = client.create().expect("a consumer can be made");
    consumer.subscribe(&[posts]).expect("it can subscribe");
    // What a worker that commits first has committed and not yet done.
    let mut held: Vec<OwnedMessage> = Vec::new();
    for number in 0_u64.. {
        let mut batch: Vec<OwnedMessage> = Vec::new();
        while batch.len() < 50 {
            match consumer.poll(Duration::from_millis(50)) {
                Some(Ok(post)) => batch.push(post.detach()),
                Some(Err(_)) => {}
                None => break,
            }
        }
        // Whenever a kill comes, its mistake must show: one always holds a batch back, and one
        // commits once only, so that a kill repeats much.
        if mistake == Mistake::CommitFirst {
            commit(&consumer, posts, &batch, 1);
            batch = std::mem::replace(&mut held, batch);
        }
        if batch.is_empty() {
            continue;
        }
        work(mistake, &batch, (&producer, decisions));
        match mistake {
            Mistake::OffByOne => commit(&consumer, posts, &batch, 2),
            Mistake::Unordered => commit(&consumer, posts, &batch, 1),
            Mistake::FreshIds if number == 3 => commit(&consumer, posts, &batch, 1),
            Mistake::FreshIds | Mistake::CommitFirst => {}
        }
    }
    ExitCode::SUCCESS
}

fn work(mistake: Mistake, batch: &[OwnedMessage], (producer, decisions): (&BaseProducer, &str)) {
    // Deciding takes its time.
    std::thread::sleep(Duration::from_millis(40));
    let mut order: Vec<&OwnedMessage> = batch.iter().collect();
    if mistake == Mistake::Unordered {
        order.reverse();
    }
    for post in order {
        let decision = decide(post, mistake);
        let key = post.key().unwrap_or_default();
        let record = BaseRecord::to(decisions).key(key).payload(&decision);
        producer.send(record).expect("the queue has room");
    }
    producer.flush(Duration::from_secs(30)).expect("the broker is there");
}

fn commit(consumer: &BaseConsumer, topic: &str, batch: &[OwnedMessage], beyond: i64) {
    let mut positions = TopicPartitionList::new();
    for post in batch {
        let next = Offset::Offset(post.offset() + beyond);
        let found = positions.find_partition(topic, post.partition()).is_some();
        let put = if found {
            positions.set_partition_offset(topic, post.partition(), next)
        } else {
            positions.add_partition_offset(topic, post.partition(), next)
        };
        put.expect("it is an offset");
    }
    // While others join, a commit may be refused; the next one holds it too.
    let _ = consumer.commit(&positions, CommitMode::Sync);
}

fn decide(post: &OwnedMessage, mistake: Mistake) -> String {
    let (partition, offset) = (post.partition(), post.offset());
    let value: serde_json::Value =
        serde_json::from_slice(post.payload().unwrap_or_default()).unwrap_or_default();
    let id = match mistake {
        Mistake::FreshIds => format!("{partition}-{offset}-{}", std::process::id()),
        Mistake::CommitFirst | Mistake::OffByOne | Mistake::Unordered => {
            format!("{partition}-{offset}")
        }
    };
    let source = json!({"topic": post.topic(), "partition": partition, "offset": offset});
    json!({"id": id, "post_id": value["id"], "source": source}).to_string()
}
