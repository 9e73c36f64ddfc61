//! Every metric of Tidegate: one struct of handles, one help text each.
//!
//! Handles with a closed label are made at start, so that a counter shows 0 before it first rises
//! and an update costs one atomic addition. Regions and rules are open sets: the number of their
//! series is capped, and what is beyond is counted under `other`.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
};

use prometheus::{
    CounterVec, Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

use super::{
    labels::{ModelStatus, OpinionResult, Reload, Stage, TransactionEnd, TrialResult},
    models::ModelInstruments,
};
use crate::{
    decision::Action,
    delivery::{Disposition, Partition},
    signal::Status,
    wire::error::ErrorCode,
};

/// Most regions with series of their own: every ISO 3166-1 code and some.
const REGIONS_MAX: usize = 300;
/// Most rules with series of their own.
const RULES_MAX: usize = 10_000;
/// The label of whatever is beyond a cap.
const OTHER: &str = "other";

/// From 50 µs, a chunk of a few short posts, to 26 s, a broker in trouble.
const SECONDS: (f64, f64, usize) = (0.000_05, 2.0, 20);
/// From one record to more than any batch.
const RECORDS: (f64, f64, usize) = (1.0, 4.0, 9);
/// The code of a request that was answered with decisions.
const OK: (&str, &str) = ("200", "ok");

/// Handles of all metrics, and the registry they are read from.
#[derive(Debug)]
pub struct Instruments {
    registry: Registry,
    records: Vec<IntCounter>,
    dead_letters: Vec<IntCounter>,
    stages: Vec<Histogram>,
    decisions: IntCounterVec,
    rule_hits: IntCounterVec,
    unnamed_regions: IntCounter,
    unknown_keys: IntCounter,
    batch_records: Histogram,
    in_flight: IntGauge,
    lag: IntGaugeVec,
    assigned: IntGauge,
    held_partitions: IntGauge,
    rebalances: IntCounter,
    producer_rebuilds: IntCounter,
    records_sent_again: IntCounter,
    transactions: TransactionInstruments,
    model_status: Vec<IntGauge>,
    bundle: IntGaugeVec,
    http: HttpInstruments,
    following: Following,
    models: ModelInstruments,
    regions_seen: Mutex<BTreeSet<String>>,
    rules_seen: Mutex<BTreeSet<String>>,
}

/// Delivery exactly once.
#[derive(Debug)]
struct TransactionInstruments {
    ends: Vec<IntCounter>,
    duration: Histogram,
}

/// Moderation over HTTP.
#[derive(Debug)]
struct HttpInstruments {
    requests: IntCounterVec,
    /// By answer: a decision, an error.
    posts: [IntCounter; 2],
    in_flight: IntGauge,
    connections: IntGauge,
    duration: Histogram,
}

/// What is told of the bundle that follows its files, and of emergency files.
#[derive(Debug)]
struct Following {
    reloads: Vec<IntCounter>,
    reload_success: IntGauge,
    bundle_refused: IntGauge,
    bundle_pinned: IntGauge,
    bundle_expiring: IntGauge,
    emergency_refused: IntGauge,
    emergency_overrides: IntGauge,
    emergency_uses: IntCounterVec,
    condition_missing: IntCounterVec,
}

impl Default for Instruments {
    fn default() -> Self {
        Self::new()
    }
}

impl Instruments {
    /// All metrics at zero, in a registry of their own.
    pub fn new() -> Self {
        let registry = Registry::new();
        let make = Maker(&registry);
        let model = make.gauges("model_status", "1 for what the classifier is doing", &["status"]);
        let build =
            make.gauges("build_info", "Always 1; the version is in the label", &["version"]);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Self {
            records: records(&make),
            dead_letters: dead_letters(&make),
            stages: stages(&make),
            model_status: ModelStatus::ALL.map(|s| model.with_label_values(&[s.as_str()])).to_vec(),
            decisions: make.counters(
                "decisions_total",
                "Verdicts by region and action",
                &["region", "action"],
            ),
            rule_hits: make.counters("rule_hits_total", "Rule hits", &["rule", "status"]),
            unnamed_regions: make.counter(
                "unnamed_regions_total",
                "Verdicts for regions that no policy file names, which get the default policy",
            ),
            unknown_keys: make.counter(
                "unknown_keys_total",
                "Keys of posts that nobody knows: a platform that sends more than is read",
            ),
            batch_records: make.histogram("batch_records", "Records in a batch", RECORDS),
            in_flight: make.gauge("in_flight_records", "Records judged and not yet finished"),
            lag: make.gauges(
                "consumer_lag_records",
                "Records of a held partition that are not committed yet",
                &["partition"],
            ),
            assigned: make.gauge("assigned_partitions", "Partitions this worker holds"),
            held_partitions: make.gauge("held_partitions", "Partitions of dead letters, held back"),
            rebalances: make.counter("rebalances_total", "Assignments and revocations"),
            producer_rebuilds: make.counter(
                "producer_rebuilds_total",
                "Times a delivery failed and the producer was built anew",
            ),
            records_sent_again: make.counter(
                "records_sent_again_total",
                "Records that were sent again after a delivery failed; their ids repeat",
            ),
            transactions: TransactionInstruments::new(&make),
            bundle: make.gauges("bundle_info", "1 for the bundle in force", &["bundle"]),
            http: HttpInstruments::new(&make),
            following: Following::new(&make),
            models: ModelInstruments::new(&make),
            regions_seen: Mutex::default(),
            rules_seen: Mutex::default(),
            registry,
        }
    }

    /// The page for Prometheus.
    pub fn render(&self) -> String {
        let mut page = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut page)
            .expect("writing into memory does not fail");
        String::from_utf8(page).expect("the text format is UTF-8")
    }

    /// Counts records by what became of them.
    pub fn records(&self, disposition: Disposition) -> &IntCounter {
        &self.records[position(&Disposition::ALL, disposition)]
    }

    /// Counts dead letters by what is wrong.
    pub fn dead_letters(&self, code: ErrorCode) -> &IntCounter {
        &self.dead_letters[position(&ErrorCode::OF_RECORDS, code)]
    }

    /// How long a stage takes.
    pub fn stage(&self, stage: Stage) -> &Histogram {
        &self.stages[position(&Stage::ALL, stage)]
    }

    /// Counts verdicts. Keep the handle where many are counted.
    pub fn decisions(&self, region: &str, action: Action) -> IntCounter {
        let region = capped(&self.regions_seen, region, REGIONS_MAX);
        self.decisions.with_label_values(&[region, action.as_str()])
    }

    /// Counts rule hits. Keep the handle where many are counted.
    pub fn rule_hits(&self, rule: &str, status: Status) -> IntCounter {
        let rule = capped(&self.rules_seen, rule, RULES_MAX);
        self.rule_hits.with_label_values(&[rule, status.as_str()])
    }

    /// Counts verdicts for regions that no policy file names.
    pub fn unnamed_regions(&self) -> &IntCounter {
        &self.unnamed_regions
    }

    /// Counts decisions in which a condition asked for a value that the post does not give; `key` is one
    /// of the closed vocabulary of conditions.
    pub fn condition_missing(&self, key: &'static str) -> IntCounter {
        self.following.condition_missing.with_label_values(&[key])
    }

    /// Counts keys of posts that nobody knows.
    pub fn unknown_keys(&self) -> &IntCounter {
        &self.unknown_keys
    }

    /// How many records a batch has.
    pub fn batch_records(&self) -> &Histogram {
        &self.batch_records
    }

    /// Records judged and not yet finished.
    pub fn in_flight(&self) -> &IntGauge {
        &self.in_flight
    }

    /// Sets the lag of a held partition.
    pub fn set_lag(&self, partition: Partition, records: i64) {
        self.lag.with_label_values(&[&partition.to_string()]).set(records);
    }

    /// A partition is held no more: its series ends.
    pub fn forget_lag(&self, partition: Partition) {
        // An error says that there was no series, which is as wanted.
        let _ = self.lag.remove_label_values(&[&partition.to_string()]);
    }

    /// Partitions this worker holds.
    pub fn assigned(&self) -> &IntGauge {
        &self.assigned
    }

    /// Partitions held back because they yield only dead letters.
    pub fn held_partitions(&self) -> &IntGauge {
        &self.held_partitions
    }

    /// Counts assignments and revocations.
    pub fn rebalances(&self) -> &IntCounter {
        &self.rebalances
    }

    /// Counts producers that were built anew.
    pub fn producer_rebuilds(&self) -> &IntCounter {
        &self.producer_rebuilds
    }

    /// Counts records that were sent again.
    pub fn records_sent_again(&self) -> &IntCounter {
        &self.records_sent_again
    }

    /// Counts transactions, where delivery is exactly once.
    pub fn transactions(&self, end: TransactionEnd) -> &IntCounter {
        &self.transactions.ends[position(&TransactionEnd::ALL, end)]
    }

    /// From a transaction's first record to its commit.
    pub fn transaction_duration(&self) -> &Histogram {
        &self.transactions.duration
    }

    /// Counts requests over HTTP by what was wrong with them; nothing: answered.
    pub fn http_requests(&self, wrong: Option<ErrorCode>) -> IntCounter {
        match wrong {
            None => self.http.requests.with_label_values(&[OK.0, OK.1]),
            Some(code) => self
                .http
                .requests
                .with_label_values(&[&code.http_status().to_string(), code.as_str()]),
        }
    }

    /// Counts posts that were decided about over HTTP.
    pub fn http_decisions(&self) -> &IntCounter {
        &self.http.posts[0]
    }

    /// Counts posts that were answered with an error in their place over HTTP.
    pub fn http_errors(&self) -> &IntCounter {
        &self.http.posts[1]
    }

    /// Requests that wait or are decided.
    pub fn http_in_flight(&self) -> &IntGauge {
        &self.http.in_flight
    }

    /// Open connections for moderation.
    pub fn http_connections(&self) -> &IntGauge {
        &self.http.connections
    }

    /// From a whole request to its answer.
    pub fn http_duration(&self) -> &Histogram {
        &self.http.duration
    }

    /// Says what the classifier is doing.
    pub fn set_model_status(&self, now: ModelStatus) {
        for (gauge, status) in self.model_status.iter().zip(ModelStatus::ALL) {
            gauge.set(i64::from(status == now));
        }
    }

    /// Counts second opinions that could have changed a verdict.
    pub fn second_opinions(&self, model: &str, result: OpinionResult) -> IntCounter {
        self.models.opinions(model, result)
    }

    /// Counts posts that a model on trial has scored.
    pub fn shadow_posts(&self, model: &str, result: TrialResult) -> IntCounter {
        self.models.shadow(model, result)
    }

    /// Metrics of single models.
    pub(super) fn models(&self) -> &ModelInstruments {
        &self.models
    }

    /// Counts attempts to reload the bundle.
    pub fn reloads(&self, result: Reload) -> &IntCounter {
        &self.following.reloads[position(&Reload::ALL, result)]
    }

    /// When the bundle was last loaded without being refused, in seconds of Unix time.
    pub fn reload_success(&self) -> &IntGauge {
        &self.following.reload_success
    }

    /// 1 while the bundle that should be in force is refused.
    pub fn bundle_refused(&self) -> &IntGauge {
        &self.following.bundle_refused
    }

    /// 1 while a kept bundle is in force by a rollback.
    pub fn bundle_pinned(&self) -> &IntGauge {
        &self.following.bundle_pinned
    }

    /// Rules, lists and entries that have expired or soon will.
    pub fn bundle_expiring(&self) -> &IntGauge {
        &self.following.bundle_expiring
    }

    /// 1 while an emergency file is refused.
    pub fn emergency_refused(&self) -> &IntGauge {
        &self.following.emergency_refused
    }

    /// How many overrides emergency files list.
    pub fn emergency_overrides(&self) -> &IntGauge {
        &self.following.emergency_overrides
    }

    /// Counts decisions in which an override weakened a rule. Keep the handle where many are counted.
    pub fn emergency_uses(&self, rule: &str) -> IntCounter {
        let rule = capped(&self.rules_seen, rule, RULES_MAX);
        self.following.emergency_uses.with_label_values(&[rule])
    }

    /// Says which bundle is in force.
    pub fn set_bundle(&self, hash: &str) {
        self.bundle.reset();
        self.bundle.with_label_values(&[hash]).set(1);
    }
}

