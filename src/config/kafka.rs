//! The only place of librdkafka's settings, each with its reason.
//!
//! What delivery rests on is ours alone; an operator's pass-through map may set the rest, and every
//! refused key is reported at once. Values never appear in messages: some are secrets.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

#[cfg(feature = "kafka")]
use rdkafka::{ClientConfig, config::RDKafkaLogLevel};

/// How Kafka is reached.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// The consumer group.
    pub group: String,
    /// How partitions are shared out.
    pub protocol: Protocol,
    /// What delivery promises.
    pub delivery: Delivery,
    /// Encryption.
    pub tls: Tls,
    /// Who we are.
    pub sasl: Sasl,
    /// librdkafka's own settings, by their names there.
    pub librdkafka: BTreeMap<String, String>,
}

/// How a group shares out its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// Members agree among themselves, cooperative and sticky.
    #[default]
    Classic,
    /// The broker assigns (KIP-848). Experimental on librdkafka below 2.15.
    Consumer,
}

/// What delivery promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Nothing is lost; after a crash decisions repeat, with their ids.
    #[default]
    AtLeastOnce,
    /// Decisions and positions are committed in one transaction: whoever reads committed records
    /// sees each decision once.
    ExactlyOnce,
}

/// Encryption; on when `enabled` is set or any file is named.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Encrypt, and trust the system's authorities where no file says otherwise.
    pub enabled: bool,
    /// Authorities to trust, PEM.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, PEM.
    pub certificate_file: Option<PathBuf>,
    /// Its key, PEM.
    pub key_file: Option<PathBuf>,
    /// The key's password.
    pub key_password: Option<Secret>,
}

/// Authentication; off without a mechanism.
#[derive(Debug, Clone, Default)]
pub struct Sasl {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: Option<String>,
    /// The name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Keys that delivery rests on.
const OWN: [&str; 27] = [
    "acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "group.id",
    "group.protocol",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.broker.list",
    "offset.store.method",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "retries",
    "statistics.interval.ms",
    "transactional.id",
    "group.instance.id",
];

/// Keys that have a setting of their own, as (prefix, where).
const ELSEWHERE: [(&str, &str); 3] =
    [("security.protocol", "kafka.tls"), ("ssl.", "kafka.tls"), ("sasl.", "kafka.sasl")];

/// Keys that belong to the classic protocol only.
const CLASSIC_ONLY: [&str; 3] =
    ["session.timeout.ms", "heartbeat.interval.ms", "group.protocol.type"];

/// Settings whose times must nest, as shipped, in milliseconds: a worker that died has its
/// transaction aborted before its partitions go to somebody else.
const TRANSACTION_TIMEOUT: (&str, u64) = ("transaction.timeout.ms", 20_000);
const SESSION_TIMEOUT: (&str, u64) = ("session.timeout.ms", 45_000);
const POLL_INTERVAL: (&str, u64) = ("max.poll.interval.ms", 300_000);
/// A commit takes two requests to the broker and must fit twice.
const TRANSACTION_TIMEOUT_MIN: u64 = 1_000;
/// Longest wait for the answer to one commit. Far below the time after which the client would send
/// it again by itself: such a late request could end a later transaction.
const COMMIT_MAX: Duration = Duration::from_secs(5);

impl KafkaSettings {
    /// Everything that is wrong with the settings, one sentence each.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> =
            self.librdkafka.keys().filter_map(|key| self.refusal(key)).collect();
        for (name, value) in [("brokers", &self.brokers), ("group", &self.group)] {
            if value.trim().is_empty() {
                problems.push(format!("kafka.{name} is empty"));
            }
        }
        if self.sasl.mechanism.is_some()
            && (self.sasl.username.is_none() || self.sasl.password.is_none())
        {
            problems.push("kafka.sasl needs a username and a password".into());
        }
        problems
    }

