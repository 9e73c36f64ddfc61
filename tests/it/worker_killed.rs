//! The program itself against a real Kafka: killed, it loses nothing; asked to stop, it repeats
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::kafka::{Kafka, NewRecord, scratch};
use crate::support::worker::Worker;

const PARTITIONS: i32 = 4;
/// A killed worker's partitions are free after its session; a debug build on a busy machine decides
/// some hundred posts a second.
const PATIENCE: Duration = Duration::from_mins(5);
const STOP: Duration = Duration::from_mins(1);

#[test]
fn three_kills_lose_no_post_and_repeat_only_the_same_decisions() {
    let scene = Scene::new("killed");
    let posts = 20_000;
    scene.produce(posts);
    for killed_after in [2_000, 6_000, 10_000] {
        let mut worker = scene.worker();
        scene.wait_for_decisions(&mut worker, killed_after);
        worker.kill();
        assert!(scene.lag(posts) > 0, "killed in the middle, not at the end");
    }
    let mut last = scene.worker();
    last.until("a decision on every post", PATIENCE, || {
        scene.kafka.written(&scene.decisions) >= posts && scene.lag(posts) == 0
    });
    let status = last.terminate(STOP);
    assert!(status.success(), "{status}: {}", last.stderr());

    let decisions = scene.decision_ids();
    assert_eq!(decisions.len(), posts, "posts with a decision");
    let different: Vec<_> = decisions.iter().filter(|(_, ids)| ids.len() != 1).collect();
    assert_eq!(different, [], "posts whose decisions have different ids");
    assert_eq!(scene.kafka.written(&scene.dead_letters), 0, "dead letters");
}

#[test]
fn an_orderly_stop_in_the_middle_repeats_no_decision() {
    let scene = Scene::new("stopped");
    let posts = 4_000;
    scene.produce(posts);
    let mut first = scene.worker();
    scene.wait_for_decisions(&mut first, 1_000);
    let status = first.terminate(STOP);
    assert!(status.success(), "{status}: {}", first.stderr());

    let mut second = scene.worker();
    scene.wait_for_decisions(&mut second, posts);
    let status = second.terminate(STOP);
    assert!(status.success(), "{status}: {}", second.stderr());

    assert_eq!(scene.kafka.written(&scene.decisions), posts, "decisions, repeats included");
    assert_eq!(scene.decision_ids().len(), posts, "posts with a decision");
    assert_eq!(scene.lag(posts), 0);
}

/// Topics and a configuration of one test's own, on the shared node.
struct Scene {
    kafka: &'static Kafka,
    group: &'static str,
    posts: String,
    decisions: String,
    dead_letters: String,
    config: PathBuf,
    _folder: TempDir,
}

impl Scene {
    fn new(name: &'static str) -> Self {
        let kafka = Kafka::shared();
        let [posts, decisions, dead_letters] = ["posts", "decisions", "dead"]
            .map(|stem| kafka.topic(&format!("{name}-{stem}"), PARTITIONS));
        let folder = scratch(name);
        let config = folder.path().join("tidegate.yaml");
        let scene =
            Self { kafka, group: name, posts, decisions, dead_letters, config, _folder: folder };
        scene.write_config(&scene.config);
        scene
    }

    fn write_config(&self, path: &Path) {
        let Self { group, posts, decisions, dead_letters, .. } = self;
        let brokers = self.kafka.address();
        let config = format!(
            "\
source: {{name: tests}}
kafka:
  brokers: {brokers}
  group: {group}
  librdkafka: {{session.timeout.ms: 2000, heartbeat.interval.ms: 200}}
topics: {{posts: {posts}, decisions: {decisions}, dead_letters: {dead_letters}}}
batch: {{max_records: 200}}
admin: {{listen: '127.0.0.1:0'}}
"
        );
        fs::write(path, config).expect("the scratch folder can be written");
    }

    fn produce(&self, posts: usize) {
        let post = |n: usize| {
            let value = format!(r#"{{"id":"{n}","text":"post {n}: see you at the harbour"}}"#);
            NewRecord::keyed(format!("author-{}", n % 500), value)
        };
        self.kafka.produce(&self.posts, (0..posts).map(post));
    }

    /// The classifier has tests of its own.
    fn worker(&self) -> Worker {
        Worker::start_with(&self.config, |command| {
            command.arg("--no-model");
        })
    }

    fn wait_for_decisions(&self, worker: &mut Worker, count: usize) {
        let what = format!("{count} decisions");
        worker.until(&what, PATIENCE, || self.kafka.written(&self.decisions) >= count);
    }

    /// Posts behind which no position has been committed.
    fn lag(&self, posts: usize) -> usize {
        let committed = self.kafka.committed(self.group, &self.posts).into_values();
        posts - usize::try_from(committed.sum::<i64>()).expect("positions are not negative")
    }

    /// The ids of each post's decisions.
    fn decision_ids(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for record in self.kafka.read_all(&self.decisions) {
            let value = record.value.expect("a decision has a value");
            let decision: Value = serde_json::from_slice(&value).expect("a decision is JSON");
            let text = |key: &str| decision[key].as_str().expect("a decision has ids").to_owned();
            ids.entry(text("post_id")).or_default().insert(text("id"));
        }
        ids
    }
}