impl TransactionInstruments {
    fn new(make: &Maker<'_>) -> Self {
        let by_end =
            make.counters("transactions_total", "Transactions by how they ended", &["result"]);
        Self {
            ends: TransactionEnd::ALL.map(|e| by_end.with_label_values(&[e.as_str()])).to_vec(),
            duration: make.histogram(
                "transaction_duration_seconds",
                "From a transaction's first record to its commit",
                SECONDS,
            ),
        }
    }
}

impl HttpInstruments {
    fn new(make: &Maker<'_>) -> Self {
        let requests = make.counters(
            "http_requests_total",
            "Requests by status and code",
            &["status", "code"],
        );
        requests.with_label_values(&[OK.0, OK.1]);
        for code in ErrorCode::OF_RECORDS.into_iter().chain(ErrorCode::OF_REQUESTS) {
            requests.with_label_values(&[&code.http_status().to_string(), code.as_str()]);
        }
        let posts =
            make.counters("http_posts_total", "Posts in requests by their answer", &["answer"]);
        Self {
            requests,
            posts: ["decision", "error"].map(|answer| posts.with_label_values(&[answer])),
            in_flight: make.gauge("http_in_flight_requests", "Requests that wait or are decided"),
            connections: make.gauge("http_connections", "Open connections for moderation"),
            duration: make.histogram(
                "http_request_duration_seconds",
                "From a whole request to its answer",
                SECONDS,
            ),
        }
    }
}

