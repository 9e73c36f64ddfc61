//! `tidegate serve` as users run it: it answers like `tidegate moderate`, loses nothing under load, and
//! ends in good order.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::{Command, ExitStatus},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    http::{Client, PATIENCE, ask, logged_address, moderate},
    moderate as lines,
    process::{Process, poll_until},
};

/// A debug build reads the shipped rules slowly.
const START: Duration = Duration::from_mins(3);
/// Clients of the load test, requests of each, posts of a request.
const LOAD: (usize, usize, usize) = (8, 20, 32);

/// A running `tidegate serve`. Dropping it kills it.
struct Served {
    // Before the folder, which must outlive it: fields are dropped in their order.
    process: Process,
    address: SocketAddr,
    admin: SocketAddr,
    _folder: TempDir,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a scratch folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command
            .args(["serve", "--no-model", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("TIDEGATE__ADMIN__LISTEN", "127.0.0.1:0")
            .env("TIDEGATE__HTTP__DEADLINE", "60s")
            .env("TIDEGATE__WORKER__DRAIN_DEADLINE", "60s");
        let mut process = Process::start("serve", folder.path(), &mut command);
        let told = poll_until(START, || {
            assert_eq!(process.ended(), None, "{}", process.last_lines());
            let log = process.stderr();
            let admin = logged_address(&log, "metrics and probes")?;
            Some((logged_address(&log, "moderation over HTTP")?, admin))
        });
        let (address, admin) =
            told.unwrap_or_else(|| panic!("it does not listen:\n{}", process.last_lines()));
        Self { process, address, admin, _folder: folder }
    }

    fn metric(&self, series: &str) -> usize {
        let page = ask(self.admin, "GET /metrics", &[], b"").body;
        let page = String::from_utf8(page).expect("text");
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("no {series}")).trim().parse().expect("a number")
    }

    fn terminate(mut self) -> (ExitStatus, String) {
        self.process.terminate();
        let status = self.process.wait(2 * PATIENCE);
        (status, self.process.stderr())
    }
}

fn post(number: usize) -> String {
    let text = match number % 4 {
        0 => "Good morning everyone, the tide is out",
        1 => "加 微 信 abc123 带你投资",
        2 => "Sieg Heil! 卐",
        _ => "DM me on telegram for guaranteed crypto returns",
    };
    format!(
        r#"{{"id":"post-{number}","text":"{text}","audience":["DE","US"],"created_at":"2026-01-01T00:00:00Z"}}"#
    )
}

fn without_times(mut decision: Value) -> Value {
    let object = decision.as_object_mut().expect("a decision is an object");
    for time in ["received_at", "decided_at"] {
        object.remove(time).expect("it says when");
    }
    decision
}

/// Sends the lists of one client, one after the other on one connection, and checks each answer.
fn client(address: SocketAddr, number: usize, expected: &[Value], decided: &AtomicUsize) {
    let (_, requests, posts) = LOAD;
    let mut client = Client::new(address);
    for request in 0..requests {
        let first = (number * requests + request) * posts;
        let ids: Vec<String> = (first..first + posts).map(|id| format!("post-{id}")).collect();
        let list: Vec<String> = (first..first + posts).map(post).collect();
        let answer = client.moderate(format!("[{}]", list.join(",")).as_bytes());
        assert_eq!(answer.status, 200, "within the limit nobody is turned away: {answer:?}");
        let answers = answer.json();
        let answers = answers.as_array().expect("a list");
        let told: Vec<&str> = answers.iter().filter_map(|d| d["post_id"].as_str()).collect();
        assert_eq!(told, ids, "every post is answered, in order");
        for (id, decision) in (first..).zip(answers) {
            assert_eq!(decision["verdicts"], expected[id % 4]["verdicts"], "{decision}");
        }
        decided.fetch_add(answers.len(), Ordering::Relaxed);
    }
}

