//! The dashboard: every panel says what it shows, and shows something that there is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    metrics::{Metrics, Uses, family},
    read,
};

const FILE: &str = "deploy/grafana/dashboards/tidegate.json";
const DATASOURCE: &str = "${datasource}";
/// Grafana's grid.
const COLUMNS: u64 = 24;

#[test]
fn every_panel_says_what_it_shows() {
    let dashboard = dashboard();
    let mut titles = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = words(panel, "/title");
        assert!(titles.insert(title), "{title} is there twice");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: its id is taken");
        if panel["type"] == "row" {
            continue;
        }
        assert!(words(panel, "/description").ends_with('.'), "{title}: describe it in a sentence");
        words(panel, "/fieldConfig/defaults/unit");
        assert_eq!(words(panel, "/datasource/uid"), DATASOURCE, "{title}");
        let targets = panel["targets"].as_array().expect("queries");
        assert!(!targets.is_empty(), "{title}: it asks for nothing");
        for target in targets {
            assert_eq!(words(target, "/datasource/uid"), DATASOURCE, "{title}");
        }
    }
}

#[test]
fn the_rows_ask_what_an_operator_asks() {
    let dashboard = dashboard();
    let rows = panels(&dashboard).filter(|panel| panel["type"] == "row");
    let rows: Vec<&str> = rows.map(|row| words(row, "/title")).collect();
    let wanted = [
        "Is it alive?",
        "What does it decide?",
        "Where does the time go?",
        "What goes wrong?",
        "What do the models say?",
    ];
    assert_eq!(rows, wanted);
}

#[test]
fn no_panel_lies_on_another() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        let [x, y, width, height] =
            ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
        assert!(x + width <= COLUMNS, "{} leaves the grid", panel["title"]);
        for place in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{} lies on another panel", panel["title"]);
        }
    }
}

#[test]
fn every_query_asks_for_metrics_and_labels_that_exist() {
    let metrics = Metrics::of_a_worker();
    for (query, legend) in queries(&dashboard()) {
        let uses = metrics.check(&filled(&query));
        let mut rest = legend.as_str();
        while let Some((_, after)) = rest.split_once("{{") {
            let (label, after) = after.split_once("}}").expect("a label ends");
            assert!(uses.labels.contains(label.trim()), "{legend} is no label of {query}");
            rest = after;
        }
    }
}

/// What is not on a dashboard is not looked at.
#[test]
fn every_metric_is_on_the_dashboard() {
    let metrics = Metrics::of_a_worker();
    let dashboard = dashboard();
    let uses = queries(&dashboard).into_iter().map(|(query, _)| metrics.check(&filled(&query)));
    let mut shown: BTreeSet<String> = uses.flat_map(|uses: Uses| uses.series).collect();
    shown.extend(variables(&dashboard).filter_map(listed).map(|(metric, _)| metric.to_owned()));
    let shown: BTreeSet<&str> = shown.iter().map(|series| family(series)).collect();
    let missing: Vec<_> = metrics.families().difference(&shown).copied().collect();
    assert!(missing.is_empty(), "no panel shows {missing:?}");
}

#[test]
fn every_variable_is_filled_and_used() {
    let metrics = Metrics::of_a_worker();
    let dashboard = dashboard();
    let text = dashboard.to_string();
    let mut names = BTreeSet::new();
    for variable in variables(&dashboard) {
        let name = words(variable, "/name");
        names.insert(name);
        words(variable, "/label");
        let (plain, braced) = (format!("${name}"), format!("${{{name}}}"));
        assert!(text.contains(&plain) || text.contains(&braced), "nothing uses {name}");
        if let Some((metric, label)) = listed(variable) {
            assert!(metrics.has(metric, label), "{metric} has no label {label}");
        }
    }
    assert_eq!(names, BTreeSet::from(["datasource", "instance", "region"]));
}

/// Every region panel obeys the choice of regions, and every panel that of workers.
#[test]
fn the_choice_of_workers_and_regions_holds_everywhere() {
    for (query, _) in queries(&dashboard()) {
        let own = query.contains("tidegate_") || query.contains("up{");
        assert!(!own || query.contains(r#"instance=~"$instance""#), "{query}");
        let regional = query.contains("tidegate_decisions_total");
        assert!(!regional || query.contains(r#"region=~"$region""#), "{query}");
    }
}

fn dashboard() -> Value {
    serde_json::from_str(&read(FILE)).expect("the dashboard is JSON")
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().expect("it has panels").iter()
}

fn variables(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["templating"]["list"].as_array().expect("it has variables").iter()
}

/// Every query with its legend, those of annotations among them.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let targets = panels(dashboard).filter_map(|panel| panel["targets"].as_array()).flatten();
    let of_panels = targets.map(|target| (words(target, "/expr"), words(target, "/legendFormat")));
    let notes = dashboard["annotations"]["list"].as_array().expect("it has annotations");
    let of_notes = notes.iter().map(|note| (words(note, "/expr"), words(note, "/titleFormat")));
    of_panels.chain(of_notes).map(|(query, legend)| (query.into(), legend.into())).collect()
}

/// The metric and the label that a variable lists the values of.
fn listed(variable: &Value) -> Option<(&str, &str)> {
    let query = variable.pointer("/query/query")?.as_str()?;
    let inside = query.strip_prefix("label_values(")?.strip_suffix(')')?;
    inside.split_once(", ")
}

/// A query as Grafana sends it.
fn filled(query: &str) -> String {
    let filled = query.replace("$__rate_interval", "1m").replace("$__range", "3h");
    let filled = filled.replace("$instance", ".*").replace("$region", ".*");
    // `"$1"` is a group of a regular expression.
    assert!(!filled.replace("\"$1\"", "").contains('$'), "nobody fills the variable in {filled}");
    filled
}

/// The text at a place, which must hold some.
fn words<'v>(value: &'v Value, place: &str) -> &'v str {
    let found = value.pointer(place).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.unwrap_or_else(|| panic!("{} has no {place}", value["title"]))
}