impl Following {
    fn new(make: &Maker<'_>) -> Self {
        let by_result =
            make.counters("bundle_reloads_total", "Reloads of the bundle by result", &["result"]);
        Self {
            reloads: Reload::ALL.map(|r| by_result.with_label_values(&[r.as_str()])).to_vec(),
            reload_success: make.gauge(
                "bundle_last_reload_success_timestamp_seconds",
                "When the bundle was last loaded without being refused, as Unix time",
            ),
            bundle_refused: make.gauge(
                "bundle_refused",
                "1 while the bundle that should be in force is refused and an older one decides",
            ),
            bundle_pinned: make
                .gauge("bundle_pinned", "1 while a kept bundle is in force by a rollback"),
            bundle_expiring: make.gauge(
                "bundle_expiring",
                "Rules, lists and entries that have expired or expire within 14 days",
            ),
            emergency_refused: make.gauge(
                "emergency_refused",
                "1 while an emergency file is refused and older overrides hold",
            ),
            emergency_overrides: make
                .gauge("emergency_overrides", "Overrides that emergency files list"),
            emergency_uses: make.counters(
                "emergency_uses_total",
                "Decisions in which an emergency override weakened a rule",
                &["rule"],
            ),
            condition_missing: make.counters(
                "condition_missing_total",
                "Decisions in which a condition asked for a value that the post does not give",
                &["key"],
            ),
        }
    }
}

