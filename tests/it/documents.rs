//! The list of metrics, which documents, dashboards and alerts rest on.

use std::sync::Arc;

use tidegate::{decision::Action, delivery::Partition, signal::Status, telemetry::Instruments};

use crate::deployment::metrics::a_model_of_every_fate;

/// Names, kinds and help texts of all metrics are what dashboards and alerts rest on.
#[test]
fn the_list_of_metrics_is_the_promised_one() {
    let instruments = Arc::new(Instruments::new());
    // Series of open labels exist once they were used.
    instruments.decisions("default", Action::Allow).inc();
    instruments.rule_hits("pack/rule", Status::Enforced).inc();
    instruments.emergency_uses("pack/rule").inc();
    instruments.condition_missing("author.age_days").inc();
    instruments.set_lag(Partition(0), 0);
    instruments.set_bundle("hash");
    a_model_of_every_fate(&instruments);
    let page = instruments.render();
    let described: Vec<&str> = page.lines().filter(|line| line.starts_with("# ")).collect();
    insta::assert_snapshot!(described.join("\n"));
}
