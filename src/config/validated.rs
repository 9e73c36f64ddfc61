//! The configuration once every value is known to make sense.

use std::{
    collections::BTreeMap, net::SocketAddr, num::NonZeroUsize, path::PathBuf, str::FromStr,
    time::Duration,
};

use super::{
    raw::{Origin, RawConfig},
    settings::find,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    units::{Bytes, Period},
    wire::Limits,
};

/// Everything a worker or a tool is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The platform's name, part of every decision id; required for `run` only.
    pub source_name: Option<String>,
    /// Where Kafka answers.
    pub brokers: String,
    /// The consumer group.
    pub group: String,
    /// How the group shares partitions.
    pub protocol: GroupProtocol,
    /// Encryption, when it is wanted.
    pub tls: Option<Tls>,
    /// Login, when it is wanted.
    pub sasl: Option<Sasl>,
    /// Settings handed to librdkafka as they are.
    pub librdkafka: BTreeMap<String, String>,
    /// How long a start waits for the brokers.
    pub startup_deadline: Duration,
    /// Where records come from and go to.
    pub topics: Topics,
    /// What delivery promises.
    pub delivery: Delivery,
    /// Most records of a batch.
    pub batch_max_records: NonZeroUsize,
    /// Most bytes of a batch.
    pub batch_max_bytes: usize,
    /// How long a batch waits for more records.
    pub batch_linger: Duration,
    /// Batches that may wait for the broker at once.
    pub batches_in_flight: NonZeroUsize,
    /// What input may be at most.
    pub limits: Limits,
    /// Whether decisions repeat the post's text.
    pub include_text: bool,
    /// How long publishing may fail before the worker stops.
    pub publish_give_up: Duration,
    /// Above that a dead letter is a claim check, in bytes.
    pub dead_letter_max_bytes: usize,
    /// Threads that decide; nothing: one for each core.
    pub threads: Option<NonZeroUsize>,
    /// How long a stop or revoke waits for the broker.
    pub drain_deadline: Duration,
    /// Whether the shipped packs are used.
    pub shipped_rules: bool,
    /// Folders with rules and policies of the platform's own.
    pub overlays: Vec<PathBuf>,
    /// Where the admin server listens.
    pub admin_listen: SocketAddr,
    /// How much is logged.
    pub log_level: String,
}

/// Where records come from and go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// Posts.
    pub posts: String,
    /// Decisions.
    pub decisions: String,
    /// Records that cannot be processed.
    pub dead_letters: String,
    /// Decisions that ask for a review or delete a post, as well.
    pub reviews: Option<String>,
    /// Decisions that block somewhere, as well.
    pub blocks: Option<String>,
}

/// How the group shares partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupProtocol {
    /// The protocol that every broker speaks, cooperative.
    Classic,
    /// KIP-848.
    Consumer,
}

/// What delivery promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Decisions may repeat, with the same id.
    AtLeastOnce,
}

/// Encryption of the connection to the brokers.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Authorities to trust; nothing: the system's.
    pub ca_file: Option<PathBuf>,
    /// This client's certificate and key.
    pub certificate_file: Option<PathBuf>,
    /// This client's key.
    pub key_file: Option<PathBuf>,
    /// The key's password.
    pub key_password: Option<String>,
}

/// Login to the brokers.
#[derive(Clone)]
pub struct Sasl {
    /// How.
    pub mechanism: SaslMechanism,
    /// Who.
    pub username: String,
    /// With which password.
    pub password: String,
}

impl std::fmt::Debug for Sasl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sasl").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// How a client logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    /// A password as it is; only over TLS.
    Plain,
    /// A challenge over SHA-256.
    ScramSha256,
    /// A challenge over SHA-512.
    ScramSha512,
}

