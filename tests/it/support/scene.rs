//! Posts, workers and what became of them: one broker's part that belongs to one test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tidegate::delivery::Disposition;
use tidegate::worker::WorkerSettings;

use super::judges::{BAD, ByValue, Running, settings};
use super::kafka::{Kafka, NewRecord, StoredRecord};
use super::process::poll_until;

/// A session that is over soon after its worker was killed.
pub(crate) const SHORT_SESSION: &str = "{session.timeout.ms: 4000, heartbeat.interval.ms: 100}";
/// Partitions of the posts topic.
pub(crate) const PARTITIONS: i32 = 4;
/// Far longer than anything takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_mins(2);
/// Asking for positions makes a client each time, which is not to be done without pause.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The place of a record in the posts topic.
pub(crate) type Place = (i32, i64);

/// The topics and the group of one test.
pub(crate) struct Scene<'k> {
    kafka: &'k Kafka,
    pub(crate) posts: String,
    pub(crate) decisions: String,
    pub(crate) dead_letters: String,
    pub(crate) reviews: String,
    pub(crate) group: String,
    produced: usize,
}

impl<'k> Scene<'k> {
    /// On a broker that has these topics already.
    pub(crate) fn with(
        kafka: &'k Kafka,
        [posts, decisions, dead_letters, reviews]: [String; 4],
    ) -> Self {
        let group = format!("readers-of-{posts}");
        Self { kafka, posts, decisions, dead_letters, reviews, group, produced: 0 }
    }

    /// With topics of its own.
    pub(crate) fn on(kafka: &'k Kafka, stem: &str) -> Self {
        let topic = |kind, partitions| kafka.topic(&format!("{stem}-{kind}"), partitions);
        let topics = [
            topic("posts", PARTITIONS),
            topic("decisions", 2),
            topic("dead", 1),
            topic("reviews", 1),
        ];
        Self::with(kafka, topics)
    }

    /// The broker it lies on.
    pub(crate) fn broker(&self) -> &'k Kafka {
        self.kafka
    }

    /// Settings of a worker on it.
    pub(crate) fn settings(&self) -> WorkerSettings {
        let mut settings = settings(&self.kafka.address());
        settings.kafka.group.clone_from(&self.group);
        settings.topics.posts.clone_from(&self.posts);
        settings.topics.decisions.clone_from(&self.decisions);
        settings.topics.dead_letters.clone_from(&self.dead_letters);
        settings.topics.reviews = Some(self.reviews.clone());
        settings
    }

    /// Writes the configuration of a worker in a process of its own into `folder` and gives its place.
    /// `librdkafka` are keys in braces; `more` are settings in the place of the least, a line each.
    pub(crate) fn config(&self, folder: &Path, librdkafka: &str, more: &str) -> PathBuf {
        let path = folder.join("tidegate.yaml");
        let Self { posts, decisions, dead_letters, group, .. } = self;
        let (brokers, state) = (self.kafka.address(), folder.join("state"));
        let text = format!(
            "\
source: {{name: tests}}
kafka: {{brokers: '{brokers}', group: {group}, librdkafka: {librdkafka}}}
topics: {{posts: {posts}, decisions: {decisions}, dead_letters: {dead_letters}}}
state: {{dir: {}}}
{more}",
            state.display(),
        );
        fs::write(&path, text).expect("the scratch folder can be written");
        path
    }

    /// A worker on it.
    pub(crate) fn worker(&self) -> Running {
        Running::start(self.settings(), ByValue::default())
    }

    /// A worker that takes so long for each post.
    pub(crate) fn slow_worker(&self, pause: Duration) -> Running {
        Running::start(self.settings(), ByValue { pause })
    }

    /// Produces records.
    pub(crate) fn produce(&mut self, records: impl IntoIterator<Item = NewRecord>) {
        let records: Vec<NewRecord> = records.into_iter().collect();
        self.produced += records.len();
        self.kafka.produce(&self.posts, records);
    }

    /// Somebody else has produced so many posts before.
    pub(crate) fn expect_posts(&mut self, count: usize) {
        self.produced = count;
    }

    /// Produces numbered posts; every tenth is bad.
    pub(crate) fn produce_numbered(&mut self, count: usize) {
        let numbered = |n: usize| {
            let kind = if n.is_multiple_of(10) { BAD } else { "good" };
            NewRecord::keyed(format!("author-{}", n % 17), format!("{kind} {n}"))
        };
        self.produce((self.produced..self.produced + count).map(numbered));
    }

    /// Waits until the group's positions are behind the last post.
    pub(crate) fn wait_all(&self) {
        let all = poll_until(SOON, || self.is_all_committed().then_some(()));
        assert!(all.is_some(), "committed {:?}", self.kafka.committed(&self.group, &self.posts));
    }

    /// Whether the group's positions are behind the last post; takes its time.
    pub(crate) fn is_all_committed(&self) -> bool {
        thread::sleep(LOOK_AGAIN);
        self.kafka.committed(&self.group, &self.posts) == self.ends_of_posts()
    }

    /// How many decisions there are, repeats included; takes its time.
    pub(crate) fn decisions_count(&self) -> usize {
        thread::sleep(LOOK_AGAIN);
        self.decisions().len()
    }

    /// About how many decisions were written; takes its time.
    pub(crate) fn decisions_written(&self) -> usize {
        thread::sleep(LOOK_AGAIN);
        self.kafka.written(&self.decisions)
    }

    /// The places of all posts.
    pub(crate) fn places(&self) -> Vec<Place> {
        let posts = self.kafka.read_all(&self.posts);
        assert_eq!(posts.len(), self.produced, "the posts are there");
        posts.iter().map(|post| (post.partition, post.offset)).collect()
    }

    pub(crate) fn decisions(&self) -> Vec<StoredRecord> {
        self.kafka.read_all(&self.decisions)
    }

    pub(crate) fn dead_letters(&self) -> Vec<StoredRecord> {
        self.kafka.read_all(&self.dead_letters)
    }

    /// Copies of decisions for reviewers.
    pub(crate) fn reviews(&self) -> Vec<StoredRecord> {
        self.kafka.read_all(&self.reviews)
    }

    /// How often each post ended; checks that none ended on both sides and none came from nowhere.
    pub(crate) fn ends(&self) -> BTreeMap<Place, usize> {
        let decided: Vec<Place> = self.decisions().iter().map(place_in_decision).collect();
        let dead: BTreeSet<Place> = self.dead_letters().iter().map(place_in_headers).collect();
        let both: Vec<_> = decided.iter().filter(|place| dead.contains(place)).collect();
        assert!(both.is_empty(), "decided and dead-lettered: {both:?}");
        let dead = self.dead_letters();
        let mut ends: BTreeMap<Place, usize> =
            self.places().into_iter().map(|place| (place, 0)).collect();
        for place in decided.into_iter().chain(dead.iter().map(place_in_headers)) {
            *ends.get_mut(&place).unwrap_or_else(|| panic!("{place:?} was no post")) += 1;
        }
        ends
    }

    pub(crate) fn assert_exactly_once(&self) {
        let wrong: Vec<_> = self.ends().into_iter().filter(|&(_, count)| count != 1).collect();
        assert!(wrong.is_empty(), "{} posts not exactly once: {}", wrong.len(), some(&wrong));
    }

    /// Every post ended at least once. Gives the number of repeats.
    pub(crate) fn assert_nothing_lost(&self) -> usize {
        let ends = self.ends();
        let lost: Vec<_> = ends.iter().filter(|&(_, &count)| count == 0).collect();
        assert!(lost.is_empty(), "{} posts lost: {}", lost.len(), some(&lost));
        ends.values().map(|count| count - 1).sum()
    }

    /// The group's positions are behind the last post of every partition.
    pub(crate) fn assert_all_committed(&self) {
        let committed = self.kafka.committed(&self.group, &self.posts);
        assert_eq!(committed, self.ends_of_posts(), "the positions of each partition");
    }

    /// The offset behind the last post of each partition that has posts.
    fn ends_of_posts(&self) -> BTreeMap<i32, i64> {
        self.places().into_iter().map(|(partition, offset)| (partition, offset + 1)).collect()
    }

    /// The decisions about each author's posts follow each other as the posts do.
    pub(crate) fn assert_order(&self) {
        let mut last: BTreeMap<(i32, Option<Vec<u8>>), Place> = BTreeMap::new();
        for decision in self.decisions() {
            let place = place_in_decision(&decision);
            let before = last.insert((decision.partition, decision.key), place);
            assert!(before.is_none_or(|before| before < place), "{place:?} after {before:?}");
        }
    }
}