#[test]
fn it_decides_like_moderate_and_loses_nothing_under_load() {
    let served = Served::start(&[]);
    assert_eq!(ask(served.admin, "GET /readyz", &[], b"").status, 200);
    assert_eq!(ask(served.admin, "GET /livez", &[], b"").status, 200);
    let report = ask(served.admin, "GET /readyz?verbose", &[], b"").json();
    assert_eq!(report["state"], "open");

    let posts: Vec<String> = (0..8).map(post).collect();
    let output = lines::moderate(&[], posts.join("\n").as_bytes());
    let expected: Vec<Value> = lines::lines(&output).into_iter().map(without_times).collect();
    let list = moderate(served.address, format!("[{}]", posts.join(",")).as_bytes()).json();
    let list: Vec<Value> =
        list.as_array().expect("a list").iter().cloned().map(without_times).collect();
    assert_eq!(list, expected);
    let alone = posts.iter().map(|post| moderate(served.address, post.as_bytes()).json());
    assert_eq!(alone.map(without_times).collect::<Vec<_>>(), expected);
    // The texts as well, but for the times: keys stand in the same order.
    let raw = String::from_utf8(moderate(served.address, posts[1].as_bytes()).body).expect("text");
    let line = String::from_utf8(output.stdout).expect("text");
    let line = line.lines().nth(1).expect("the second").to_owned();
    assert_eq!(times_cut(&raw), times_cut(&line));

    let decided = AtomicUsize::new(0);
    let (clients, requests, posts) = LOAD;
    thread::scope(|scope| {
        for number in 0..clients {
            let (address, expected, decided) = (served.address, &expected, &decided);
            scope.spawn(move || client(address, number, expected, decided));
        }
    });
    assert_eq!(decided.into_inner(), clients * requests * posts);
    let answered = served.metric("tidegate_http_posts_total{answer=\"decision\"}");
    assert_eq!(answered, clients * requests * posts + 17);
    assert_eq!(served.metric("tidegate_http_in_flight_requests"), 0);
    let (status, log) = served.terminate();
    assert!(status.success(), "{log}");
    assert!(!log.contains("Sieg") && !log.contains("telegram"), "no post's text in the log: {log}");
}

/// A decision's text up to its times.
fn times_cut(decision: &str) -> &str {
    let at = decision.find(",\"received_at\"").expect("it says when");
    &decision[..at]
}

#[test]
fn sigterm_lets_requests_in_flight_finish() {
    let served = Served::start(&["--no-default-rules"]);
    let text = "a long story of the tide ".repeat(160);
    let posts: Vec<String> =
        (0..250).map(|id| format!(r#"{{"id":"{id}","text":"{text}"}}"#)).collect();
    let body = format!("[{}]", posts.join(","));
    let address = served.address;
    let requests: Vec<_> = (0..4)
        .map(|_| {
            let body = body.clone();
            thread::spawn(move || moderate(address, body.as_bytes()))
        })
        .collect();
    let mut before = 0;
    let is_busy = || {
        before = served.metric("tidegate_http_requests_total{code=\"ok\",status=\"200\"}");
        (served.metric("tidegate_http_in_flight_requests") > 0).then_some(())
    };
    poll_until(PATIENCE, is_busy).expect("requests are in flight");
    let (status, log) = served.terminate();
    assert!(status.success(), "{log}");
    let mut counts = BTreeMap::new();
    for request in requests {
        let answer = request.join();
        // One that had not arrived when the door closed sees a closed connection.
        let count = answer.map_or(0, |answer| answer.json().as_array().map_or(0, Vec::len));
        *counts.entry(count).or_insert(0_usize) += 1;
    }
    assert!(counts.keys().all(|count| [0, 250].contains(count)), "whole or not at all: {counts:?}");
    assert!(counts.get(&250).is_some_and(|whole| *whole > before), "{counts:?}");
}

#[test]
fn a_port_that_is_taken_is_said_with_the_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["serve", "--no-model", "--no-default-rules", "--listen", &address])
        .env("TIDEGATE__ADMIN__LISTEN", "")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.contains("http.listen") && told.contains(&address), "{told}");
}

#[test]
fn an_empty_token_file_locks_nobody_in() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("token");
    std::fs::write(&file, " \n").expect("it is writable");
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["serve", "--no-model", "--no-default-rules", "--listen", "127.0.0.1:0"])
        .env("TIDEGATE__HTTP__TOKEN_FILE", &file)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("token"));
}