    /// Every two times that do not nest, one sentence each, for a worker that waits so long for the
    /// broker when partitions are taken away.
    pub fn nesting_problems(&self, revoke: Duration) -> Vec<String> {
        let mut problems = Vec::new();
        let revoke = u64::try_from(revoke.as_millis()).unwrap_or(u64::MAX);
        let poll_interval = self.milliseconds(POLL_INTERVAL);
        let exactly_once = self.delivery == Delivery::ExactlyOnce;
        let commit = if exactly_once { self.commit_wait() } else { Duration::ZERO };
        let commit = u64::try_from(commit.as_millis()).unwrap_or(u64::MAX);
        if revoke.saturating_add(commit) >= poll_interval {
            problems.push(format!(
                "worker.drain_deadline ({revoke} ms) must be well below {} ({poll_interval} ms), \
                 or the group excludes a worker that waits for the broker",
                POLL_INTERVAL.0
            ));
        }
        if !exactly_once {
            return problems;
        }
        let (name, transaction) = (TRANSACTION_TIMEOUT.0, self.milliseconds(TRANSACTION_TIMEOUT));
        if transaction < TRANSACTION_TIMEOUT_MIN {
            problems.push(format!(
                "{name} ({transaction} ms) must be {TRANSACTION_TIMEOUT_MIN} ms or more"
            ));
        }
        let session = self.milliseconds(SESSION_TIMEOUT);
        // With the newer protocol the session is the broker's setting.
        if self.protocol == Protocol::Classic && transaction >= session {
            problems.push(format!(
                "{name} ({transaction} ms) must be below {} ({session} ms), or the next owner of a \
                 partition waits for the transaction of a worker that died",
                SESSION_TIMEOUT.0
            ));
        }
        problems
    }

    /// How long the answer to a commit is waited for; twice that fits into a transaction.
    pub fn commit_wait(&self) -> Duration {
        let half = Duration::from_millis(self.milliseconds(TRANSACTION_TIMEOUT) / 2);
        half.min(COMMIT_MAX)
    }

    /// What holds of a time: the operator's value, else the shipped one. A value that is no number
    /// is refused by the client itself.
    fn milliseconds(&self, (key, shipped): (&str, u64)) -> u64 {
        self.librdkafka.get(key).and_then(|text| text.trim().parse().ok()).unwrap_or(shipped)
    }

    fn refusal(&self, key: &str) -> Option<String> {
        if OWN.contains(&key) || key.starts_with("test.mock.") {
            let why = "no record is lost only while Tidegate sets it itself";
            return Some(format!("kafka.librdkafka.{key} cannot be set: {why}"));
        }
        if let Some((_, place)) = ELSEWHERE.iter().find(|(prefix, _)| key.starts_with(prefix)) {
            return Some(format!("kafka.librdkafka.{key} is set by {place}"));
        }
        if self.protocol == Protocol::Consumer && CLASSIC_ONLY.contains(&key) {
            return Some(format!("kafka.librdkafka.{key} does not go with protocol: consumer"));
        }
        None
    }
}

/// Without Kafka's client the settings are checked all the same: one file serves both.
#[cfg(feature = "kafka")]
impl KafkaSettings {
    /// The settings of the consumer.
    pub fn consumer(&self) -> ClientConfig {
        let mut config = self.common();
        config.set("group.id", &self.group);
        match self.protocol {
            Protocol::Classic => {
                config.set("group.protocol", "classic");
                // Only the partitions that move stand still during a rebalance.
                config.set("partition.assignment.strategy", "cooperative-sticky");
                // A worker that dies is noticed after this time; one that pauses is not thrown out.
                config.set(SESSION_TIMEOUT.0, SESSION_TIMEOUT.1.to_string());
                config.set("heartbeat.interval.ms", "3000");
            }
            Protocol::Consumer => {
                config.set("group.protocol", "consumer");
            }
        }
        // A record is finished when its decision is acknowledged, never when it is handed out.
        config.set("enable.auto.offset.store", "false");
        // The positions that were stored are committed each second, and at once when it matters;
        // or by the transaction that holds the decisions, and by nothing else.
        let by_itself = self.delivery == Delivery::AtLeastOnce;
        config.set("enable.auto.commit", by_itself.to_string());
        config.set("auto.commit.interval.ms", "1000");
        // A new group begins with the oldest post: the default would skip whatever is there.
        config.set("auto.offset.reset", "earliest");
        // Posts of aborted transactions were never published.
        config.set("isolation.level", "read_committed");
        // A mistyped topic is an error, not a new topic.
        config.set("allow.auto.create.topics", "false");
        config.set(POLL_INTERVAL.0, POLL_INTERVAL.1.to_string());
        // A bit that flipped on the way is found, not judged: the client leaves out such records and
        // reports them, upon which the worker stops.
        config.set("check.crcs", "true");
        // What is read ahead: about 16 MiB, going beyond by one fetch of 8 MiB at most.
        config.set("queued.max.messages.kbytes", "16384");
        // Once that was full, fetching goes on at once: the default of a second starves a fast
        // worker, which has emptied the queue long before (measured: six times slower).
        config.set("fetch.queue.backoff.ms", "10");
        config.set("fetch.max.bytes", "8388608");
        // After the end of a partition was met, it is asked again soon.
        config.set("fetch.error.backoff.ms", "100");
        // Lag by partition.
        config.set("statistics.interval.ms", "5000");
        self.pass_through(config)
    }