impl SaslMechanism {
    /// The name that brokers know.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Config {
    /// Checks every value; nothing when any is wrong, and all that are wrong are reported.
    pub fn validate(raw: &RawConfig, out: &mut Diagnostics) -> Option<Self> {
        let mut check = Checker { raw, out };
        let protocols =
            [("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)];
        let config = Self {
            source_name: check.optional("source.name"),
            brokers: check.text("kafka.brokers"),
            group: check.text("kafka.group"),
            protocol: check.choice("kafka.protocol", &protocols),
            tls: check.tls(),
            sasl: check.sasl(),
            librdkafka: raw
                .pass_through()
                .map(|(key, value)| (key.to_owned(), value.text.clone()))
                .collect(),
            startup_deadline: check.period("kafka.startup_deadline"),
            topics: check.topics(),
            delivery: check.choice("delivery", &[("at_least_once", Delivery::AtLeastOnce)]),
            batch_max_records: check.parsed("batch.max_records", "a number from 1 on"),
            batch_max_bytes: check.bytes("batch.max_bytes"),
            batch_linger: check.period("batch.linger"),
            batches_in_flight: check.parsed("batch.in_flight", "a number from 1 on"),
            limits: Limits {
                record_bytes: check.bytes("limits.record_bytes"),
                json_depth: check.parsed("limits.json_depth", "a number of levels"),
            },
            include_text: check.boolean("decision.include_text"),
            publish_give_up: check.period("publish.give_up"),
            dead_letter_max_bytes: check.bytes("dead_letters.max_bytes"),
            threads: NonZeroUsize::new(check.parsed("worker.threads", "a number of threads")),
            drain_deadline: check.period("worker.drain_deadline"),
            shipped_rules: check.boolean("rules.shipped"),
            overlays: raw.get("rules.overlays").text.lines().map(PathBuf::from).collect(),
            admin_listen: check.parsed("admin.listen", "an address such as 127.0.0.1:9464"),
            log_level: check.choice("log.level", &LOG_LEVELS.map(|l| (l, l))).to_owned(),
        };
        (!out.has_errors()).then_some(config)
    }
}

const LOG_LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Reads values; one that is wrong is reported, and its default stands in for it so that the others
/// are checked too.
struct Checker<'a> {
    raw: &'a RawConfig,
    out: &'a mut Diagnostics,
}

impl Checker<'_> {
    fn topics(&mut self) -> Topics {
        let topics = Topics {
            posts: self.text("topics.posts"),
            decisions: self.text("topics.decisions"),
            dead_letters: self.text("topics.dead_letters"),
            reviews: self.optional("topics.reviews"),
            blocks: self.optional("topics.blocks"),
        };
        let written = [Some(&topics.decisions), Some(&topics.dead_letters)];
        let optional = [topics.reviews.as_ref(), topics.blocks.as_ref()];
        if written.into_iter().chain(optional).flatten().any(|topic| *topic == topics.posts) {
            self.wrong("topics.posts", "must not be one of the topics that are written to");
        }
        topics
    }

    fn tls(&mut self) -> Option<Tls> {
        let enabled = self.boolean("kafka.tls.enabled");
        let path = |key: &str| self.optional(key).map(PathBuf::from);
        let tls = Tls {
            ca_file: path("kafka.tls.ca_file"),
            certificate_file: path("kafka.tls.certificate_file"),
            key_file: path("kafka.tls.key_file"),
            key_password: self.optional("kafka.tls.key_password"),
        };
        if tls.certificate_file.is_some() != tls.key_file.is_some() {
            self.wrong("kafka.tls.key_file", "goes together with kafka.tls.certificate_file");
        }
        enabled.then_some(tls)
    }

    fn sasl(&mut self) -> Option<Sasl> {
        self.optional("kafka.sasl.mechanism")?;
        let all = [SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512];
        let name = self.raw.get("kafka.sasl.mechanism").text.trim();
        let mechanism = all.into_iter().find(|mechanism| mechanism.as_str() == name);
        if mechanism.is_none() {
            let what = "is one of: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512";
            self.wrong("kafka.sasl.mechanism", what);
        }
        let username = self.text("kafka.sasl.username");
        let password = self.text("kafka.sasl.password");
        Some(Sasl { mechanism: mechanism?, username, password })
    }

