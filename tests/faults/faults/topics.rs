//! Faults of topics: missing at start, missing later.

use std::thread;
use std::time::Duration;

use crate::lab::{BATCH, IN_FLIGHT, Lab, PARTITIONS};
use crate::ledger::Expect;
use crate::support::kafka::NewRecord;

/// One sentence and an exit code; once the topic is there, a restart begins with its first post.
pub(crate) fn posts(lab: &mut Lab) {
    let topic = lab.topics.posts.clone();
    lab.kafka().delete_topic(&topic);
    let mut worker = lab.worker();
    lab.ends_with(&mut worker, 78, &format!("the topic {topic} does not exist"));
    lab.kafka().create_topic(&topic, PARTITIONS, &[]);
    lab.produce(lab.load(500));
    let worker = lab.worker();
    lab.finish([worker]);
}

/// At start it is an error; in the middle the worker waits for the topic and loses nothing.
pub(crate) fn dead_letters(lab: &mut Lab) {
    let topic = lab.topics.dead_letters.clone();
    lab.kafka().delete_topic(&topic);
    let mut worker = lab.worker();
    lab.ends_with(&mut worker, 78, &format!("the topic {topic} does not exist"));
    lab.kafka().create_topic(&topic, 2, &[]);
    let good = |number: usize| {
        let json = format!(r#"{{"id":"good-{number}","text":"hello"}}"#);
        (NewRecord::keyed(format!("author-{}", number % 7), json), Expect::Decision)
    };
    lab.produce_these((0..200).map(good));
    let mut worker = lab.worker();
    lab.wait_outputs(&mut worker, 200);
    lab.kafka().delete_topic(&topic);
    let bad = (NewRecord::keyed("author-1", "no post"), Expect::Letter("invalid_json"));
    lab.produce_these([bad]);
    lab.produce_these((200..400).map(good));
    thread::sleep(Duration::from_secs(3));
    lab.expect(worker.ended().is_none(), || "it gave up at once".to_owned());
    lab.kafka().create_topic(&topic, 2, &[]);
    lab.allow_repeats(4 * BATCH * IN_FLIGHT);
    lab.finish([worker]);
}