    /// The settings of the producer.
    pub fn producer(&self) -> ClientConfig {
        let mut config = self.writer();
        // No decision gives up by itself; the worker decides when to stop.
        config.set("message.timeout.ms", "0");
        self.pass_through(config)
    }

    /// The settings of a producer of transactions that is known to Kafka as `id`. Two that live at
    /// once must not share it: the later one fences the earlier.
    pub fn transactional_producer(&self, id: &str) -> ClientConfig {
        let mut config = self.writer();
        config.set("transactional.id", id);
        // Kafka aborts what takes longer. Without a time of their own, records give up then too.
        config.set(TRANSACTION_TIMEOUT.0, TRANSACTION_TIMEOUT.1.to_string());
        self.pass_through(config)
    }

    fn writer(&self) -> ClientConfig {
        let mut config = self.common();
        // Retries inside the client neither repeat nor reorder.
        config.set("enable.idempotence", "true");
        // Acknowledged means: on every replica in sync.
        config.set("acks", "all");
        // A few milliseconds fill the batches that compression needs.
        config.set("linger.ms", "5");
        config.set("compression.type", "lz4");
        // Bounded memory; a full queue is back-pressure, nothing is dropped.
        config.set("queue.buffering.max.messages", "20000");
        config.set("queue.buffering.max.kbytes", "32768");
        // The same partition for a key as Java clients choose.
        config.set("partitioner", "murmur2_random");
        config
    }

    /// The settings of a client that only asks what there is.
    pub fn observer(&self) -> ClientConfig {
        let mut config = self.common();
        config.set("allow.auto.create.topics", "false");
        self.pass_through(config)
    }

    fn common(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", "tidegate");
        // After an outage everybody comes back within a second or so, but not at once.
        config.set("reconnect.backoff.ms", "50");
        config.set("reconnect.backoff.max.ms", "2000");
        // A half-open connection is noticed.
        config.set("socket.keepalive.enable", "true");
        config.set_log_level(RDKafkaLogLevel::Warning);
        self.security(&mut config);
        config
    }

    fn security(&self, config: &mut ClientConfig) {
        let tls = &self.tls;
        let files = [
            ("ssl.ca.location", &tls.ca_file),
            ("ssl.certificate.location", &tls.certificate_file),
            ("ssl.key.location", &tls.key_file),
        ];
        let encrypted = tls.enabled || files.iter().any(|(_, file)| file.is_some());
        let protocol = match (&self.sasl.mechanism, encrypted) {
            (None, false) => "plaintext",
            (None, true) => "ssl",
            (Some(_), false) => "sasl_plaintext",
            (Some(_), true) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        for (key, file) in files {
            if let Some(file) = file {
                config.set(key, file.to_string_lossy());
            }
        }
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.0.clone());
        let texts = [
            ("ssl.key.password", secret(&tls.key_password)),
            ("sasl.mechanism", self.sasl.mechanism.clone()),
            ("sasl.username", self.sasl.username.clone()),
            ("sasl.password", secret(&self.sasl.password)),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                config.set(key, text);
            }
        }
    }

    fn pass_through(&self, mut config: ClientConfig) -> ClientConfig {
        for (key, value) in &self.librdkafka {
            config.set(key, value);
        }
        config
    }
}

/// What a client is told, sorted, in a form that may be shown.
#[cfg(feature = "kafka")]
pub fn shown(config: &ClientConfig) -> BTreeMap<&str, &str> {
    const SECRET: [&str; 5] = ["password", "secret", "pem", "jaas", "oauthbearer"];
    let hidden = |key: &str| SECRET.iter().any(|word| key.contains(word));
    let all = config.config_map().into_iter();
    all.map(|(key, value)| (key, if hidden(key) { "***" } else { value })).collect()
}

#[cfg(all(test, feature = "kafka"))]
mod tests {
    use std::collections::BTreeMap;

    use std::time::Duration;

    use super::{Delivery, KafkaSettings, OWN, Protocol, Sasl, Secret, Tls};