fn records(make: &Maker<'_>) -> Vec<IntCounter> {
    let of = make.counters("records_total", "Records by what became of them", &["disposition"]);
    Disposition::ALL.map(|end| of.with_label_values(&[end.as_str()])).to_vec()
}

fn dead_letters(make: &Maker<'_>) -> Vec<IntCounter> {
    let of = make.counters("dead_letters_total", "Dead letters by what is wrong", &["code"]);
    ErrorCode::OF_RECORDS.map(|code| of.with_label_values(&[code.as_str()])).to_vec()
}

fn stages(make: &Maker<'_>) -> Vec<Histogram> {
    let of = make.histograms("stage_duration_seconds", "Time a stage takes", SECONDS, "stage");
    Stage::ALL.map(|stage| of.with_label_values(&[stage.as_str()])).to_vec()
}

/// Makes and registers metrics; names and labels are constants of this file, so it cannot fail.
pub(super) struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn register<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> C {
        let collector = made.expect("names and labels are well-formed");
        self.0.register(Box::new(collector.clone())).expect("names are unique");
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::with_opts(opts(name, help)))
    }

    pub(super) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(opts(name, help), labels))
    }

    pub(super) fn seconds(&self, name: &str, help: &str, labels: &[&str]) -> CounterVec {
        self.register(CounterVec::new(opts(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::with_opts(opts(name, help)))
    }

    pub(super) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(opts(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: (f64, f64, usize)) -> Histogram {
        self.register(Histogram::with_opts(histogram_opts(name, help, buckets)))
    }

    fn histograms(
        &self,
        name: &str,
        help: &str,
        buckets: (f64, f64, usize),
        label: &str,
    ) -> HistogramVec {
        self.register(HistogramVec::new(histogram_opts(name, help, buckets), &[label]))
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("tidegate_{name}"), help)
}

fn histogram_opts(
    name: &str,
    help: &str,
    (start, factor, count): (f64, f64, usize),
) -> HistogramOpts {
    let buckets = prometheus::exponential_buckets(start, factor, count);
    HistogramOpts::new(format!("tidegate_{name}"), help).buckets(buckets.expect("buckets rise"))
}

/// The label itself while fewer than `max` were seen, else [`OTHER`].
pub(super) fn capped<'a>(seen: &Mutex<BTreeSet<String>>, label: &'a str, max: usize) -> &'a str {
    let mut seen: MutexGuard<'_, _> = seen.lock().expect("no thread panics while it holds this");
    if seen.contains(label) {
        return label;
    }
    if seen.len() >= max {
        return OTHER;
    }
    seen.insert(label.to_owned());
    label
}

