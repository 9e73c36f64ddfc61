//! Whole workers side by side: each reads the same posts from the same broker and writes its answers.
//!
//! A contender is a program of its own, started once a round. Its rate is taken from the broker: from
//! the first answers on, so that starting up does not count, to the last.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    topic_partition_list::Offset,
};
use serde_json::Value;
use tidegate::demo::WavePost;

use super::{
    clock::median,
    float,
    report::Report,
    support::{
        kafka::{Kafka, NewRecord, scratch},
        process::Process,
    },
};

/// Partitions of every topic.
const PARTITIONS: i32 = 4;
/// How often everything is measured; the figures are medians.
const ROUNDS: usize = 3;
/// A program that has not answered everything by then is broken.
const DEADLINE: Duration = Duration::from_mins(5);
/// How often the broker is asked how far a contender is.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Answers that are looked into.
const CHECKED: usize = 2_000;
/// One question to the broker.
const ANSWER: Duration = Duration::from_secs(10);

/// A program that reads posts and writes answers.
struct Contender {
    name: &'static str,
    key: &'static str,
    /// Answers that it is timed on: some seconds of work.
    answers: usize,
    /// Whether its answers are decisions, or the posts as they were.
    decides: bool,
    command: fn(&Scene<'_>, output: &str, group: &str) -> Command,
}

const CONTENDERS: [Contender; 6] = [
    Contender {
        name: "bare consume and produce",
        key: "worker_bare_posts_per_s",
        answers: 400_000,
        decides: false,
        command: bare,
    },
    Contender {
        name: "Tidegate, rules only",
        key: "worker_rules_posts_per_s",
        answers: 200_000,
        decides: true,
        command: |scene, output, group| tidegate(scene, output, group, &RULES_ONLY),
    },
    Contender {
        name: "Tidegate, rules, exactly once",
        key: "worker_exactly_once_posts_per_s",
        answers: 200_000,
        decides: true,
        command: |scene, output, group| tidegate(scene, output, group, &EXACTLY_ONCE),
    },
    Contender {
        name: "Tidegate, rules and model",
        key: "worker_model_posts_per_s",
        answers: 100_000,
        decides: true,
        command: |scene, output, group| tidegate(scene, output, group, &WITH_MODEL),
    },
    Contender {
        name: "Python, keywords only",
        key: "python_rules_posts_per_s",
        answers: 50_000,
        decides: true,
        command: |scene, output, group| python(scene, output, group, false),
    },
    Contender {
        name: "Python, keywords and model",
        key: "python_model_posts_per_s",
        answers: 40_000,
        decides: true,
        command: |scene, output, group| python(scene, output, group, true),
    },
];

/// How a worker of ours is run.
struct Manner {
    model: bool,
    delivery: &'static str,
}

const RULES_ONLY: Manner = Manner { model: false, delivery: "at_least_once" };
const EXACTLY_ONCE: Manner = Manner { model: false, delivery: "exactly_once" };
const WITH_MODEL: Manner = Manner { model: true, delivery: "at_least_once" };

/// What the contenders have in common.
struct Scene<'a> {
    home: &'a Path,
    kafka: &'a Kafka,
    posts: String,
    folder: PathBuf,
}

/// Measures every contender and writes rates and ratios into the report.
pub(crate) fn measure(posts: &[WavePost], home: &Path, report: &mut Report) {
    let kafka = Kafka::start();
    let folder = scratch("bench");
    let topic = kafka.topic("posts", PARTITIONS);
    let most = CONTENDERS.iter().map(|contender| contender.answers).max().unwrap_or_default();
    let all = posts.iter().cycle().take(most);
    kafka.produce(&topic, all.map(|post| NewRecord::keyed(post.author.as_str(), post.to_json())));
    let scene = Scene { home, kafka: &kafka, posts: topic, folder: folder.path().to_owned() };
    let mut rates = [const { Vec::new() }; CONTENDERS.len()];
    for _ in 0..ROUNDS {
        for (contender, rates) in CONTENDERS.iter().zip(&mut rates) {
            rates.push(scene.round(contender));
        }
    }
    let rates = rates.map(|mut rates| median(&mut rates));
    for (contender, &rate) in CONTENDERS.iter().zip(&rates) {
        report.rate(contender.name, contender.key, rate);
    }
    let [bare, rules, once, model, python_rules, python_model] = rates;
    report.ratio("rules only, to the bare loop", "worker_rules_vs_bare", rules / bare);
    report.ratio("with the model, to the bare loop", "worker_model_vs_bare", model / bare);
    report.ratio("exactly once, to at least once", "exactly_once_vs_at_least_once", once / rules);
    report.ratio("rules only, to Python", "worker_rules_vs_python", rules / python_rules);
    report.ratio("with the model, to Python", "worker_model_vs_python", model / python_model);
}

