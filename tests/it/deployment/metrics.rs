//! Queries against the metrics that a worker really shows.

use std::collections::{BTreeMap, BTreeSet};
use std::{sync::Arc, time::Duration};

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, AggregateExpr, Expr, LabelModifier, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use tidegate::{
    classify::{Failure, Happened, ModelEvent},
    decision::Action,
    delivery::Partition,
    signal::{ModelIdentity, Status},
    telemetry::{Instruments, OpinionResult, TrialResult, model_observer},
};

/// Labels that Prometheus gives to whatever it scrapes.
const OF_TARGETS: [&str; 2] = ["instance", "job"];
/// Labels whose values posts, files or clusters choose; what a query compares them with is free.
const OPEN: [&str; 5] = ["region", "rule", "partition", "bundle", "model"];
/// Functions that make sense of something that only rises.
const OF_COUNTERS: [&str; 3] = ["rate", "irate", "increase"];
/// Functions that make sense of something that rises and falls.
const OF_GAUGES: [&str; 2] = ["deriv", "delta"];

/// What can be asked for.
pub(super) struct Metrics(BTreeMap<String, Series>);

#[derive(Default)]
struct Series {
    rises: bool,
    labels: BTreeMap<String, BTreeSet<String>>,
}

/// A model that has seen everything that can happen to one.
pub(crate) fn a_model_of_every_fate(instruments: &Arc<Instruments>) {
    let observer = model_observer(instruments);
    let identity = ModelIdentity { name: "m".into(), version: "1".into(), sha256: String::new() };
    let model = Arc::new(identity);
    let failed = |failure| Happened::Failed { failure, reason: "for a test".to_owned() };
    let scored = Happened::Scored { posts: 1, time: Duration::from_millis(1) };
    for what in Failure::ALL.map(failed).into_iter().chain([scored, Happened::Suspended]) {
        observer.tell(&ModelEvent { model: Arc::clone(&model), what });
    }
    for result in OpinionResult::ALL {
        instruments.second_opinions("m", result).inc();
    }
    for result in TrialResult::ALL {
        instruments.shadow_posts("m", result).inc();
    }
}

/// What a query uses.
#[derive(Default)]
pub(super) struct Uses {
    /// Names of series.
    pub(super) series: BTreeSet<String>,
    /// Labels that its result has.
    pub(super) labels: BTreeSet<String>,
    /// Jobs that it names.
    pub(super) jobs: BTreeSet<String>,
}

impl Metrics {
    /// Those of a worker after it has seen something, and Prometheus's own.
    pub(super) fn of_a_worker() -> Self {
        let instruments = Arc::new(Instruments::new());
        // Series of open labels exist once they were used.
        for action in Action::ALL {
            instruments.decisions("default", action).inc();
        }
        for status in Status::ALL {
            instruments.rule_hits("pack/rule", status).inc();
        }
        instruments.set_lag(Partition(0), 0);
        instruments.set_bundle("hash");
        instruments.emergency_uses("pack/rule").inc();
        instruments.condition_missing("author.age_days").inc();
        a_model_of_every_fate(&instruments);
        let mut metrics = Self::of_page(&instruments.render());
        metrics.0.insert("up".into(), Series::default());
        let labels = ["alertname", "severity"].map(|label| (label.into(), BTreeSet::new()));
        let states = BTreeSet::from(["pending".to_owned(), "firing".to_owned()]);
        let labels = labels.into_iter().chain([("alertstate".to_owned(), states)]).collect();
        metrics.0.insert("ALERTS".into(), Series { rises: false, labels });
        metrics
    }

    /// Reads the text format; names and values of labels hold neither quotes nor commas here.
    fn of_page(page: &str) -> Self {
        let mut rising = BTreeSet::new();
        let mut metrics = BTreeMap::<String, Series>::new();
        for line in page.lines() {
            if let Some(described) = line.strip_prefix("# TYPE ") {
                let (name, kind) = described.split_once(' ').expect("it has a kind");
                if kind != "gauge" {
                    rising.insert(name.to_owned());
                }
            } else if !line.starts_with('#') {
                let (series, _) = line.rsplit_once(' ').expect("it has a value");
                let (name, labels) = series.split_once('{').unwrap_or((series, ""));
                let series = metrics.entry(name.to_owned()).or_default();
                series.rises = rising.iter().any(|metric| name.starts_with(metric.as_str()));
                for pair in labels.trim_end_matches('}').split(',').filter(|pair| !pair.is_empty())
                {
                    let (label, value) = pair.split_once('=').expect("a label has a value");
                    let values = series.labels.entry(label.to_owned()).or_default();
                    values.insert(value.trim_matches('"').to_owned());
                }
            }
        }
        Self(metrics)
    }

    /// The names as an operator knows them, without the parts of histograms and Prometheus's own.
    pub(super) fn families(&self) -> BTreeSet<&str> {
        let own = self.0.keys().filter(|name| name.starts_with("tidegate_"));
        own.map(|name| family(name)).collect()
    }

