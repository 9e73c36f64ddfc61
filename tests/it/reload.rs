//! Files that change under a running worker: what is right comes into force without a restart, what
//! is wrong is seen and changes nothing, and no record is lost or repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::home::{AD, Home, emergency, pack};
use crate::support::kafka::{NewRecord, scratch};
use crate::support::mock::Mock;
use crate::support::process::poll_until;
use crate::support::scene::{PARTITIONS, SHORT_SESSION, SOON, Scene};
use crate::support::worker::Worker;

const TOPICS: [&str; 4] = ["posts", "decisions", "dead-letters", "reviews"];
const DRAIN: Duration = Duration::from_secs(40);

fn mock() -> Mock {
    let [posts, decisions, dead_letters, reviews] = TOPICS;
    Mock::start(&[(posts, PARTITIONS), (decisions, 2), (dead_letters, 1), (reviews, 1)])
}

/// A worker over a small home folder, and everything around it.
struct Gate<'k> {
    scene: Scene<'k>,
    worker: Worker,
    home: Home,
    folder: TempDir,
    sent: usize,
}

impl<'k> Gate<'k> {
    fn open(mock: &'k Mock, reload: &str) -> Self {
        let scene = Scene::with(mock.clients(), TOPICS.map(str::to_owned));
        let (home, folder) = (Home::with(3), scratch("reload"));
        let more = format!(
            "batch: {{max_records: 50}}\nadmin: {{listen: '127.0.0.1:0'}}\nreload: {reload}\n"
        );
        scene.config(folder.path(), SHORT_SESSION, &more);
        let worker = start(&home, &folder);
        Self { scene, worker, home, folder, sent: 0 }
    }

    fn restart(&mut self) {
        assert!(self.worker.terminate(DRAIN).success(), "{}", self.worker.stderr());
        self.worker = start(&self.home, &self.folder);
    }

    /// Sends so many posts with the text that the rule finds.
    fn send(&mut self, count: usize) {
        let post = |number| {
            let post = json!({"id": format!("post-{number}"), "text": AD});
            NewRecord::keyed(format!("author-{}", number % 7), post.to_string())
        };
        self.scene.produce((self.sent..self.sent + count).map(post));
        self.sent += count;
    }

    /// Sends one post and gives the decision about it.
    fn decide(&mut self) -> Value {
        self.send(1);
        let id = format!("post-{}", self.sent - 1);
        let scene = &self.scene;
        let mut found = None;
        self.worker.until("a decision", SOON, || {
            found = decisions(scene).into_iter().find(|decision| decision["post_id"] == *id);
            found.is_some()
        });
        found.expect("it was waited for")
    }

    fn action(&mut self) -> Value {
        self.decide()["action"].take()
    }

    /// What `/readyz?verbose` shows of the bundle, once `wanted` holds for it.
    fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let shown = poll_until(SOON, || {
            let report: Value =
                serde_json::from_str(&self.worker.operators_see("/readyz?verbose")?).ok()?;
            wanted(&report["bundle"]).then(|| report["bundle"].clone())
        });
        let last = || self.worker.operators_see("/readyz?verbose").unwrap_or_default();
        shown.unwrap_or_else(|| panic!("no {what}: {}\n{}", last(), self.worker.stderr()))
    }

    /// Waits until another bundle than this one is in force, and gives its hash.
    fn until_not(&mut self, hash: &str) -> String {
        let shown = self.until("other bundle", |bundle| bundle["in_force"] != *hash);
        shown["in_force"].as_str().expect("a hash").to_owned()
    }

    fn in_force(&mut self) -> String {
        self.until_not("")
    }

    fn metric(&self, series: &str) -> String {
        let page = self.worker.operators_see("/metrics").expect("it answers");
        let line = page.lines().find(|line| line.starts_with(&format!("{series} ")));
        line.and_then(|line| line.rsplit(' ').next()).unwrap_or_default().to_owned()
    }

    fn bundle(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .arg("bundle")
            .args(arguments)
            .arg("--config")
            .arg(self.folder.path().join("tidegate.yaml"))
            .output()
            .expect("the binary starts")
    }

    fn roll_back(&self, hash: &str) -> Output {
        let home = self.home.path().to_str().expect("a path of letters");
        self.bundle(&["rollback", hash, "--no-model", "--home", home])
    }

    /// Ends the worker and checks that each post has exactly one decision.
    fn end(mut self) -> Vec<Value> {
        let scene = &self.scene;
        self.worker.until("the positions behind every post", SOON, || scene.is_all_committed());
        assert!(self.worker.terminate(DRAIN).success(), "{}", self.worker.stderr());
        let decisions = decisions(&self.scene);
        let ids: BTreeSet<&str> =
            decisions.iter().map(|d| d["post_id"].as_str().expect("an id")).collect();
        assert_eq!((decisions.len(), ids.len()), (self.sent, self.sent), "lost or repeated");
        assert!(self.scene.dead_letters().is_empty());
        assert!(!self.worker.stderr().contains(AD), "no post's text in the log");
        decisions
    }
}

