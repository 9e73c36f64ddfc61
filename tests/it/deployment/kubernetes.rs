//! The manifests for Kubernetes: they name each other, and say the same as the image and compose.

use std::collections::BTreeMap;

use tidegate::yaml::Node;

use super::{
    USER, at, entries, files_below, items, port, read, root, text, text_at, texts_at, tidegate,
    yaml, yaml_of,
};

const FOLDER: &str = "deploy/kubernetes";
const POD: &str = "spec/template/spec";

#[test]
fn every_manifest_says_what_it_is() {
    let files = files_below(FOLDER, ".yaml");
    assert!(!files.is_empty());
    for path in files {
        let path = path.strip_prefix(root()).expect("it lies below").display().to_string();
        let manifest = yaml(&path);
        for key in ["apiVersion", "kind", "metadata/name"] {
            text_at(&manifest, key);
        }
        let label = entries(at(&manifest, "metadata/labels"));
        assert!(label.iter().any(|entry| entry.key == "app.kubernetes.io/name"), "{path}");
    }
}

#[test]
fn the_container_cannot_become_root_nor_write_where_it_should_not() {
    let deployment = deployment();
    let pod = at(&deployment, &format!("{POD}/securityContext"));
    assert_eq!(text_at(pod, "runAsNonRoot"), "true");
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        assert_eq!(text_at(pod, key), USER);
    }
    let container = container(&deployment);
    assert_eq!(text_at(container, "securityContext/readOnlyRootFilesystem"), "true");
    assert_eq!(text_at(container, "securityContext/allowPrivilegeEscalation"), "false");
    assert_eq!(texts_at(container, "securityContext/capabilities/drop"), ["ALL"]);
    text_at(container, "resources/limits/memory");
    let image = format!("tidegate:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(text_at(container, "image"), image);
    assert_eq!(text_at(&deployment, &format!("{POD}/automountServiceAccountToken")), "false");
}

#[test]
fn ports_and_probes_are_those_of_the_configuration() {
    let configuration = configuration();
    let deployment = deployment();
    let container = container(&deployment);
    let ports = items(at(container, "ports")).iter();
    let ports: BTreeMap<&str, &str> =
        ports.map(|one| (text_at(one, "name"), text_at(one, "containerPort"))).collect();
    let wanted = [("http", "http/listen"), ("metrics", "admin/listen")];
    let wanted = wanted.map(|(name, key)| (name, port(text_at(&configuration, key))));
    assert_eq!(ports, wanted.into());
    let probes =
        [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")];
    for (probe, path) in probes {
        let asked = at(container, &format!("{probe}/httpGet"));
        assert_eq!((text_at(asked, "path"), text_at(asked, "port")), (path, "metrics"), "{probe}");
    }
    let service = yaml(&format!("{FOLDER}/service.yaml"));
    for one in items(at(&service, "spec/ports")) {
        let name = text_at(one, "targetPort");
        assert_eq!(ports.get(name).copied(), Some(text_at(one, "port")));
    }
    let annotations = entries(at(&deployment, "spec/template/metadata/annotations"));
    let scraped = annotations.iter().find(|entry| entry.key == "prometheus.io/port");
    assert_eq!(scraped.map(|entry| text(&entry.value)), ports.get("metrics").copied());
}

#[test]
fn volumes_hold_what_the_worker_looks_for() {
    let deployment = deployment();
    let container = container(&deployment);
    let mounts = items(at(container, "volumeMounts")).iter();
    let mounts: BTreeMap<&str, &str> =
        mounts.map(|one| (text_at(one, "name"), text_at(one, "mountPath"))).collect();
    let volumes = items(at(&deployment, &format!("{POD}/volumes")));
    let named: Vec<&str> = volumes.iter().map(|volume| text_at(volume, "name")).collect();
    assert!(mounts.len() == named.len() && named.iter().all(|name| mounts.contains_key(name)));

    let mut files = Vec::new();
    for source in items(at(&volumes[0], "projected/sources")) {
        let name = text_at(source, "configMap/name");
        let map = files_below(FOLDER, ".yaml").into_iter().find_map(|path| {
            let path = path.strip_prefix(root()).expect("it lies below").display().to_string();
            let map = yaml(&path);
            (text_at(&map, "kind") == "ConfigMap" && text_at(&map, "metadata/name") == name)
                .then_some(map)
        });
        let map = map.unwrap_or_else(|| panic!("there is no ConfigMap {name}"));
        for item in items(at(source, "configMap/items")) {
            let key = text_at(item, "key");
            assert!(entries(at(&map, "data")).iter().any(|entry| entry.key == key), "{key}");
            files.push(format!("{}/{}", mounts["configuration"], text_at(item, "path")));
        }
    }
    assert!(files.contains(&"/etc/tidegate/tidegate.yaml".to_owned()), "{files:?}");
    let configuration = configuration();
    for overlay in texts_at(&configuration, "rules/overlays") {
        assert!(
            files.iter().any(|file| file.starts_with(&format!("{overlay}/packs/"))),
            "{files:?}"
        );
    }
    assert_eq!(text_at(&configuration, "state/dir"), mounts["state"]);
}

#[test]
fn the_configuration_is_accepted_and_the_rules_are_the_checked_ones() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("tidegate.yaml");
    std::fs::write(&file, data("configuration.yaml", "tidegate.yaml")).expect("it is writable");
    let file = file.to_str().expect("its name is text");
    let output = tidegate(&["config", "show", "--config", file]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let bare = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let rules = data("rules.yaml", "packs-own.yaml");
    assert_eq!(bare(&rules), bare(&read("deploy/rules/packs/own.yaml")));
}

fn deployment() -> Node {
    yaml(&format!("{FOLDER}/deployment.yaml"))
}

fn container(deployment: &Node) -> &Node {
    let [container] = items(at(deployment, &format!("{POD}/containers"))) else {
        panic!("one container is expected")
    };
    container
}

fn configuration() -> Node {
    yaml_of("tidegate.yaml", data("configuration.yaml", "tidegate.yaml"))
}

/// A file in a `ConfigMap`.
fn data(manifest: &str, key: &str) -> String {
    let manifest = yaml(&format!("{FOLDER}/{manifest}"));
    let data = entries(at(&manifest, "data"));
    let found = data.iter().find(|entry| entry.key == key).expect("the key is there");
    text(&found.value).to_owned()
}
