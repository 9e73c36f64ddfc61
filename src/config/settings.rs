//! Every setting with its default and its meaning: one table from which files are read, the
//! environment is read, `config show` is printed and the reference is written.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its path in the file, such as `batch.linger`.
    pub key: &'static str,
    /// The value without any configuration; empty: none.
    pub default: &'static str,
    /// Whether its value is hidden where values are shown.
    pub secret: bool,
    /// What it does, in one sentence.
    pub about: &'static str,
}

const fn setting(key: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting { key, default, secret: false, about }
}

const fn secret(key: &'static str, about: &'static str) -> Setting {
    Setting { key, default: "", secret: true, about }
}

/// Keys whose values are free: `kafka.librdkafka.<name>`.
pub(super) const PASS_THROUGH: &str = "kafka.librdkafka.";
/// Keys whose value is a list of texts.
pub(super) const LISTS: [&str; 1] = ["rules.overlays"];

/// Every setting, in the order of the file.
pub const SETTINGS: &[Setting] = &[
    setting("source.name", "", "names the platform; part of every decision id; required for run"),
    setting("kafka.brokers", "localhost:9092", "where Kafka answers, host:port with commas"),
    setting("kafka.group", "tidegate", "the consumer group that shares the work"),
    setting("kafka.protocol", "classic", "group protocol: classic or consumer (KIP-848)"),
    setting("kafka.tls.enabled", "false", "encrypt the connection"),
    setting("kafka.tls.ca_file", "", "PEM file of the authorities to trust"),
    setting("kafka.tls.certificate_file", "", "PEM file of this client's certificate"),
    setting("kafka.tls.key_file", "", "PEM file of this client's key"),
    secret("kafka.tls.key_password", "password of that key"),
    setting("kafka.sasl.mechanism", "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
    setting("kafka.sasl.username", "", "who logs in"),
    secret("kafka.sasl.password", "with which password"),
    setting("kafka.startup_deadline", "30s", "how long a start waits for the brokers"),
    setting("topics.posts", "posts", "where posts are read"),
    setting("topics.decisions", "decisions", "where decisions are published"),
    setting("topics.dead_letters", "posts.dead-letters", "where unusable records go"),
    setting("topics.reviews", "", "also gets decisions that ask for a review or delete a post"),
    setting("topics.blocks", "", "also gets decisions that block somewhere"),
    setting("delivery", "at_least_once", "what is promised: at_least_once or exactly_once"),
    setting("batch.max_records", "1000", "most records of a batch"),
    setting("batch.max_bytes", "8MiB", "most bytes of a batch"),
    setting("batch.linger", "5ms", "how long a batch waits for more records"),
    setting("batch.in_flight", "8", "batches that may wait for the broker at once"),
    setting("limits.record_bytes", "1MiB", "most bytes of a post's record"),
    setting("limits.json_depth", "64", "deepest nesting of a post's JSON"),
    setting("decision.include_text", "false", "repeat the post's text in the decision"),
    setting("publish.give_up", "10m", "how long publishing may fail before the worker stops"),
    setting("dead_letters.max_bytes", "900KiB", "above that a dead letter is a claim check"),
    setting("dead_letters.breaker.in_a_row", "100", "so many hold the partition back; 0: never"),
    setting("dead_letters.breaker.percent", "50", "the same by share of the last 1000; 0: never"),
    setting("dead_letters.breaker.probe_every", "1m", "how often a held partition is tried"),
    setting("dead_letters.breaker.give_up", "30m", "after that a failed try ends the worker"),
    setting("worker.threads", "0", "threads that decide; 0: one for each core"),
    setting("worker.drain_deadline", "10s", "how long a stop or revoke waits for the broker"),
    setting("rules.shipped", "true", "use the shipped rule packs"),
    setting("rules.overlays", "", "folders with rules and policies of your own; later ones win"),
    setting("http.listen", "", "where POST /v1/moderate answers; serve: 127.0.0.1:8080"),
    setting("http.token_file", "", "a file with the bearer token that requests then bring"),
    setting("http.threads", "0", "threads that decide for HTTP; 0: each core for serve, 2 for run"),
    setting("http.in_flight", "64", "requests at once; more are answered 503"),
    setting("http.deadline", "2s", "how long a request waits for its decisions before 503"),
    setting("reload.watch", "true", "notice changed rule and model files; SIGHUP always does"),
    setting("reload.every", "2s", "how often files are looked at"),
    setting("reload.settle", "1s", "how long changed files must have been left alone"),
    setting("state.dir", ".tidegate/state", "where the last bundles and a rollback are kept"),
    setting("admin.listen", "127.0.0.1:9464", "where /metrics, /livez and /readyz answer"),
    setting("admin.token_file", "", "a file with the bearer token that /metrics then asks for"),
    setting("log.level", "info", "error, warn, info, debug or trace"),
];

/// The setting of this key.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The environment variable of a key: `TIDEGATE__BATCH__LINGER`.
pub fn variable(key: &str) -> String {
    format!("TIDEGATE__{}", key.replace('.', "__").to_ascii_uppercase())
}
