//! `POST /v1/moderate`: what every request is answered with, and what clients cannot do to it.

use std::{
    io::Read as _,
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::Arc,
    thread,
    time::Duration,
};

use serde_json::json;
use tidegate::{
    http::{BODY_BYTES_MAX, Door, POSTS_MAX},
    telemetry::Instruments,
};

use crate::support::{
    http::{Client, Held, JSON, PATIENCE, ask, bundle_over, live, moderate, open, settings},
    process::poll_until,
};

/// A time that passes while a test waits for its end.
const SHORT: Duration = Duration::from_millis(250);

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

/// A request in flight on a thread of its own; gives status and code.
fn in_background(address: SocketAddr, body: &'static [u8]) -> thread::JoinHandle<(u16, String)> {
    thread::spawn(move || {
        let answer = moderate(address, body);
        let code = if answer.status == 200 { "ok".to_owned() } else { answer.code() };
        (answer.status, code)
    })
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    poll_until(PATIENCE, || done().then_some(())).unwrap_or_else(|| panic!("never: {what}"));
}

fn begins(held: &Held, posts: usize) {
    until("the pool begins", || held.begun().len() == posts);
}

fn are_in_flight(door: &Door, requests: usize) {
    let wanted = format!("\"requests_in_flight\": {requests}");
    until("they are in flight", || door.probes().report().contains(&wanted));
}

/// A post of exactly this many bytes.
fn padded(bytes: usize) -> Vec<u8> {
    let mut body = br#"{"id":"1","text":"hello"}"#.to_vec();
    body.resize(bytes, b' ');
    body
}

