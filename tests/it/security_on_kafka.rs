//! A broker that encrypts, asks who we are and grants as little as it can: what works with exactly
//! that, and what a worker says of each thing that is missing.

use std::thread;
use std::time::Duration;

use tidegate::config::kafka::{Delivery, Protocol, Sasl, Tls};
use tidegate::worker::{Stop, WorkerSettings};

use crate::support::judges::{ByValue, Running};
use crate::support::kafka::Kafka;
use crate::support::scene::{PARTITIONS, Scene};
use crate::support::secured::{misled_tls, mutual_tls, sasl, secured, tls};

/// A scene whose topics and group are granted.
fn scene(kafka: &'static Kafka) -> Scene<'static> {
    let topic = |stem: &str, partitions| kafka.topic(&format!("own-{stem}"), partitions);
    let topics =
        [topic("posts", PARTITIONS), topic("decisions", 2), topic("dead", 1), topic("reviews", 1)];
    let mut scene = Scene::with(kafka, topics);
    scene.group = format!("own-group-of-{}", scene.posts);
    scene
}

/// Who a worker is and what it asks for.
struct Client {
    name: &'static str,
    listener: &'static str,
    tls: Tls,
    sasl: Sasl,
    delivery: Delivery,
    protocol: Protocol,
}

impl Client {
    fn settings(&self, kafka: &Kafka, scene: &Scene<'_>) -> WorkerSettings {
        let mut settings = scene.settings();
        settings.kafka.brokers = kafka.address_of(self.listener);
        settings.kafka.tls = self.tls.clone();
        settings.kafka.sasl = self.sasl.clone();
        settings.kafka.delivery = self.delivery;
        settings.kafka.protocol = self.protocol;
        if self.protocol == Protocol::Consumer {
            settings.kafka.librdkafka.retain(|key, _| key.starts_with("transaction"));
        }
        settings.deadlines.start = Duration::from_secs(5);
        settings
    }
}

#[test]
fn the_documented_grants_are_enough_over_every_kind_of_connection() {
    use {
        Delivery::{AtLeastOnce, ExactlyOnce},
        Protocol::{Classic, Consumer},
    };
    let kafka = secured();
    let client = |name, listener, tls, sasl, delivery, protocol| Client {
        name,
        listener,
        tls,
        sasl,
        delivery,
        protocol,
    };
    let gate = |mechanism| sasl(mechanism, "gate", "gate-secret");
    let none = Sasl::default;
    let clients = [
        client("TLS", "TLS", tls(kafka), none(), AtLeastOnce, Classic),
        client("mutual TLS", "MTLS", mutual_tls(kafka), none(), ExactlyOnce, Classic),
        client("SCRAM", "SCRAM", tls(kafka), gate("SCRAM-SHA-512"), ExactlyOnce, Consumer),
        client("PLAIN", "PLAIN", Tls::default(), gate("PLAIN"), AtLeastOnce, Consumer),
    ];
    thread::scope(|scope| {
        for client in clients {
            scope.spawn(move || {
                let mut scene = scene(kafka);
                scene.produce_numbered(400);
                let settings = client.settings(kafka, &scene);
                let worker = Running::start(settings, ByValue::default());
                scene.wait_all();
                worker.stop().unwrap_or_else(|stop| panic!("{}: {stop}", client.name));
                scene.assert_exactly_once();
            });
        }
    });
}

/// What a worker ends with that cannot work.
fn refusal(client: &Client) -> Stop {
    let kafka = secured();
    let mut scene = scene(kafka);
    scene.produce_numbered(10);
    let worker = Running::start(client.settings(kafka, &scene), ByValue::default());
    let stop = worker.end().expect_err(client.name);
    assert!(kafka.committed(&scene.group, &scene.posts).is_empty(), "{}", client.name);
    stop
}

/// What the clients were told that is not the exit code and the words expected; all ask at once.
fn wrongly_told(cases: &[(Client, u8, &str)]) -> Vec<String> {
    thread::scope(|scope| {
        let asked: Vec<_> = cases
            .iter()
            .map(|(client, code, words)| {
                scope.spawn(move || {
                    let stop = refusal(client);
                    let right = stop.exit_code() == *code && stop.to_string().contains(words);
                    (!right).then(|| format!("{}: {} {stop}", client.name, stop.exit_code()))
                })
            })
            .collect();
        asked.into_iter().filter_map(|case| case.join().expect("it ends")).collect()
    })
}

#[test]
fn each_thing_that_is_missing_has_its_exit_code_and_its_sentence() {
    use Delivery::{AtLeastOnce, ExactlyOnce};
    let kafka = secured();
    let client = |name, listener, tls, sasl, delivery| Client {
        name,
        listener,
        tls,
        sasl,
        delivery,
        protocol: Protocol::Classic,
    };
    let plain = |name, user: &str, delivery| {
        let password = format!("{user}-secret");
        client(name, "PLAIN", Tls::default(), sasl("PLAIN", user, &password), delivery)
    };
    let wrong = |mechanism| sasl(mechanism, "gate", "a-guess");
    let (none, open) = (Sasl::default, Tls::default);
    let cases = [
        (
            client("password", "PLAIN", open(), wrong("PLAIN"), AtLeastOnce),
            77,
            "does not let us in",
        ),
        (
            client("SCRAM password", "SCRAM", tls(kafka), wrong("SCRAM-SHA-512"), AtLeastOnce),
            77,
            "does not let us in",
        ),
        (
            client("authority", "TLS", misled_tls(kafka), none(), AtLeastOnce),
            69,
            "is not trusted: it is of no authority in kafka.tls.ca_file",
        ),
        (client("certificate", "MTLS", tls(kafka), none(), AtLeastOnce), 69, "answers: "),
        (client("encryption", "TLS", open(), none(), AtLeastOnce), 69, "answers: "),
        (plain("reading", "blind", AtLeastOnce), 77, "may not read the topic own-posts"),
        (plain("writing", "mute", AtLeastOnce), 77, "may not write to the topic own-decisions"),
        (
            plain("transactions", "mute", ExactlyOnce),
            77,
            "may not write to the topic own-decisions",
        ),
        (plain("group", "loner", AtLeastOnce), 77, "may not join the group own-group"),
        (
            plain("transactional ids", "plain", ExactlyOnce),
            77,
            "transactional ids that begin with own-",
        ),
    ];
    let told = wrongly_told(&cases);
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn no_password_is_told_to_anybody() {
    let kafka = secured();
    let client = Client {
        name: "password",
        listener: "PLAIN",
        tls: Tls::default(),
        sasl: sasl("PLAIN", "gate", "a-guess"),
        delivery: Delivery::AtLeastOnce,
        protocol: Protocol::Classic,
    };
    let stop = refusal(&client);
    let settings = format!("{:?}", client.settings(kafka, &scene(kafka)));
    assert!(!stop.to_string().contains("a-guess") && !settings.contains("a-guess"));
}