impl Scene<'_> {
    /// Answers a second of one run.
    fn round(&self, contender: &Contender) -> f64 {
        let output = self.kafka.topic("answers", PARTITIONS);
        let mut command = (contender.command)(self, &output, &format!("group-of-{output}"));
        command.current_dir(self.home);
        let mut process = Process::start("contender", &self.folder, &mut command);
        let reader = self.reader();
        let started = Instant::now();
        let mut first: Option<(Instant, usize)> = None;
        let rate = loop {
            thread::sleep(LOOK_AGAIN);
            let answers = answers(&reader, &output);
            let ended = process.ended();
            assert!(
                ended.is_none() && started.elapsed() < DEADLINE,
                "{}: {answers} answers, ended: {ended:?}:\n{}",
                contender.name,
                process.last_lines()
            );
            match first {
                None if answers > contender.answers / 50 => first = Some((Instant::now(), answers)),
                Some((since, before)) if answers >= contender.answers => {
                    break float(answers - before) / since.elapsed().as_secs_f64();
                }
                _ => {}
            }
        };
        process.kill();
        check(contender, &reader, &output);
        rate
    }

    fn reader(&self) -> BaseConsumer {
        let mut client: ClientConfig = self.kafka.client();
        client.set("group.id", "bench").set("enable.auto.commit", "false");
        client.create().expect("a reader can be made")
    }
}

/// A fast wrong answer is worth nothing: some decisions are read back.
fn check(contender: &Contender, reader: &BaseConsumer, output: &str) {
    let mut from_start = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let added = from_start.add_partition_offset(output, partition, Offset::Beginning);
        added.expect("the beginning is an offset");
    }
    reader.assign(&from_start).expect("partitions can be assigned");
    let mut actions: Vec<String> = Vec::new();
    while actions.len() < CHECKED {
        let record = reader.poll(ANSWER).expect("there are answers").expect("it is readable");
        let answer: Value =
            serde_json::from_slice(record.payload().unwrap_or_default()).expect("it is JSON");
        if !contender.decides {
            assert!(answer["text"].is_string(), "{}: not a post", contender.name);
        }
        actions.push(answer["action"].as_str().unwrap_or_default().to_owned());
    }
    let share = |action: &str| float(actions.iter().filter(|a| *a == action).count());
    let allowed = share("allow") / float(CHECKED);
    let stopped = (share("block") + share("review")) / float(CHECKED);
    let sound = !contender.decides || (allowed > 0.5 && stopped > 0.02);
    assert!(sound, "{}: allows {allowed}, stops {stopped}", contender.name);
}

/// How many answers the broker has.
fn answers(reader: &BaseConsumer, topic: &str) -> usize {
    let high = |partition| reader.fetch_watermarks(topic, partition, ANSWER).map(|(_, high)| high);
    let total: i64 = (0..PARTITIONS).map(|partition| high(partition).unwrap_or(0)).sum();
    usize::try_from(total).unwrap_or_default()
}

fn bare(scene: &Scene<'_>, output: &str, group: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--bare", &scene.kafka.address(), &scene.posts, output, group]);
    command
}

fn tidegate(scene: &Scene<'_>, output: &str, group: &str, manner: &Manner) -> Command {
    let (brokers, posts) = (scene.kafka.address(), &scene.posts);
    // The Python worker has one model too.
    let overlay = scene.folder.join("one-model");
    std::fs::create_dir_all(&overlay).expect("the scratch folder can be written");
    std::fs::write(overlay.join("bundle.yaml"), "models: {core: core}\n")
        .expect("the scratch folder can be written");
    let settings = format!(
        "source: {{name: bench}}\n\
         kafka: {{brokers: \"{brokers}\", group: {group}}}\n\
         topics: {{posts: {posts}, decisions: {output}, dead_letters: {output}}}\n\
         delivery: {}\n\
         rules: {{overlays: [{}]}}\n\
         admin: {{listen: null}}\n",
        manner.delivery,
        overlay.display()
    );
    let file = scene.folder.join(format!("{output}.yaml"));
    std::fs::write(&file, settings).expect("the scratch folder can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["run", "--config"]).arg(file);
    if !manner.model {
        command.arg("--no-model");
    }
    command
}

fn python(scene: &Scene<'_>, output: &str, group: &str, model: bool) -> Command {
    let mut command = Command::new(scene.home.join(".tidegate/peers/bin/python"));
    command.arg(scene.home.join("benches/peers/worker.py"));
    command.args([&scene.kafka.address(), &scene.posts, output, group]);
    if model {
        command.arg("--model");
    }
    command
}