fn list(posts: usize) -> Vec<u8> {
    format!("[{}]", vec![r#"{"id":"1"}"#; posts].join(",")).into_bytes()
}

/// Request line, headers, body, status, code.
type Case = (&'static str, &'static [(&'static str, &'static str)], Vec<u8>, u16, &'static str);

fn cases() -> Vec<Case> {
    const POST: &str = "POST /v1/moderate";
    let deep = format!(r#"{{"id":"1","extra":{}1{}}}"#, "[".repeat(99), "]".repeat(99));
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (POST, &[JSON], text(r#"{"id":"1","text":"hello"}"#), 200, "ok"),
        (
            POST,
            &[("content-type", "Application/JSON; charset=utf-8")],
            text(r#"{"id":"1"}"#),
            200,
            "ok",
        ),
        (POST, &[JSON], text("[]"), 200, "ok"),
        (POST, &[JSON], text(r#"[{"id":7}]"#), 200, "ok"),
        (POST, &[JSON], list(POSTS_MAX), 200, "ok"),
        (POST, &[JSON], list(POSTS_MAX + 1), 413, "too_many_posts"),
        (POST, &[JSON], padded(BODY_BYTES_MAX), 200, "ok"),
        (POST, &[JSON], padded(BODY_BYTES_MAX + 1), 413, "too_large"),
        (POST, &[JSON], padded(4 * BODY_BYTES_MAX), 413, "too_large"),
        (POST, &[], text(r#"{"id":"1"}"#), 415, "unsupported_media_type"),
        (
            POST,
            &[("Content-Type", "text/plain")],
            text(r#"{"id":"1"}"#),
            415,
            "unsupported_media_type",
        ),
        (POST, &[JSON, ("Content-Encoding", "gzip")], text("x"), 415, "unsupported_media_type"),
        (POST, &[JSON], vec![], 400, "empty"),
        (POST, &[JSON], text("{"), 400, "invalid_json"),
        (POST, &[JSON], text(r#"[{"id":"1"}"#), 400, "invalid_json"),
        (POST, &[JSON], text(r#"{"id":"1"}{"id":"2"}"#), 400, "invalid_json"),
        (POST, &[JSON], b"{\"id\":\"\xff\"}".to_vec(), 400, "invalid_utf8"),
        (POST, &[JSON], text(&deep), 400, "too_deep"),
        (POST, &[JSON], text("{}"), 422, "invalid_schema"),
        (POST, &[JSON], text(r#"{"id":7}"#), 422, "invalid_schema"),
        (POST, &[JSON], text("7"), 422, "invalid_schema"),
        (POST, &[JSON], text(r#"{"id":"1","operation":"edit"}"#), 422, "missing_revision"),
        ("GET /v1/moderate", &[], vec![], 405, "method_not_allowed"),
        ("DELETE /v1/openapi.json", &[], vec![], 405, "method_not_allowed"),
        ("POST /v1/nothing", &[JSON], text(r#"{"id":"1"}"#), 404, "not_found"),
        ("GET /", &[], vec![], 404, "not_found"),
    ]
}

#[test]
fn every_request_has_its_status_and_code() {
    let cases = cases();
    let instruments = Arc::new(Instruments::new());
    let door = open(&settings(), live(), &instruments);
    for (line, headers, body, status, code) in &cases {
        let answer = ask(door.address(), line, headers, body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]);
        assert_eq!((answer.status, answer.code().as_str()), (*status, *code), "{line} {shown}");
        assert_eq!(answer.headers["content-type"], "application/json");
        let allowed = answer.headers.get("allow").map(String::as_str);
        match (*status, *line) {
            (405, "GET /v1/moderate") => assert_eq!(allowed, Some("POST")),
            (405, _) => assert_eq!(allowed, Some("GET,HEAD")),
            _ => assert_eq!(allowed, None),
        }
    }
    let page = instruments.render();
    for (_, _, _, status, code) in &cases {
        let count = cases.iter().filter(|case| case.4 == *code).count();
        let series = format!(
            "tidegate_http_requests_total{{code=\"{code}\",status=\"{status}\"}} {count}\n"
        );
        assert!(page.contains(&series), "{series} in\n{page}");
    }
    assert!(page.contains("tidegate_http_in_flight_requests 0\n"), "{page}");
}

#[test]
fn a_post_of_a_list_that_is_none_has_its_error_in_its_place() {
    let door = open(&settings(), live(), &Arc::new(Instruments::new()));
    let body = r#"[{"id":"a","text":"hello"}, {"id":7}, [], {"id":"b","audience":"US"}, "\ud800",
        {"id":"c","operation":"delete"}, {"id":"d","mood":{}}]"#;
    let answers = moderate(door.address(), body.as_bytes()).json();
    let told = answers.as_array().expect("a list").iter().map(|answer| {
        let error = &answer["error"];
        (
            answer["post_id"].clone(),
            error["code"].clone(),
            error["path"].clone(),
            error["post_id"].clone(),
        )
    });
    let none = || json!(null);
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (json!("a"), none(), none(), none()),
            (none(), json!("invalid_schema"), json!("id"), none()),
            (none(), json!("invalid_schema"), none(), none()),
            (none(), json!("invalid_schema"), json!("audience"), json!("b")),
            (none(), json!("invalid_json"), none(), none()),
            (none(), json!("missing_revision"), json!("revision"), json!("c")),
            (json!("d"), none(), none(), none()),
        ]
    );
}

#[test]
fn beyond_the_limit_a_request_is_turned_away_and_those_within_are_answered() {
    let held = Held::default();
    let mut settings = settings();
    (settings.threads, settings.in_flight) = (one(), NonZeroUsize::new(2).expect("two"));
    let door = held.open(&settings);
    let first = in_background(door.address(), br#"["first"]"#);
    begins(&held, 1);
    let second = in_background(door.address(), br#"["second"]"#);
    are_in_flight(&door, 2);
    let answer = moderate(door.address(), b"[\"third\"]");
    assert_eq!((answer.status, answer.code().as_str()), (503, "overloaded"));
    assert_eq!(answer.headers["retry-after"], "1");
    held.release();
    for request in [first, second] {
        assert_eq!(request.join().expect("answered"), (200, "ok".into()));
    }
    assert_eq!(moderate(door.address(), b"[\"fourth\"]").status, 200, "there is room again");
}

#[test]
fn a_request_whose_time_is_over_is_answered_and_not_begun() {
    let held = Held::default();
    let mut settings = settings();
    (settings.threads, settings.deadline) = (one(), Duration::from_secs(1));
    let door = held.open(&settings);
    let begun = in_background(door.address(), b"[1]");
    begins(&held, 1);
    let queued = in_background(door.address(), b"[2,3,4]");
    for request in [begun, queued] {
        assert_eq!(request.join().expect("answered"), (503, "deadline_exceeded".into()));
    }
    held.release();
    until("the pool works again", || moderate(door.address(), b"[5]").status == 200);
    assert!(!held.begun().contains(&"2".to_owned()), "nobody waits for it: {:?}", held.begun());
}

#[test]
fn a_request_whose_client_has_left_is_not_begun() {
    let held = Held::default();
    let mut settings = settings();
    settings.threads = one();
    let door = held.open(&settings);
    let first = in_background(door.address(), b"[1]");
    begins(&held, 1);
    let mut clients = Vec::new();
    for number in 2..10 {
        let mut client = Client::new(door.address());
        client.send("POST /v1/moderate", &[JSON], b"[2,3,4]").expect("the server reads");
        are_in_flight(&door, number);
        clients.push(client);
    }
    drop(clients);
    // The server sees a client's end when it looks: this request is answered after that.
    assert_eq!(ask(door.address(), "GET /v1/openapi.json", &[], b"").status, 200);
    held.release();
    assert_eq!(first.join().expect("answered").0, 200);
    assert_eq!(moderate(door.address(), b"[5]").status, 200);
    let begun = held.begun().iter().filter(|post| *post == "2").count();
    assert!(begun < 8, "nobody waited for any of them");
}

#[test]
fn slow_clients_are_cut_off() {
    let mut settings = settings();
    (settings.clients.head, settings.body) = (SHORT, SHORT);
    let door = open(&settings, live(), &Arc::new(Instruments::new()));
    for head in ["", "POST /v1/mod", "POST /v1/moderate HTTP/1.1\r\nHost: gate\r\n"] {
        let mut client = Client::new(door.address());
        client.write(head.as_bytes()).expect("the server reads");
        assert!(client.receive().is_none_or(|answer| answer.status == 408), "{head:?}");
    }
    let mut client = Client::new(door.address());
    let head = "POST /v1/moderate HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n";
    client.write(format!("{head}Content-Length: 100\r\n\r\n{{").as_bytes()).expect("it reads");
    let answer = client.receive().expect("a slow body is answered");
    assert_eq!((answer.status, answer.code().as_str()), (408, "request_timeout"));
    assert!(client.receive().is_none(), "the connection is closed");

    let mut idle = Client::new(door.address());
    assert_eq!(idle.moderate(br#"{"id":"1"}"#).status, 200);
    assert!(idle.receive().is_none(), "who asks nothing more is cut off");
}

#[test]
fn a_connection_has_a_life_and_its_number_a_limit() {
    let mut settings = settings();
    (settings.clients.life, settings.clients.connections) = (SHORT, 1);
    let door = open(&settings, live(), &Arc::new(Instruments::new()));
    let mut first = Client::new(door.address());
    assert_eq!(first.moderate(br#"{"id":"1"}"#).status, 200);
    let second = in_background(door.address(), br#"{"id":"1"}"#);
    assert!(first.receive().is_none(), "its life is over");
    assert_eq!(second.join().expect("it had to wait").0, 200);
}

#[test]
fn a_huge_head_is_refused() {
    let door = open(&settings(), live(), &Arc::new(Instruments::new()));
    let mut client = Client::new(door.address());
    let head = format!("POST /v1/moderate HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    // The server may close before it has read all of it.
    let _ = client.write(head.as_bytes());
    assert!(client.receive().is_none_or(|answer| answer.status == 431));
}

#[test]
fn a_bug_costs_its_own_request_alone() {
    let held = Held::default();
    held.release();
    let door = held.open(&settings());
    for _ in 0..4 {
        let answer = moderate(door.address(), b"\"bug\"");
        assert_eq!((answer.status, answer.code().as_str()), (500, "panic"));
        assert_eq!(moderate(door.address(), b"[\"fine\"]").json(), json!(["fine"]));
    }
    assert!(door.probes().is_ready() && door.probes().is_live());
}

#[test]
fn the_token_is_asked_for_everywhere() {
    let mut settings = settings();
    settings.token = Some("s3cret".into());
    let door = open(&settings, live(), &Arc::new(Instruments::new()));
    let lines = ["POST /v1/moderate", "GET /v1/openapi.json", "GET /v1/nothing"];
    for line in lines {
        for headers in [&[JSON][..], &[JSON, ("Authorization", "Bearer guess")]] {
            let answer = ask(door.address(), line, headers, br#"{"id":"1"}"#);
            assert_eq!((answer.status, answer.code().as_str()), (401, "unauthorized"), "{line}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    let right = [JSON, ("Authorization", "Bearer s3cret")];
    let statuses = lines.map(|line| ask(door.address(), line, &right, br#"{"id":"1"}"#).status);
    assert_eq!(statuses, [200, 200, 404]);
}

#[test]
fn another_bundle_is_followed_between_two_requests() {
    let live = live();
    let door = open(&settings(), Arc::clone(&live), &Arc::new(Instruments::new()));
    let mut client = Client::new(door.address());
    let bundle = |client: &mut Client| {
        let decision = client.moderate(br#"{"id":"1","text":"hello"}"#).json();
        (decision["versions"]["bundle"].clone(), decision["verdicts"][0]["regions"].clone())
    };
    let before = bundle(&mut client);
    let folder = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(folder.path().join("bundle.yaml"), "regions: [DE]\n").expect("it is writable");
    let next = bundle_over(Some(folder.path()));
    live.replace(Arc::clone(&next));
    let after = bundle(&mut client);
    assert_eq!(after, (json!(next.versions().bundle), json!(["DE"])));
    assert_ne!(before, after);
}

#[test]
fn a_door_that_closes_finishes_what_is_in_flight() {
    let held = Held::default();
    let door = held.open(&settings());
    let (address, probes) = (door.address(), door.probes());
    let request = in_background(address, b"[1,2,3]");
    begins(&held, 3);
    let closed = thread::spawn(move || door.close());
    until("nobody else is let in", || TcpStream::connect(address).is_err());
    assert!(!probes.is_ready());
    held.release();
    assert_eq!(request.join().expect("answered"), (200, "ok".into()));
    assert_eq!(closed.join().expect("it closes"), Ok(()));
}

#[test]
fn a_door_that_cannot_finish_closes_all_the_same() {
    let held = Held::default();
    let mut settings = settings();
    settings.drain = SHORT;
    let door: Door = held.open(&settings);
    let mut client = TcpStream::connect(door.address()).expect("it listens");
    let head = "POST /v1/moderate HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n";
    std::io::Write::write_all(
        &mut client,
        format!("{head}Content-Length: 3\r\n\r\n[1]").as_bytes(),
    )
    .expect("it reads");
    begins(&held, 1);
    let stop = door.close().expect_err("it was not finished");
    assert_eq!(stop.exit_code(), 75);
    let mut rest = Vec::new();
    // Cut off, in one way or the other, without an answer.
    let _ = client.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    held.release();
}