fn start(home: &Home, folder: &TempDir) -> Worker {
    Worker::start_with(&folder.path().join("tidegate.yaml"), |command| {
        command.arg("--no-model").arg("--home").arg(home.path());
    })
}

fn decisions(scene: &Scene<'_>) -> Vec<Value> {
    let json = |value: Option<Vec<u8>>| serde_json::from_slice(&value.expect("a value"));
    scene.decisions().into_iter().map(|record| json(record.value).expect("JSON")).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_rule_edited_under_a_running_worker_changes_decisions_and_a_mistake_changes_nothing() {
    let mock = mock();
    let mut gate = Gate::open(&mock, "{every: 20ms, settle: 60ms}");
    assert_eq!(gate.action(), "block");
    let first = gate.in_force();

    gate.home.write("packs/spam.yaml", &pack(1));
    let second = gate.until_not(&first);
    let decision = gate.decide();
    assert_eq!(
        (&decision["action"], &decision["versions"]["bundle"]),
        (&json!("review"), &json!(second))
    );

    let reason = |bundle: &Value, part: &str| bundle["refused"].to_string().contains(part);
    gate.home.write("packs/spam.yaml", &pack(1).replace("severity", "sevrity"));
    let shown = gate.until("refusal", |bundle| reason(bundle, "sevrity"));
    assert_eq!(shown["in_force"], second);
    assert!(reason(&shown, "packs/spam.yaml:5:5"), "{shown}");
    assert_eq!(gate.metric("tidegate_bundle_refused"), "1");
    assert_eq!(gate.action(), "review", "the old one decides");

    fs::rename(gate.home.rules(), gate.home.path().join("gone")).expect("it was there");
    gate.until("refusal", |bundle| reason(bundle, "there is no such folder"));
    assert_eq!(gate.action(), "review");
    let refusals = gate.worker.stderr().matches("the bundle was refused").count();
    assert_eq!(refusals, 2, "each is logged once: {}", gate.worker.stderr());

    let again = Home::with(3);
    fs::rename(again.rules(), gate.home.rules()).expect("one disk");
    gate.until("first bundle again", |bundle| bundle["in_force"] == *first);
    assert_eq!(gate.action(), "block");
    assert_eq!(gate.metric("tidegate_bundle_refused"), "0");
    assert_eq!(gate.metric(r#"tidegate_bundle_reloads_total{result="applied"}"#), "2");
    gate.end();
}

#[test]
fn a_rollback_holds_over_a_restart_until_it_is_released_and_sighup_reloads_at_once() {
    let mock = mock();
    let mut gate = Gate::open(&mock, "{watch: false, every: 20ms, settle: 20ms}");
    assert_eq!(gate.action(), "block");
    let first = gate.in_force();
    gate.home.write("packs/spam.yaml", &pack(1));
    gate.worker.hang_up();
    let second = gate.until_not(&first);
    assert_eq!(gate.action(), "review");

    let unknown = gate.roll_back("zzzz");
    assert_eq!(unknown.status.code(), Some(66), "{}", text(&unknown.stderr));
    let back = gate.roll_back(&first[..12]);
    assert!(back.status.success(), "{}", text(&back.stderr));
    let shown = gate.until("rollback", |bundle| bundle["in_force"] == *first);
    assert!(!shown["pinned"].is_null(), "{shown}");
    assert_eq!(gate.metric("tidegate_bundle_pinned"), "1");
    assert_eq!(gate.action(), "block");

    let list = text(&gate.bundle(&["list"]).stdout);
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with(&format!("* {}", &first[..12])), "{list}");
    assert!(lines[0].ends_with("in force, by a rollback"), "{list}");
    assert!(lines[1].contains(&second[..12]) && lines[1].contains("rolled back"), "{list}");
    let show = text(&gate.bundle(&["show", &second[..8]]).stdout);
    assert!(show.contains(&second) && show.contains("packs/spam.yaml"), "{show}");

    gate.restart();
    assert_eq!(gate.action(), "block", "the folders still hold what was rolled back");
    assert_eq!(gate.in_force(), first);
    assert!(gate.bundle(&["rollback", "--release"]).status.success());
    gate.until("release", |bundle| bundle["in_force"] == *second && bundle["pinned"].is_null());
    assert_eq!(gate.action(), "review");
    gate.end();
}

#[test]
fn an_emergency_file_weakens_a_rule_under_a_running_worker() {
    let mock = mock();
    let mut gate = Gate::open(&mock, "{every: 20ms, settle: 20ms}");
    assert_eq!(gate.action(), "block");
    let hours = |hours| (Timestamp::now() + SignedDuration::from_hours(hours)).to_string();

    gate.home.write("emergency.yaml", &emergency("review", &hours(-3), &hours(-1)));
    let lists = |bundle: &Value| !bundle["emergency"]["overrides"][0].is_null();
    gate.until("override", lists);
    assert_eq!(gate.action(), "block", "it is over by the post's time");

    gate.home.write("emergency.yaml", &emergency("review", &hours(-1), &hours(1)));
    let one = poll_until(SOON, || (gate.action() == "review").then_some(()));
    assert!(one.is_some(), "{}", gate.worker.stderr());
    assert_eq!(gate.decide()["degraded"], json!(["emergency_override"]));
    let uses = gate.metric(r#"tidegate_emergency_uses_total{rule="spam/ads"}"#);
    assert_eq!(uses, "2");

    gate.home.write("emergency.yaml", "overrides: [{rule: spam/ads, at_most: block}]\n");
    gate.until("refusal", |bundle| !bundle["emergency"]["refused"].is_null());
    assert_eq!(gate.metric("tidegate_emergency_refused"), "1");
    assert_eq!(gate.action(), "review", "the last good one holds");
    gate.end();
}

#[test]
fn a_hundred_reloads_under_load_lose_no_record_and_no_decision_is_made_of_two_bundles() {
    const RELOADS: u64 = 100;
    let mock = mock();
    let mut gate = Gate::open(&mock, "{every: 10ms, settle: 10ms}");
    let mut expected = BTreeMap::from([(gate.in_force(), "block")]);
    for number in 0..RELOADS {
        if number % 5 == 0 {
            gate.send(200);
        }
        let (severity, action) = if number % 2 == 0 { (1, "review") } else { (3, "block") };
        let title = format!("rules:\n  - title: change {number}\n    id: ads");
        gate.home.write("packs/spam.yaml", &pack(severity).replace("rules:\n  - id: ads", &title));
        let known: Vec<String> = expected.keys().cloned().collect();
        let is_new = |bundle: &Value| known.iter().all(|hash| bundle["in_force"] != **hash);
        let shown = gate.until("reload", is_new);
        expected.insert(shown["in_force"].as_str().expect("a hash").to_owned(), action);
    }
    let applied = gate.metric(r#"tidegate_bundle_reloads_total{result="applied"}"#);
    assert_eq!(applied, RELOADS.to_string());
    let mut used = BTreeSet::new();
    for decision in gate.end() {
        let bundle = decision["versions"]["bundle"].as_str().expect("a hash");
        assert_eq!(decision["action"], expected[bundle], "{bundle}");
        used.insert(bundle.to_owned());
    }
    assert!(used.len() > 2, "the reloads were under load: {}", used.len());
}
