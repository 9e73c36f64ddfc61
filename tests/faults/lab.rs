//! One fault's own world: a broker, topics, a ledger, workers, and what is remembered of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;

use crate::evidence::{self, Crash, Evidence, Output, Place};
use crate::ledger::{CANARY, Expect, KEY_CANARY, Ledger};
use crate::seed::Seed;
use crate::support::home::Home;
use crate::support::kafka::{Kafka, NewRecord, scratch};
use crate::support::mock::Mock;
pub(crate) use crate::support::scene::SOON;
use crate::support::secured::secured;
use crate::support::worker::Worker;

/// How long an orderly end may take.
pub(crate) const DRAIN: Duration = Duration::from_secs(40);
/// Partitions of the posts topic.
pub(crate) const PARTITIONS: i32 = 4;
/// Partitions of the decisions topic: the mock keeps 5 MiB of each.
const DECISION_PARTITIONS: i32 = 8;
/// Looking at a topic makes a client each time, which is not to be done without pause.
const LOOK_AGAIN: Duration = Duration::from_millis(150);
/// What a worker with the small home may hold, in MiB.
const MEMORY_MIB: u64 = 400;

/// Which broker a fault needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// The mock cluster, with so many brokers.
    Mock(i32),
    /// The real Kafka that all faults share.
    Kafka,
    /// A real Kafka of its own, to be stopped and killed.
    OwnKafka,
    /// The same with a controller that does not die with it.
    WatchedKafka,
    /// The real Kafka that lets in only whom it knows.
    Secured,
}

enum Broker {
    Mock(Mock),
    Shared(&'static Kafka),
    Own(Kafka),
}

/// The names of a fault's topics.
#[derive(Clone, Debug)]
pub(crate) struct Topics {
    pub(crate) posts: String,
    pub(crate) decisions: String,
    pub(crate) dead_letters: String,
}

/// A fault's world.
pub(crate) struct Lab {
    broker: Broker,
    pub(crate) topics: Topics,
    pub(crate) home: Home,
    pub(crate) seed: Seed,
    folder: TempDir,
    ledger: Ledger,
    scale: usize,
    exactly_once: bool,
    evidence: Evidence,
}

impl Lab {
    /// The world of the fault with this number; `scale` multiplies the load.
    pub(crate) fn open(number: u8, site: Site, seed: u64, scale: usize) -> Self {
        // What the secured Kafka grants begins so.
        let owner = if site == Site::Secured { "own" } else { "fault" };
        let named = |kind: &str| format!("{owner}-{kind}-{number}");
        let topics = Topics {
            posts: named("posts"),
            decisions: named("decisions"),
            dead_letters: named("dead-letters"),
        };
        let broker = match site {
            Site::Mock(brokers) => Broker::Mock(Mock::of_brokers(
                brokers,
                &[
                    (&topics.posts, PARTITIONS),
                    (&topics.decisions, DECISION_PARTITIONS),
                    (&topics.dead_letters, 2),
                ],
            )),
            Site::Kafka => Broker::Shared(Kafka::shared()),
            Site::OwnKafka => Broker::Own(Kafka::start()),
            Site::WatchedKafka => Broker::Own(Kafka::start_watched()),
            Site::Secured => Broker::Shared(secured()),
        };
        let mut lab = Self {
            broker,
            topics,
            home: Home::with(3),
            seed: Seed::new(seed, u64::from(number)),
            folder: scratch("fault"),
            ledger: Ledger::default(),
            scale,
            exactly_once: false,
            evidence: Evidence { memory: (0, MEMORY_MIB), ..Evidence::default() },
        };
        lab.evidence.secrets = vec![CANARY.to_owned(), KEY_CANARY.to_owned()];
        if !matches!(site, Site::Mock(_)) {
            lab.create_topics();
        }
        lab
    }

    /// Another broker in the place of the first: one that a fault has prepared.
    pub(crate) fn move_to(&mut self, kafka: Kafka) {
        self.broker = Broker::Own(kafka);
        self.create_topics();
    }