/// Records that a worker has brought to their end.
pub(crate) fn finished(worker: &Running) -> usize {
    let of = |end| worker.instruments.records(end).get();
    let both = of(Disposition::Published) + of(Disposition::DeadLettered);
    usize::try_from(both).expect("a test has few records")
}

/// Waits until a worker has brought so many records to their end.
pub(crate) fn wait_finished(worker: &Running, records: usize) {
    let done = || (finished(worker) >= records || worker.has_ended()).then_some(());
    assert!(poll_until(SOON, done).is_some(), "{} of {records} finished", finished(worker));
}

/// Waits until a worker holds a partition.
pub(crate) fn wait_assigned(worker: &Running) {
    let assigned = || (worker.instruments.assigned().get() > 0).then_some(());
    assert!(poll_until(SOON, assigned).is_some(), "the worker got no partition");
}

/// Waits until these workers hold every partition of a scene between them.
pub(crate) fn wait_shared_out(workers: &[&Running]) {
    let held = || workers.iter().map(|worker| worker.instruments.assigned().get()).sum::<i64>();
    let shared = || (held() == i64::from(PARTITIONS)).then_some(());
    assert!(poll_until(SOON, shared).is_some(), "{} partitions are held", held());
}

/// The value of a header of ours.
pub(crate) fn header(record: &StoredRecord, name: &str) -> String {
    let found = record.headers.iter().find(|(key, _)| key == name);
    let value = found.and_then(|(_, value)| value.clone()).unwrap_or_default();
    String::from_utf8(value).expect("our headers are text")
}

fn place_in_decision(decision: &StoredRecord) -> Place {
    let text = String::from_utf8(decision.value.clone().expect("a decision")).expect("UTF-8");
    let mut numbers = text.split(':').map(str::parse::<i64>);
    let mut next = || numbers.next().expect("a number").expect("a number");
    let partition = next();
    (i32::try_from(partition).expect("a partition"), next())
}

/// The place of the record that a dead letter is about.
pub(crate) fn place_in_headers(letter: &StoredRecord) -> Place {
    let number = |name| header(letter, name).parse::<i64>().expect("a number");
    let partition = i32::try_from(number("tidegate.source.partition")).expect("a partition");
    (partition, number("tidegate.source.offset"))
}

fn some<T: std::fmt::Debug>(list: &[T]) -> String {
    format!("{:?}", &list[..list.len().min(10)])
}