fn position<T: PartialEq + Copy>(all: &[T], one: T) -> usize {
    all.iter().position(|each| *each == one).expect("ALL lists every variant")
}

#[cfg(test)]
mod tests {
    use super::{Instruments, OTHER, REGIONS_MAX};
    use crate::{decision::Action, delivery::Partition, telemetry::ModelStatus};

    #[test]
    fn closed_labels_show_zero_before_anything_happens() {
        let page = Instruments::new().render();
        for series in [
            r#"tidegate_records_total{disposition="abandoned"} 0"#,
            r#"tidegate_dead_letters_total{code="invalid_utf8"} 0"#,
            r#"tidegate_stage_duration_seconds_count{stage="publish"} 0"#,
        ] {
            assert!(page.contains(series), "{series} in\n{page}");
        }
    }

    #[test]
    fn open_labels_are_capped() {
        let instruments = Instruments::new();
        for number in 0..REGIONS_MAX + 5 {
            instruments.decisions(&format!("R{number}"), Action::Allow).inc();
        }
        assert_eq!(instruments.decisions(OTHER, Action::Allow).get(), 5);
        assert_eq!(instruments.decisions("R7", Action::Allow).get(), 1);
    }

    #[test]
    fn only_one_bundle_and_one_model_status_are_in_force() {
        let instruments = Instruments::new();
        instruments.set_bundle("a");
        instruments.set_bundle("b");
        instruments.set_model_status(ModelStatus::Scoring);
        instruments.set_model_status(ModelStatus::Unavailable);
        let page = instruments.render();
        assert!(!page.contains(r#"bundle="a""#) && page.contains(r#"bundle="b"} 1"#));
        assert!(page.contains(r#"model_status{status="scoring"} 0"#));
        assert!(page.contains(r#"model_status{status="unavailable"} 1"#));
    }

    #[test]
    fn the_lag_of_a_lost_partition_disappears() {
        let instruments = Instruments::new();
        instruments.set_lag(Partition(4), 17);
        assert!(instruments.render().contains(r#"partition="4"} 17"#));
        instruments.forget_lag(Partition(4));
        assert!(!instruments.render().contains(r#"partition="4""#));
    }
}
