//! The compose file: everything it names is there, and it opens nothing to the outside.

use std::{collections::BTreeSet, ops::RangeInclusive};

use tidegate::yaml::Node;

use super::{
    USER, at, entries, find, items, pinned, port, read, root, text, text_at, texts_at, yaml,
};

const FILE: &str = "deploy/compose.yaml";
/// Services that end by themselves.
const JOBS: [&str; 1] = ["topics"];

#[test]
fn every_image_is_pinned_and_every_service_is_limited() {
    let compose = yaml(FILE);
    for (name, service) in services(&compose) {
        pinned(text_at(service, "image"));
        let limits = at(service, "deploy/resources/limits");
        assert!(find(limits, "memory").is_some() && find(limits, "cpus").is_some(), "{name}");
        assert_eq!(texts_at(service, "security_opt"), ["no-new-privileges:true"], "{name}");
        at(service, "restart");
        let probed = find(service, "healthcheck/test").is_some();
        assert!(probed || JOBS.contains(&name), "{name} has no health check");
        for entry in find(service, "depends_on").map_or(&[][..], entries) {
            let other = at(&compose, &format!("services/{}", entry.key));
            let job = JOBS.contains(&entry.key.as_str());
            let wanted = if job { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(text_at(&entry.value, "condition"), wanted, "{name}");
            assert!(job || find(other, "healthcheck").is_some(), "{name} waits for nothing");
        }
    }
}

#[test]
fn ports_are_open_to_this_machine_only_and_never_twice() {
    let compose = yaml(FILE);
    let mut taken = BTreeSet::new();
    for (name, service) in services(&compose) {
        for (outside, _) in ports(service) {
            for port in outside {
                assert!(taken.insert(port), "{name}: {port} is taken");
            }
        }
    }
    assert!(!taken.is_empty());
}

#[test]
fn the_ports_of_the_workers_are_those_of_their_configuration() {
    let compose = yaml(FILE);
    let configuration = yaml("deploy/tidegate.yaml");
    let service = at(&compose, "services/tidegate");
    let replicas: usize = text_at(service, "deploy/replicas").parse().expect("a number");
    let mut inside = BTreeSet::new();
    for (outside, port) in ports(service) {
        assert!(outside.count() >= replicas, "not every replica has a port for {port}");
        inside.insert(port);
    }
    let listens = ["http/listen", "admin/listen"].map(|key| text_at(&configuration, key));
    // Inside a container only an address of all interfaces can be reached from outside it.
    assert!(listens.iter().all(|listen| listen.starts_with("0.0.0.0:")), "{listens:?}");
    assert_eq!(inside, listens.map(|listen| port(listen).to_owned()).into());
}

#[test]
fn the_workers_find_their_broker_and_their_topics() {
    let compose = yaml(FILE);
    let configuration = yaml("deploy/tidegate.yaml");
    let kafka = at(&compose, "services/kafka/environment");
    let brokers = text_at(&configuration, "kafka/brokers");
    let advertised = text_at(kafka, "KAFKA_ADVERTISED_LISTENERS");
    let inside = advertised.split(',').any(|one| one == format!("INSIDE://{brokers}"));
    assert!(inside, "{brokers} is not advertised in {advertised}");
    let listens = text_at(kafka, "KAFKA_LISTENERS");
    assert!(listens.split(',').any(|one| one == format!("INSIDE://:{}", port(brokers))));

    let script = items(at(&compose, "services/topics/entrypoint")).last().map(text);
    let script = script.expect("a script makes the topics");
    assert!(script.contains(&format!("--bootstrap-server {brokers} ")), "{script}");
    assert!(script.contains("--config cleanup.policy=delete"), "{script}");
    for key in ["posts", "decisions", "dead_letters"] {
        let topic = text_at(&configuration, &format!("topics/{key}"));
        assert!(script.contains(&format!(" {topic}:")), "{topic} is not made");
    }
    let replicas = text_at(&compose, "services/tidegate/deploy/replicas");
    let replicas: u32 = replicas.parse().expect("a number");
    let partitions = script.split(" posts:").nth(1).and_then(|after| after.split(' ').next());
    let partitions: Option<u32> = partitions.and_then(|text| text.parse().ok());
    assert!(partitions >= Some(replicas), "{script}");
}

#[test]
fn the_workers_cannot_write_but_to_their_state() {
    let compose = yaml(FILE);
    let service = at(&compose, "services/tidegate");
    assert_eq!(text_at(service, "user"), format!("{USER}:{USER}"));
    assert_eq!(text_at(service, "read_only"), "true");
    assert_eq!(texts_at(service, "cap_drop"), ["ALL"]);
    let state = yaml("deploy/tidegate.yaml");
    let state = text_at(&state, "state/dir");
    let written = mounts(service).into_iter().filter(|(_, _, read_only)| !read_only);
    let written: Vec<String> = written.map(|(_, inside, _)| inside).collect();
    assert_eq!(written, [state]);
    let mounted = mounts(service).into_iter().map(|(_, inside, _)| inside).collect::<Vec<_>>();
    let configuration = yaml("deploy/tidegate.yaml");
    for overlay in texts_at(&configuration, "rules/overlays") {
        assert!(mounted.iter().any(|inside| inside == overlay), "{overlay} is not mounted");
    }
    assert!(mounted.iter().any(|inside| inside == "/etc/tidegate/tidegate.yaml"));
}

#[test]
fn what_is_mounted_is_there() {
    let compose = yaml(FILE);
    let volumes: BTreeSet<&str> =
        entries(at(&compose, "volumes")).iter().map(|entry| entry.key.as_str()).collect();
    for (name, service) in services(&compose) {
        for (source, _, read_only) in mounts(service) {
            if source.starts_with('.') {
                assert!(root().join("deploy").join(&source).exists(), "{name}: {source}");
                assert!(read_only, "{name} may change {source}");
            } else {
                assert!(volumes.contains(source.as_str()), "{name}: {source} is not declared");
            }
        }
    }
    let context = text_at(&compose, "services/tidegate/build/context");
    assert!(root().join("deploy").join(context).join("Dockerfile").is_file());
}

#[test]
fn grafana_finds_prometheus_and_the_dashboard() {
    let compose = yaml(FILE);
    let folder = "deploy/grafana/provisioning";
    let sources = yaml(&format!("{folder}/datasources/prometheus.yaml"));
    let [source] = items(at(&sources, "datasources")) else { panic!("one source is expected") };
    assert_eq!(text_at(source, "url"), "http://prometheus:9090");
    let (_, inside) = ports(at(&compose, "services/prometheus")).remove(0);
    assert_eq!(inside, "9090");
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let interval = text_at(&prometheus, "global/scrape_interval");
    assert_eq!(text_at(source, "jsonData/timeInterval"), interval);

    let grafana = at(&compose, "services/grafana");
    let providers = yaml(&format!("{folder}/dashboards/tidegate.yaml"));
    let [provider] = items(at(&providers, "providers")) else { panic!("one is expected") };
    let path = text_at(provider, "options/path");
    let (source, ..) = mounts(grafana)
        .into_iter()
        .find(|(_, inside, _)| inside == path)
        .expect("the dashboards are mounted");
    let home = text_at(grafana, "environment/GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH");
    let file = home.strip_prefix(path).expect("the home dashboard is one of them");
    assert!(root().join("deploy").join(source).join(file.trim_start_matches('/')).is_file());
}

#[test]
fn no_file_holds_a_secret() {
    for path in super::files_below("deploy", "") {
        let path = path.strip_prefix(root()).expect("it lies below").display().to_string();
        let text = read(&path).to_ascii_lowercase();
        for word in ["password:", "password=", " token:", "secret:", "private key"] {
            assert!(!text.contains(word), "{path} has `{word}`");
        }
    }
}

fn services(compose: &Node) -> impl Iterator<Item = (&str, &Node)> {
    entries(at(compose, "services")).iter().map(|entry| (entry.key.as_str(), &entry.value))
}

/// Ports on this machine with the port inside; all of them are bound to the loopback address.
fn ports(service: &Node) -> Vec<(RangeInclusive<u16>, String)> {
    let ports = find(service, "ports").map_or(&[][..], items).iter().map(text);
    let ports = ports.map(|written| {
        let local = written.strip_prefix("127.0.0.1:");
        let local = local.unwrap_or_else(|| panic!("{written} is open to everybody"));
        let (outside, inside) = local.split_once(':').expect("outside:inside");
        let (first, last) = outside.split_once('-').unwrap_or((outside, outside));
        let number = |text: &str| text.parse::<u16>().expect("a port");
        (number(first)..=number(last), inside.to_owned())
    });
    ports.collect()
}

/// What is mounted, where, and whether it can only be read.
fn mounts(service: &Node) -> Vec<(String, String, bool)> {
    let mounts = find(service, "volumes").map_or(&[][..], items).iter().map(text);
    let mounts = mounts.map(|written| {
        let (written, read_only) =
            written.strip_suffix(":ro").map_or((written, false), |rest| (rest, true));
        let (source, inside) = written.split_once(':').expect("source:inside");
        (source.to_owned(), inside.to_owned(), read_only)
    });
    mounts.collect()
}