    /// Whether a metric has a label.
    pub(super) fn has(&self, name: &str, label: &str) -> bool {
        let series = self.0.get(name).unwrap_or_else(|| panic!("there is no metric {name}"));
        OF_TARGETS.contains(&label) || series.labels.contains_key(label)
    }

    /// Parses a query and holds everything that it names against what there is.
    pub(super) fn check(&self, query: &str) -> Uses {
        let parsed = parser::parse(query).unwrap_or_else(|error| panic!("{error}\nin {query}"));
        let mut check = Check { metrics: self, query, uses: Uses::default(), groups: false };
        walk_expr(&mut check, &parsed).unwrap_or_else(|never| match never {});
        if !check.groups {
            let all = check.uses.series.iter().flat_map(|name| self.0[name].labels.keys());
            let all: BTreeSet<String> = all.cloned().chain(OF_TARGETS.map(String::from)).collect();
            check.uses.labels.extend(all);
        }
        check.uses
    }
}

/// The name of the metric that a series belongs to.
pub(super) fn family(series: &str) -> &str {
    let parts = ["_bucket", "_sum", "_count"];
    parts.iter().find_map(|part| series.strip_suffix(part)).unwrap_or(series)
}

struct Check<'a> {
    metrics: &'a Metrics,
    query: &'a str,
    uses: Uses,
    /// Whether something is summed up, so that only the named labels are left.
    groups: bool,
}

impl ExprVisitor for Check<'_> {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Self::Error> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Call(call) => {
                let name = call.func.name;
                for argument in &call.args.args {
                    if let Expr::MatrixSelector(matrix) = &**argument
                        && let Some(metric) = &matrix.vs.name
                        && let Some(series) = self.metrics.0.get(metric)
                    {
                        let wrong = OF_COUNTERS.contains(&name) && !series.rises
                            || OF_GAUGES.contains(&name) && series.rises;
                        assert!(!wrong, "{name}() of {metric} in {}", self.query);
                    }
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

impl Check<'_> {
    fn selector(&mut self, selector: &VectorSelector) {
        let query = self.query;
        let name = selector.name.as_deref().expect("a selector names its metric");
        let series = self.metrics.0.get(name);
        let series = series.unwrap_or_else(|| panic!("there is no metric {name}, in {query}"));
        assert!(selector.matchers.or_matchers.is_empty(), "`or` between labels in {query}");
        for matcher in &selector.matchers.matchers {
            let Matcher { op, name: label, value } = matcher;
            assert!(self.metrics.has(name, label), "{name} has no label {label}, in {query}");
            if label == "job" && matches!(op, MatchOp::Equal) {
                self.uses.jobs.insert(value.clone());
            }
            let exact = matches!(op, MatchOp::Equal | MatchOp::NotEqual);
            if let Some(values) = series.labels.get(label)
                && exact
                && !values.is_empty()
                && !OPEN.contains(&label.as_str())
            {
                assert!(values.contains(value), "{name} never has {label}={value}, in {query}");
            }
        }
        self.uses.series.insert(name.to_owned());
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr) {
        self.groups = true;
        let Some(modifier) = &aggregate.modifier else { return };
        let LabelModifier::Include(by) = modifier else {
            panic!("`without` keeps labels that nobody listed: say `by`, in {}", self.query)
        };
        let inner = self.metrics.check(&aggregate.expr.to_string());
        for label in &by.labels {
            let kept = inner.series.iter().all(|series| self.metrics.has(series, label));
            assert!(kept, "not everything in {} has the label {label}", self.query);
            self.uses.labels.insert(label.clone());
        }
    }
}

#[test]
fn a_query_is_held_against_what_there_is() {
    let cases = [
        ("sum(rate(tidegate_records_totals[5m]))", "there is no metric tidegate_records_totals"),
        ("sum by (rule) (rate(tidegate_records_total[5m]))", "has the label rule"),
        (r#"tidegate_records_total{code="panic"}"#, "has no label code"),
        (r#"tidegate_records_total{disposition="lost"}"#, "never has disposition=lost"),
        ("rate(tidegate_in_flight_records[5m])", "rate() of"),
        ("deriv(tidegate_records_total[5m])", "deriv() of"),
        ("sum(tidegate_in_flight_records", ""),
    ];
    let metrics = Metrics::of_a_worker();
    for (query, words) in cases {
        let checked = std::panic::catch_unwind(|| metrics.check(query));
        let panic = checked.err().unwrap_or_else(|| panic!("{query} is accepted"));
        let message = panic.downcast_ref::<String>().expect("it says why");
        assert!(message.contains(words), "{query}: {message}");
    }
    let buckets = "histogram_quantile(0.9, sum by (le) (rate(tidegate_batch_records_bucket[5m])))";
    let uses = metrics.check(buckets);
    assert_eq!(uses.series, BTreeSet::from(["tidegate_batch_records_bucket".to_owned()]));
    assert!(metrics.families().contains("tidegate_batch_records"));
}