    fn settings(librdkafka: &[(&str, &str)]) -> KafkaSettings {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        KafkaSettings {
            brokers: "localhost:9092".into(),
            group: "tidegate".into(),
            protocol: Protocol::Classic,
            delivery: Delivery::default(),
            tls: Tls::default(),
            sasl: Sasl::default(),
            librdkafka: librdkafka.iter().map(owned).collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn every_key_that_delivery_rests_on_is_refused_and_all_are_reported() {
        let all: Vec<(&str, &str)> = OWN.iter().map(|key| (*key, "x")).collect();
        assert_eq!(settings(&all).problems().len(), OWN.len());
        assert_eq!(
            settings(&[("ssl.ca.location", "x"), ("sasl.password", "x")]).problems().len(),
            2
        );
        assert!(settings(&[("session.timeout.ms", "2000")]).problems().is_empty());
    }

    #[test]
    fn the_new_protocol_refuses_the_classic_keys() {
        let mut settings = settings(&[("session.timeout.ms", "2000")]);
        settings.protocol = Protocol::Consumer;
        assert_eq!(settings.problems().len(), 1);
        assert_eq!(settings.consumer().get("partition.assignment.strategy"), None);
    }

    #[test]
    fn librdkafka_knows_every_setting_and_value() {
        for protocol in [Protocol::Classic, Protocol::Consumer] {
            let mut settings = settings(&[]);
            settings.protocol = protocol;
            settings.consumer().create_native_config().expect("consumer settings");
            settings.producer().create_native_config().expect("producer settings");
            settings.observer().create_native_config().expect("observer settings");
            settings.delivery = Delivery::ExactlyOnce;
            settings.consumer().create_native_config().expect("consumer settings");
            let producer = settings.transactional_producer("id");
            producer.create_native_config().expect("transactional settings");
        }
    }

    #[test]
    fn only_transactions_commit_positions_where_delivery_is_exactly_once() {
        let mut settings = settings(&[]);
        assert_eq!(settings.consumer().get("enable.auto.commit"), Some("true"));
        settings.delivery = Delivery::ExactlyOnce;
        assert_eq!(settings.consumer().get("enable.auto.commit"), Some("false"));
        let producer = settings.transactional_producer("id");
        assert_eq!(producer.get("message.timeout.ms"), None, "it would outlive its transaction");
    }

    #[test]
    fn times_that_do_not_nest_are_told_each_by_its_name() {
        use Delivery::{AtLeastOnce, ExactlyOnce};
        use Protocol::{Classic, Consumer};
        let wrong = |pairs: &[(&str, &str)], delivery, protocol, drain| {
            let mut settings = settings(pairs);
            (settings.delivery, settings.protocol) = (delivery, protocol);
            settings.nesting_problems(Duration::from_secs(drain)).len()
        };
        assert_eq!(wrong(&[], ExactlyOnce, Classic, 10), 0, "as shipped");
        assert_eq!(wrong(&[], AtLeastOnce, Classic, 300), 1, "drain against the poll interval");
        assert_eq!(wrong(&[], AtLeastOnce, Classic, 296), 0);
        assert_eq!(wrong(&[], ExactlyOnce, Classic, 296), 1, "with the commit on top");
        let long = [("transaction.timeout.ms", "45000")];
        assert_eq!(wrong(&long, ExactlyOnce, Classic, 10), 1, "against the session");
        assert_eq!(wrong(&long, ExactlyOnce, Consumer, 10), 0, "the session is the broker's");
        assert_eq!(wrong(&long, AtLeastOnce, Classic, 10), 0, "no transaction");
        assert_eq!(wrong(&[("session.timeout.ms", "20000")], ExactlyOnce, Classic, 10), 1);
        assert_eq!(wrong(&[("transaction.timeout.ms", "999")], ExactlyOnce, Classic, 10), 1);
    }

    #[test]
    fn a_commit_is_waited_for_well_within_its_transaction() {
        let wait = |pairs: &[(&str, &str)]| settings(pairs).commit_wait();
        assert_eq!(wait(&[]), Duration::from_secs(5));
        assert_eq!(wait(&[("transaction.timeout.ms", "1500")]), Duration::from_millis(750));
    }

    #[test]
    fn a_worker_faster_than_its_prefetch_is_not_starved_for_a_second() {
        let backoff = settings(&[]).consumer().get("fetch.queue.backoff.ms").map(str::parse::<u32>);
        assert!(matches!(backoff, Some(Ok(0..=20))), "{backoff:?}");
    }

    #[test]
    fn a_password_never_shows() {
        let mut settings = settings(&[]);
        settings.sasl = Sasl {
            mechanism: Some("PLAIN".into()),
            username: Some("gate".into()),
            password: Some(Secret("hunter2".into())),
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
        let producer = settings.producer();
        assert_eq!(producer.get("security.protocol"), Some("sasl_plaintext"));
        let shown = super::shown(&producer);
        assert_eq!((shown["sasl.password"], shown["sasl.username"]), ("***", "gate"));
    }
}
