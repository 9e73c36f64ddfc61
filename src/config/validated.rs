//! The configuration once every value is known to make sense.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use super::{
    kafka::{Delivery, KafkaSettings, Protocol, Sasl, Secret, Tls},
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
    /// How Kafka is reached.
    pub kafka: KafkaSettings,
    /// How long a start waits for the brokers.
    pub startup_deadline: Duration,
    /// Where records come from and go to.
    pub topics: Topics,
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
    /// When a partition that yields only dead letters is held back.
    pub breaker: BreakerSettings,
    /// Threads that decide; nothing: one for each core.
    pub threads: Option<NonZeroUsize>,
    /// How long a stop or revoke waits for the broker.
    pub drain_deadline: Duration,
    /// Whether the shipped packs are used.
    pub shipped_rules: bool,
    /// Folders with rules and policies of the platform's own.
    pub overlays: Vec<PathBuf>,
    /// Moderation over HTTP.
    pub http: HttpConfig,
    /// Whether changed rule and model files are noticed by themselves.
    pub reload_watch: bool,
    /// How often files are looked at.
    pub reload_every: Duration,
    /// How long changed files must have been left alone.
    pub reload_settle: Duration,
    /// Where the last bundles and a rollback are kept.
    pub state_dir: PathBuf,
    /// Where the admin server listens; nothing: nowhere.
    pub admin_listen: Option<SocketAddr>,
    /// The file with the token that the admin server asks for.
    pub admin_token_file: Option<PathBuf>,
    /// How much is logged.
    pub log_level: String,
}

/// Moderation over HTTP.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where it listens; nothing: `run` nowhere, `serve` at its own default.
    pub listen: Option<SocketAddr>,
    /// The file with the token that requests bring.
    pub token_file: Option<PathBuf>,
    /// Threads that decide; nothing: as many as fit the command.
    pub threads: Option<NonZeroUsize>,
    /// Requests at once.
    pub in_flight: NonZeroUsize,
    /// How long a request waits for its decisions.
    pub deadline: Duration,
}

/// When a partition is held back, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many dead letters in a row; none: they are not counted.
    pub in_a_row: Option<NonZeroU32>,
    /// So many percent of the last 1000 records; none: no share is taken.
    pub percent: Option<NonZeroU32>,
    /// How often one record is let through.
    pub probe_every: Duration,
    /// A record that fails so long after the partition was held back ends the worker.
    pub give_up: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            in_a_row: NonZeroU32::new(100),
            percent: NonZeroU32::new(50),
            probe_every: Duration::from_mins(1),
            give_up: Duration::from_mins(30),
        }
    }
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

impl Topics {
    /// Every topic that is in use.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let fixed = [&self.posts, &self.decisions, &self.dead_letters];
        fixed.into_iter().chain(&self.reviews).chain(&self.blocks).map(String::as_str)
    }
}

impl Config {
    /// Checks every value; nothing when any is wrong, and all that are wrong are reported.
    pub fn validate(raw: &RawConfig, out: &mut Diagnostics) -> Option<Self> {
        let mut check = Checker { raw, out };
        let config = Self {
            source_name: check.optional("source.name"),
            kafka: check.kafka(),
            startup_deadline: check.period("kafka.startup_deadline"),
            topics: check.topics(),
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
            breaker: check.breaker(),
            threads: NonZeroUsize::new(check.parsed("worker.threads", "a number of threads")),
            drain_deadline: check.period("worker.drain_deadline"),
            shipped_rules: check.boolean("rules.shipped"),
            overlays: raw.get("rules.overlays").text.lines().map(PathBuf::from).collect(),
            http: check.http(),
            reload_watch: check.boolean("reload.watch"),
            reload_every: check.interval("reload.every"),
            reload_settle: check.period("reload.settle"),
            state_dir: PathBuf::from(check.text("state.dir")),
            admin_listen: check.address("admin.listen"),
            admin_token_file: check.optional("admin.token_file").map(PathBuf::from),
            log_level: check.choice("log.level", &LOG_LEVELS.map(|l| (l, l))).to_owned(),
        };
        for problem in config.kafka.nesting_problems(config.drain_deadline) {
            out.push(Diagnostic::global("C004", problem));
        }
        (!out.has_errors()).then_some(config)
    }
}

