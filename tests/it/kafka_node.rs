//! The Kafka that the tests start is a real one: it stores, counts and survives.

use crate::support::kafka::{Kafka, NewRecord, StoredRecord};

const RECORDS: usize = 1_000;

#[test]
fn what_is_produced_is_read_back_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("smoke", 4);
    kafka.produce(&topic, (0..RECORDS).map(numbered));

    let records = kafka.read_all(&topic);

    assert_eq!(numbers(&records), (0..RECORDS).collect::<Vec<_>>());
    let spread = (0..4).map(|p| records.iter().filter(|r| r.partition == p).count());
    assert!(spread.into_iter().all(|count| count > 0), "four partitions share the keys");
}

#[test]
fn a_record_keeps_its_headers_and_its_lack_of_key_and_value() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("bare", 1);
    let headers = vec![("trace".to_owned(), b"abc".to_vec())];
    kafka.produce(&topic, [NewRecord { key: None, value: None, headers }]);

    let expected = StoredRecord {
        partition: 0,
        offset: 0,
        key: None,
        value: None,
        headers: vec![("trace".to_owned(), Some(b"abc".to_vec()))],
    };
    assert_eq!(kafka.read_all(&topic), [expected]);
}

#[test]
fn a_group_that_never_committed_has_no_position() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("unread", 2);
    assert!(kafka.committed("nobody", &topic).is_empty());
}

#[test]
fn records_survive_a_stop_and_a_kill() {
    let mut kafka = Kafka::start();
    let topic = kafka.topic("kept", 2);
    kafka.produce(&topic, (0..RECORDS).map(numbered));

    kafka.stop();
    kafka.restart();
    assert_eq!(kafka.read_all(&topic).len(), RECORDS);

    kafka.produce(&topic, (RECORDS..2 * RECORDS).map(numbered));
    kafka.kill();
    kafka.restart();
    assert_eq!(numbers(&kafka.read_all(&topic)), (0..2 * RECORDS).collect::<Vec<_>>());
}

fn numbered(n: usize) -> NewRecord {
    NewRecord::keyed(format!("key-{}", n % 50), n.to_string())
}

/// The numbers in the records' values, sorted.
fn numbers(records: &[StoredRecord]) -> Vec<usize> {
    let value = |record: &StoredRecord| String::from_utf8(record.value.clone()?).ok()?.parse().ok();
    let mut numbers: Vec<usize> = records.iter().filter_map(value).collect();
    numbers.sort_unstable();
    numbers
}