    fn bytes(&mut self, key: &str) -> usize {
        let Bytes(bytes) = self.parsed(key, "a size such as 8MiB");
        if bytes == 0 {
            self.wrong(key, "must be more than nothing");
        }
        bytes
    }

    fn period(&mut self, key: &str) -> Duration {
        let Period(period) = self.parsed(key, "a duration such as 5s");
        period
    }

    fn boolean(&mut self, key: &str) -> bool {
        self.parsed(key, "`true` or `false`")
    }

    fn text(&mut self, key: &str) -> String {
        let text = self.optional(key);
        text.unwrap_or_else(|| {
            self.wrong(key, "needs a value");
            default(key).to_owned()
        })
    }

    fn optional(&self, key: &str) -> Option<String> {
        let text = self.raw.get(key).text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn choice<T: Copy>(&mut self, key: &str, all: &[(&str, T)]) -> T {
        let find = |text: &str| all.iter().find(|(name, _)| *name == text).map(|&(_, value)| value);
        find(self.raw.get(key).text.trim()).unwrap_or_else(|| {
            let names: Vec<&str> = all.iter().map(|&(name, _)| name).collect();
            self.wrong(key, &format!("is one of: {}", names.join(", ")));
            find(default(key)).expect("every default is valid")
        })
    }

    fn parsed<T: FromStr>(&mut self, key: &str, expected: &str) -> T {
        self.raw.get(key).text.trim().parse().unwrap_or_else(|_| {
            self.wrong(key, &format!("takes {expected}"));
            default(key).parse().ok().expect("every default is valid")
        })
    }

    fn wrong(&mut self, key: &str, what: &str) {
        let message = format!("`{key}` {what}");
        self.out.push(match &self.raw.get(key).origin {
            Origin::File(location) => Diagnostic::error("C003", location.clone(), message),
            Origin::Environment(variable) => {
                Diagnostic::global("C003", format!("{message} (set by {variable})"))
            }
            Origin::Default => Diagnostic::global("C003", message),
        });
    }
}

fn default(key: &str) -> &'static str {
    find(key).expect("the key stands in the table of settings").default
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceFile;

    fn read(file: &str, environment: &[(&str, &str)]) -> (Option<Config>, Vec<String>) {
        let mut out = Diagnostics::default();
        let file = Arc::new(SourceFile { path: "tidegate.yaml".into(), text: file.into() });
        let environment = environment.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
        let raw = RawConfig::read(Some(&file), environment, &mut out);
        let config = Config::validate(&raw, &mut out);
        (config, out.sorted().iter().map(|d| d.message.clone()).collect())
    }

    #[test]
    fn every_default_is_valid() {
        let (config, wrong) = read("", &[]);
        assert_eq!(wrong, [""; 0]);
        assert_eq!(config.expect("defaults are enough").batch_max_records.get(), 1000);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
        let file = "batch: {max_records: 7, linger: 9ms}\nrules: {overlays: [a, b]}";
        let (config, wrong) = read(file, &[("TIDEGATE__BATCH__LINGER", "3ms")]);
        assert_eq!(wrong, [""; 0]);
        let config = config.expect("the configuration is fine");
        assert_eq!(config.batch_max_records.get(), 7);
        assert_eq!(config.batch_linger, Duration::from_millis(3));
        assert_eq!(config.overlays, [PathBuf::from("a"), PathBuf::from("b")]);
    }

    #[test]
    fn all_mistakes_are_said_at_once() {
        let file = "bacth: {linger: 1s}\nbatch: {max_records: none, max_bytes: 0}\ndelivery: maybe";
        let (config, wrong) = read(file, &[("TIDEGATE__LIMITS__JSON_DEPTH", "deep")]);
        assert!(config.is_none());
        assert_eq!(
            wrong,
            [
                "`limits.json_depth` takes a number of levels (set by TIDEGATE__LIMITS__JSON_DEPTH)",
                "`bacth` is no setting",
                "`batch.max_records` takes a number from 1 on",
                "`batch.max_bytes` must be more than nothing",
                "`delivery` is one of: at_least_once",
            ]
        );
    }
}
