//! The alerts: each names something that there is, how bad it is and where it says what to do.

use std::collections::BTreeSet;

use tidegate::yaml::Node;

use super::{at, entries, items, metrics::Metrics, read, root, text_at, texts_at, yaml};

const FOLDER: &str = "deploy/prometheus";

#[test]
fn every_alert_asks_for_metrics_and_labels_that_exist() {
    let metrics = Metrics::of_a_worker();
    let scraped = jobs();
    for alert in alerts(&yaml("deploy/prometheus/alerts.yaml")) {
        let query = text_at(alert, "expr");
        let uses = metrics.check(query);
        for job in uses.jobs {
            assert!(scraped.contains(&job), "nobody scrapes the job {job}, in {query}");
        }
        for entry in entries(at(alert, "annotations")) {
            for after in super::text(&entry.value).split("$labels.").skip(1) {
                let label: String =
                    after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(uses.labels.contains(&label), "{query} leaves no label {label}");
            }
        }
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do() {
    let mut names = BTreeSet::new();
    for alert in alerts(&yaml("deploy/prometheus/alerts.yaml")) {
        let name = text_at(alert, "alert");
        let words = name.strip_prefix("Tidegate").expect("its name begins with Tidegate");
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        let severity = text_at(alert, "labels/severity");
        assert!(["critical", "warning"].contains(&severity), "{name}: {severity}");
        let waits = text_at(alert, "for");
        let (number, unit) = waits.split_at(waits.len() - 1);
        assert!(number.parse::<u32>().is_ok() && "smhd".contains(unit), "{name}: for {waits}");
        assert!(!text_at(alert, "annotations/summary").is_empty(), "{name}");
        assert!(text_at(alert, "annotations/description").ends_with('.'), "{name}");
        let runbook = format!("docs/operations.md#{}", kebab(words));
        assert_eq!(text_at(alert, "annotations/runbook"), runbook, "{name}");
    }
}

/// `promtool test rules` runs the series; here is held that none was forgotten.
#[test]
fn every_alert_is_tried_on_series() {
    let tried = yaml("deploy/prometheus/alerts_test.yaml");
    assert_eq!(texts_at(&tried, "rule_files"), ["alerts.yaml"]);
    let tried = read("deploy/prometheus/alerts_test.yaml");
    let tried: BTreeSet<&str> =
        tried.split("alertname=\"").skip(1).filter_map(|after| after.split('"').next()).collect();
    let file = yaml("deploy/prometheus/alerts.yaml");
    let named: BTreeSet<&str> = alerts(&file).iter().map(|alert| text_at(alert, "alert")).collect();
    assert_eq!(tried, named);
}

#[test]
fn prometheus_reads_the_alerts_and_finds_the_workers() {
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    for file in texts_at(&prometheus, "rule_files") {
        assert!(root().join(FOLDER).join(file).is_file(), "{file} is not there");
    }
    let found = items(at(&prometheus, "scrape_configs"));
    let found = found.iter().find(|job| text_at(job, "job_name") == "tidegate");
    let [search] = items(at(found.expect("a job for the workers"), "dns_sd_configs")) else {
        panic!("one search is expected")
    };
    let configuration = yaml("deploy/tidegate.yaml");
    assert_eq!(text_at(search, "port"), super::port(text_at(&configuration, "admin/listen")));
    let compose = yaml("deploy/compose.yaml");
    for name in texts_at(search, "names") {
        at(&compose, &format!("services/{name}"));
    }
}

fn alerts(file: &Node) -> Vec<&Node> {
    items(at(file, "groups")).iter().flat_map(|group| items(at(group, "rules"))).collect()
}

fn jobs() -> BTreeSet<String> {
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let jobs = items(at(&prometheus, "scrape_configs")).iter();
    jobs.map(|job| text_at(job, "job_name").to_owned()).collect()
}

/// `WorkerDown` as the anchor `worker-down`.
fn kebab(words: &str) -> String {
    let mut kebab = String::new();
    for letter in words.chars() {
        if letter.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}
