//! Faults of the posts: whatever authors and broken producers send.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::{Lab, SOON};
use crate::ledger::Expect;
use crate::support::kafka::NewRecord;
use crate::support::process::poll_until;

fn keyed(value: impl Into<Vec<u8>>) -> NewRecord {
    NewRecord::keyed("author", value)
}

/// One in a hundred becomes a dead letter; where all would, the breaker holds them back.
pub(crate) fn poison(lab: &mut Lab) {
    let kinds: [&[u8]; 5] =
        [b"{\"id\":\"1\",\"text\":", b"NaN", b"{\"id\":\"1\"} {}", b"{'id': 1}", b"not json"];
    let record = |number: usize| match number % 100 {
        0 => (keyed(kinds[number / 100 % kinds.len()]), Expect::Letter("invalid_json")),
        _ => (keyed(format!(r#"{{"id":"p-{number}","text":"hello"}}"#)), Expect::Decision),
    };
    lab.produce_these((0..lab.load(2_000)).map(record));
    let breaker = |command: &mut Command| {
        command.env("TIDEGATE__DEAD_LETTERS__BREAKER__IN_A_ROW", "20");
        command.env("TIDEGATE__DEAD_LETTERS__BREAKER__PROBE_EVERY", "100ms");
    };
    let mut worker = lab.worker_with(breaker);
    let so_far = lab.load(2_000);
    lab.wait_outputs(&mut worker, so_far);

    // All of them: the partition is held back, operators see it, and it flows again.
    lab.produce_these((0..60).map(|_| (keyed("not json"), Expect::Letter("invalid_json"))));
    let held =
        poll_until(SOON, || worker.metric("tidegate_held_partitions").filter(|count| *count > 0.0));
    lab.expect(held.is_some(), || "no partition was held back".to_owned());
    let ready = worker.operators_see("/readyz").unwrap_or_default();
    lab.expect(ready == "not ready\n", || format!("/readyz says {ready}"));
    let good = |number| keyed(format!(r#"{{"id":"again-{number}","text":"hello"}}"#));
    lab.produce_these((0..200).map(|number| (good(number), Expect::Decision)));
    lab.wait_outputs(&mut worker, so_far + 260);
    let ready =
        poll_until(SOON, || worker.operators_see("/readyz").filter(|answer| answer == "ready\n"));
    lab.expect(ready.is_some(), || "it never became ready again".to_owned());
    let errors = worker.stderr().matches("\"level\":\"ERROR\"").count();
    lab.expect(errors == 1, || format!("{errors} errors were logged: {}", worker.stderr()));
    lab.finish([worker]);
}

pub(crate) fn bytes(lab: &mut Lab) {
    let letter = |value: &[u8], code| (keyed(value), Expect::Letter(code));
    let no_value = NewRecord { key: Some(b"author".to_vec()), value: None, headers: vec![] };
    let no_key = NewRecord { key: None, value: Some(br#"{"id":"x"}"#.to_vec()), headers: vec![] };
    let odd_headers = NewRecord {
        headers: vec![("trace".into(), vec![0xff]), (String::new(), vec![])],
        ..keyed(r#"{"id":"headers","text":"hello"}"#)
    };
    lab.produce_these([
        letter(b"{\"id\":\"1\",\"text\":\"\xff\xfe\"}", "invalid_utf8"),
        letter(br#"{"id":"1","text":"\ud800"}"#, "invalid_json"),
        letter(b"\0\0\0\0", "invalid_json"),
        letter(b"", "invalid_json"),
        (no_value, Expect::Letter("empty")),
        (no_key, Expect::Decision),
        (NewRecord::keyed([0xff, 0x00], r#"{"id":"k","text":"hello"}"#), Expect::Decision),
        (keyed(r#"{"id":"nul","text":"a\u0000b\u0000c"}"#), Expect::Decision),
        (keyed(r#"{"id":"nothing","text":""}"#), Expect::Decision),
        (odd_headers, Expect::Decision),
    ]);
    lab.produce(200);
    let worker = lab.worker();
    lab.finish([worker]);
}

/// A claim check stands for what is too large to be copied.
pub(crate) fn huge(lab: &mut Lab) {
    let topic = lab.topics.posts.clone();
    lab.kafka().delete_topic(&topic);
    lab.kafka().create_topic(&topic, 2, &[("max.message.bytes", "12582912")]);
    lab.produce(100);
    let text = "x".repeat(10 << 20);
    let post = format!(r#"{{"id":"huge","text":"{text}"}}"#);
    lab.produce_these([(keyed(post), Expect::Letter("too_large"))]);
    lab.produce(100);
    let worker = lab.worker();
    lab.finish([worker]);
}

/// Nothing in JSON costs more than its bytes.
pub(crate) fn bombs(lab: &mut Lab) {
    let nested = format!(r#"{{"id":"n","text":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let keys: Vec<String> = (0..60_000).map(|number| format!(r#""k{number}":1"#)).collect();
    let keys = format!(r#"{{{},"id":"keys","text":"hello"}}"#, keys.join(","));
    let number = format!(r#"{{"id":"number","text":"hello","mood":{}}}"#, "9".repeat(900_000));
    let spaces = format!(r#"{{"id":"spaces",{}"text":"hello"}}"#, " ".repeat(900_000));
    lab.produce_these([
        (keyed(nested), Expect::Letter("too_deep")),
        (keyed(keys), Expect::Decision),
        (keyed(number), Expect::Decision),
        (keyed(spaces), Expect::Decision),
    ]);
    lab.produce(100);
    let worker = lab.worker();
    let began = Instant::now();
    lab.finish([worker]);
    let took = began.elapsed();
    lab.expect(took < Duration::from_mins(1), || format!("it took {took:?}"));
}

/// With all shipped rules: work per post stays in proportion to its length.
pub(crate) fn explosions(lab: &mut Lab) {
    let texts = [
        "a".repeat(64 << 10),
        "sex ".repeat(16 << 10),
        "z\u{0300}\u{0301}\u{0302}\u{0303}".repeat(6 << 10),
        "👩\u{200d}".repeat(8 << 10),
        "微信".repeat(10 << 10),
        "\u{202e}\u{200b}".repeat(10 << 10),
        "1l|I!".repeat(12 << 10),
    ];
    let post = |(number, text): (usize, &String)| {
        let post = serde_json::json!({"id": format!("slow-{number}"), "text": text});
        (keyed(post.to_string()), Expect::Decision)
    };
    lab.produce_these(texts.iter().enumerate().map(post));
    lab.produce(100);
    // The shipped rules are large, and so is a worker that holds them.
    lab.may_hold(1_500);
    let worker = lab.worker_at(Path::new(env!("CARGO_MANIFEST_DIR")), |command| {
        command.arg("--no-model");
    });
    lab.finish([worker]);
}

/// Every record has a decision and an id of its own, whatever id its post claims.
pub(crate) fn same_ids(lab: &mut Lab) {
    let record = |number: usize| {
        let text = if number.is_multiple_of(2) { "hello" } else { "please buy now" };
        (keyed(format!(r#"{{"id":"again","text":"{text}"}}"#)), Expect::Decision)
    };
    lab.produce_these((0..500).map(record));
    let worker = lab.worker();
    lab.finish([worker]);
}