/// Each request in flight may hold its whole body.
const HTTP_IN_FLIGHT_MAX: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");
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

    fn kafka(&mut self) -> KafkaSettings {
        let protocols = [("classic", Protocol::Classic), ("consumer", Protocol::Consumer)];
        let deliveries =
            [("at_least_once", Delivery::AtLeastOnce), ("exactly_once", Delivery::ExactlyOnce)];
        let path = |key: &str| self.optional(key).map(PathBuf::from);
        let secret = |key: &str| self.optional(key).map(Secret);
        let [ca_file, certificate_file, key_file] =
            ["kafka.tls.ca_file", "kafka.tls.certificate_file", "kafka.tls.key_file"].map(path);
        let key_password = secret("kafka.tls.key_password");
        let sasl = Sasl {
            mechanism: self.optional("kafka.sasl.mechanism"),
            username: self.optional("kafka.sasl.username"),
            password: secret("kafka.sasl.password"),
        };
        let pass_through = self.raw.pass_through();
        let settings = KafkaSettings {
            librdkafka: pass_through.map(|(k, v)| (k.to_owned(), v.text.clone())).collect(),
            brokers: self.text("kafka.brokers"),
            group: self.text("kafka.group"),
            protocol: self.choice("kafka.protocol", &protocols),
            delivery: self.choice("delivery", &deliveries),
            tls: Tls {
                enabled: self.boolean("kafka.tls.enabled"),
                ca_file,
                certificate_file,
                key_file,
                key_password,
            },
            sasl,
        };
        for problem in settings.problems() {
            self.out.push(Diagnostic::global("C004", problem));
        }
        settings
    }

    fn breaker(&mut self) -> BreakerSettings {
        let of = |name: &str| format!("dead_letters.breaker.{name}");
        let breaker = BreakerSettings {
            in_a_row: NonZeroU32::new(self.parsed(&of("in_a_row"), "a number of records")),
            percent: NonZeroU32::new(self.parsed(&of("percent"), "a number from 0 to 100")),
            probe_every: self.interval(&of("probe_every")),
            give_up: self.period(&of("give_up")),
        };
        if breaker.percent.is_some_and(|percent| percent.get() > 100) {
            self.wrong(&of("percent"), "is at most 100");
        }
        breaker
    }

    fn http(&mut self) -> HttpConfig {
        let http = HttpConfig {
            listen: self.address("http.listen"),
            token_file: self.optional("http.token_file").map(PathBuf::from),
            threads: NonZeroUsize::new(self.parsed("http.threads", "a number of threads")),
            in_flight: self.parsed("http.in_flight", "a number from 1 on"),
            deadline: self.period("http.deadline"),
        };
        if http.in_flight > HTTP_IN_FLIGHT_MAX {
            self.wrong("http.in_flight", &format!("is at most {HTTP_IN_FLIGHT_MAX}"));
        }
        if http.deadline.is_zero() {
            self.wrong("http.deadline", "must be more than nothing");
        }
        http
    }

    fn address(&mut self, key: &str) -> Option<SocketAddr> {
        let text = self.optional(key)?;
        let address = text.parse();
        address.map_err(|_| self.wrong(key, "takes an address such as 127.0.0.1:8080")).ok()
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

    fn interval(&mut self, key: &str) -> Duration {
        let interval = self.period(key);
        if interval.is_zero() {
            self.wrong(key, "must be more than nothing");
        }
        interval
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
    fn the_breaker_as_shipped_is_the_default() {
        let (config, _) = read("", &[]);
        assert_eq!(config.expect("defaults are enough").breaker, BreakerSettings::default());
        let (_, wrong) = read("dead_letters: {breaker: {percent: 101, probe_every: 0s}}", &[]);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        let (config, _) = read("dead_letters: {breaker: {percent: 0}}", &[]);
        assert_eq!(config.expect("0 switches it off").breaker.percent, None);
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
    fn times_of_kafka_that_do_not_nest_are_refused() {
        let file = "delivery: exactly_once\nkafka: {librdkafka: {session.timeout.ms: 6000}}";
        let (config, wrong) = read(file, &[("TIDEGATE__WORKER__DRAIN_DEADLINE", "5m")]);
        assert!(config.is_none());
        assert_eq!(
            wrong,
            [
                "worker.drain_deadline (300000 ms) must be well below max.poll.interval.ms \
                 (300000 ms), or the group excludes a worker that waits for the broker",
                "transaction.timeout.ms (20000 ms) must be below session.timeout.ms (6000 ms), or \
                 the next owner of a partition waits for the transaction of a worker that died",
            ]
        );
    }

    #[test]
    fn all_mistakes_are_said_at_once() {
        let file = "bacth: {linger: 1s}\nbatch: {max_records: none, max_bytes: 0}\ndelivery: maybe";
        let file = format!("{file}\nhttp: {{listen: everywhere, in_flight: 5000, deadline: 0s}}");
        let (config, wrong) = read(&file, &[("TIDEGATE__LIMITS__JSON_DEPTH", "deep")]);
        assert!(config.is_none());
        assert_eq!(
            wrong,
            [
                "`limits.json_depth` takes a number of levels (set by TIDEGATE__LIMITS__JSON_DEPTH)",
                "`bacth` is no setting",
                "`batch.max_records` takes a number from 1 on",
                "`batch.max_bytes` must be more than nothing",
                "`delivery` is one of: at_least_once, exactly_once",
                "`http.listen` takes an address such as 127.0.0.1:8080",
                "`http.in_flight` is at most 4096",
                "`http.deadline` must be more than nothing",
            ]
        );
    }
}