    fn create_topics(&self) {
        let Topics { posts, decisions, dead_letters } = &self.topics;
        let topics = [(posts, PARTITIONS), (decisions, DECISION_PARTITIONS), (dead_letters, 2)];
        for (name, partitions) in topics {
            self.kafka().create_topic(name, partitions, &[]);
        }
    }

    /// Plain ways to write to the broker and to read from it.
    pub(crate) fn kafka(&self) -> &Kafka {
        match &self.broker {
            Broker::Mock(mock) => mock.clients(),
            Broker::Shared(kafka) => kafka,
            Broker::Own(kafka) => kafka,
        }
    }

    /// The mock cluster.
    pub(crate) fn mock(&self) -> &Mock {
        match &self.broker {
            Broker::Mock(mock) => mock,
            Broker::Shared(_) | Broker::Own(_) => panic!("this fault runs on a real Kafka"),
        }
    }

    /// The Kafka that this fault may stop and kill.
    pub(crate) fn own_kafka(&mut self) -> &mut Kafka {
        match &mut self.broker {
            Broker::Own(kafka) => kafka,
            Broker::Mock(_) | Broker::Shared(_) => panic!("this fault has no Kafka of its own"),
        }
    }

    /// So many records in the short run, more in the long one.
    pub(crate) fn load(&self, short: usize) -> usize {
        short * self.scale
    }

    /// Whether this is the long run.
    pub(crate) fn is_long(&self) -> bool {
        self.scale > 1
    }

    // ------------------------------------------------------------------------- posts

    /// From now on workers write transactions, and nothing at all may repeat.
    pub(crate) fn exactly_once(&mut self) {
        self.exactly_once = true;
    }

    /// Produces so many ordinary posts.
    pub(crate) fn produce(&mut self, count: usize) {
        let records = self.ledger.posts(count, &mut self.seed);
        self.kafka().produce(&self.topics.posts, records);
    }

    /// The same, stamped with a time in milliseconds since 1970.
    pub(crate) fn produce_at(&mut self, timestamp: i64, count: usize) {
        let records = self.ledger.posts(count, &mut self.seed);
        self.kafka().produce_at(Some(timestamp), &self.topics.posts, records);
    }

    /// Produces records of the fault's own.
    pub(crate) fn produce_these(&mut self, records: impl IntoIterator<Item = (NewRecord, Expect)>) {
        let enter = |(record, expect)| self.ledger.enter(record, expect);
        let records: Vec<NewRecord> = records.into_iter().map(enter).collect();
        self.kafka().produce(&self.topics.posts, records);
    }

    // ------------------------------------------------------------------------- workers

    /// A folder for this fault alone, which is removed with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The group's name.
    pub(crate) fn group(&self) -> String {
        format!("own-readers-of-{}", self.topics.posts)
    }

    /// Writes the configuration of a worker and gives its place. Small batches, one after the other,
    /// let a worker be caught in the middle on any machine.
    pub(crate) fn config(&self) -> PathBuf {
        let path = self.folder.path().join("tidegate.yaml");
        // The mock lets a group begin after 3 s; a shorter session would end before that.
        let session = if matches!(self.broker, Broker::Mock(_)) { 4000 } else { 1500 };
        let Topics { posts, decisions, dead_letters } = &self.topics;
        let delivery = if self.exactly_once { "exactly_once" } else { "at_least_once" };
        let text = format!(
            "\
source: {{name: faults}}
kafka:
  brokers: '{}'
  group: {}
  librdkafka:
    {{session.timeout.ms: {session}, heartbeat.interval.ms: 200, transaction.timeout.ms: 1200}}
delivery: {delivery}
topics: {{posts: {posts}, decisions: {decisions}, dead_letters: {dead_letters}}}
batch: {{max_records: {BATCH}, in_flight: {IN_FLIGHT}}}
worker: {{threads: 2}}
reload: {{every: 20ms, settle: 60ms}}
admin: {{listen: '127.0.0.1:0'}}
state: {{dir: {}}}
",
            self.kafka().address(),
            self.group(),
            self.folder.path().join("state").display(),
        );
        fs::write(&path, text).expect("the scratch folder can be written");
        path
    }

    /// `tidegate run` over the small home folder.
    pub(crate) fn worker(&self) -> Worker {
        self.worker_with(|_| ())
    }

    /// The same, after `adjust` has added arguments or variables.
    pub(crate) fn worker_with(&self, adjust: impl FnOnce(&mut Command)) -> Worker {
        self.worker_at(self.home.path(), |command| {
            command.arg("--no-model");
            adjust(command);
        })
    }

    /// A worker over another home folder.
    pub(crate) fn worker_at(&self, home: &Path, adjust: impl FnOnce(&mut Command)) -> Worker {
        Worker::start_with(&self.config(), |command| {
            command.arg("--home").arg(home);
            adjust(command);
        })
    }

    /// `kill -9`, and remembers what was committed and what had its end.
    pub(crate) fn crash(&mut self, mut worker: Worker) {
        self.look_at(&worker);
        worker.kill();
        self.hear(&worker);
        self.remember_crash();
    }

    /// A worker has ended without finishing: whatever it had published and not committed repeats.
    pub(crate) fn remember_crash(&mut self) {
        let committed = self.kafka().committed(&self.group(), &self.topics.posts);
        let ended: Vec<Place> = self.outputs().iter().map(|output| output.about).collect();
        let above = |place: &&Place| committed.get(&place.0).is_none_or(|next| place.1 >= *next);
        if !self.exactly_once {
            self.evidence.repeats_max += ended.iter().filter(above).count();
        }
        self.evidence.crashes.push(Crash { committed, ended });
    }

    /// A session may be lost now: everything that is not committed may be read again.
    pub(crate) fn allow_lost_session(&mut self) {
        let committed = self.kafka().committed(&self.group(), &self.topics.posts);
        let committed: i64 = committed.values().sum();
        let committed = usize::try_from(committed).expect("positions are not negative");
        self.allow_repeats(self.ledger.len().saturating_sub(committed));
    }

    /// So many repeats are explained by something other than a crash.
    pub(crate) fn allow_repeats(&mut self, count: usize) {
        if !self.exactly_once {
            self.evidence.repeats_max += count;
        }
    }

    /// SIGTERM: the worker must drain, commit and end well.
    pub(crate) fn stop(&mut self, mut worker: Worker) {
        self.look_at(&worker);
        let status = worker.terminate(DRAIN);
        self.expect(status.success(), || format!("an orderly stop ended with {status}"));
        self.hear(&worker);
    }

    /// The worker must end by itself with this code, and say why.
    pub(crate) fn ends_with(&mut self, worker: &mut Worker, code: i32, says: &str) -> ExitStatus {
        let status = worker.wait(SOON);
        let log = worker.stderr();
        self.expect(status.code() == Some(code), || format!("ended with {status}, not {code}"));
        let last = log.lines().last().unwrap_or_default().to_owned();
        self.expect(log.contains(says), || format!("did not say `{says}` but: {last}"));
        self.evidence.said.push(log);
        status
    }

    /// Waits until the positions are behind the last post, and ends the workers in good order.
    pub(crate) fn finish(&mut self, workers: impl IntoIterator<Item = Worker>) {
        let mut workers: Vec<Worker> = workers.into_iter().collect();
        let ends = self.kafka().ends(&self.topics.posts);
        let last = workers.last_mut().expect("somebody works");
        last.until("the positions behind every post", SOON, || self.is_committed(&ends));
        for worker in workers {
            self.stop(worker);
        }
    }

    fn is_committed(&self, ends: &BTreeMap<i32, i64>) -> bool {
        std::thread::sleep(LOOK_AGAIN);
        let committed = self.kafka().committed(&self.group(), &self.topics.posts);
        ends.iter().all(|(partition, end)| {
            *end == 0 || committed.get(partition).is_some_and(|next| next >= end)
        })
    }

    /// Waits until so many records stand in the topics that are written to.
    pub(crate) fn wait_outputs(&self, worker: &mut Worker, count: usize) {
        self.wait_outputs_within(worker, count, SOON);
    }

    /// The same where there is much to do.
    pub(crate) fn wait_outputs_within(&self, worker: &mut Worker, count: usize, most: Duration) {
        worker.until("decisions", most, || {
            std::thread::sleep(Duration::from_millis(20));
            self.outputs_count() >= count
        });
    }

    /// How many records stand there, repeats included.
    pub(crate) fn outputs_count(&self) -> usize {
        let Topics { decisions, dead_letters, .. } = &self.topics;
        let ends = [decisions, dead_letters].map(|topic| self.kafka().ends(topic));
        let sum: i64 = ends.iter().flat_map(BTreeMap::values).sum();
        usize::try_from(sum).expect("offsets are not negative")
    }

    // ------------------------------------------------------------------------- evidence

    /// Something that this fault must bring about or must not.
    pub(crate) fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.evidence.surprises.push(otherwise());
        }
    }

    /// A word that must be said nowhere.
    pub(crate) fn keep_secret(&mut self, secret: &str) {
        self.evidence.secrets.push(secret.to_owned());
    }

    /// Another budget of memory than the usual one, in MiB.
    pub(crate) fn may_hold(&mut self, mebibytes: u64) {
        self.evidence.memory.1 = mebibytes;
    }

    /// Remembers what a running worker shows and holds.
    pub(crate) fn look_at(&mut self, worker: &Worker) {
        let pages = ["/metrics", "/readyz?verbose"];
        self.evidence.said.extend(pages.iter().filter_map(|page| worker.operators_see(page)));
        if let Some(peak) = status_of(worker, "VmHWM:") {
            self.evidence.memory.0 = self.evidence.memory.0.max(peak / 1024);
        }
    }

    /// Remembers what a worker has logged.
    pub(crate) fn hear(&mut self, worker: &Worker) {
        self.evidence.said.push(worker.stderr());
    }

    fn outputs(&self) -> Vec<Output> {
        let Topics { decisions, dead_letters, .. } = &self.topics;
        let mut outputs = Vec::new();
        self.kafka().read_each(decisions, |record| {
            let decision = Output::decision(&record);
            outputs.push(decision.expect("what stands in the decisions topic is a decision"));
        });
        self.kafka().read_each(dead_letters, |record| {
            let letter = Output::letter(&record);
            outputs.push(letter.expect("what stands in the dead-letter topic is a dead letter"));
        });
        outputs
    }

    /// Reads everything that was left behind.
    pub(crate) fn evidence(mut self) -> Evidence {
        let mut found = Vec::new();
        self.kafka().read_each(&self.topics.posts, |record| {
            let place = (record.partition, record.offset);
            found.extend(evidence::number(&record).map(|number| (place, number)));
        });
        let (posts, unwritten) = evidence::posts(&found, &self.ledger);
        let committed = self.kafka().committed(&self.group(), &self.topics.posts);
        let outputs = self.outputs();
        let mut said = Vec::new();
        self.kafka().read_each(&self.topics.dead_letters, |letter| {
            let values = letter.headers.into_iter().filter_map(|(_, value)| value);
            said.extend(values.filter_map(|value| String::from_utf8(value).ok()));
        });
        self.evidence.said.extend(said);
        Evidence { posts, unwritten, outputs, committed, ..self.evidence }
    }
}

/// Records of a batch, as [`Lab::config`] sets them.
pub(crate) const BATCH: usize = 50;
/// Batches in flight, as [`Lab::config`] sets them.
pub(crate) const IN_FLIGHT: usize = 2;

/// A number of `/proc/<pid>/status`, in its own unit.
pub(crate) fn status_of(worker: &Worker, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", worker.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
