//! The files that operators install: they fit each other, the program and its metrics.
//!
//! Images cannot be built here, so what a build or a cluster would trip over is read out of the files.

mod alerts;
mod compose;
mod dashboard;
mod image;
mod kubernetes;
pub(crate) mod metrics;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use tidegate::{
    diagnostic::{Diagnostics, SourceFile},
    yaml::{Entry, Node, NodeKind, parse},
};

/// The account that the container runs as; Kubernetes can only tell a number from root.
const USER: &str = "10001";

#[test]
fn the_configuration_is_accepted() {
    let output = tidegate(&["config", "show", "--config", "deploy/tidegate.yaml"]);
    let shown = String::from_utf8(output.stdout).expect("it prints text");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        shown.lines().any(|l| l.starts_with("source.name") && l.contains("compose")),
        "{shown}"
    );
}

#[test]
fn the_example_rules_pass_every_gate() {
    let output = tidegate(&["rules", "check", "--no-model", "--rules", "deploy/rules"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).expect("it prints text");
    assert!(shown.contains("shadow"), "{shown}");
}

/// Runs the program in the repository's root.
fn tidegate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(arguments).current_dir(root()).output().expect("the binary starts")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let file = root().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The tree of a file, which must be one document of plain YAML.
fn yaml(path: &str) -> Node {
    yaml_of(path, read(path))
}

fn yaml_of(path: &str, text: String) -> Node {
    let file = Arc::new(SourceFile { path: path.to_owned(), text });
    let mut out = Diagnostics::default();
    parse(&file, &mut out).unwrap_or_else(|| panic!("{path} is no YAML: {out:?}"))
}

/// The value at a path of keys.
fn find<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('/').try_fold(node, |node, key| {
        entries(node).iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    })
}

/// The same where it must be.
fn at<'n>(node: &'n Node, path: &str) -> &'n Node {
    find(node, path).unwrap_or_else(|| panic!("there is no {path}"))
}

/// The text at a path of keys.
fn text_at<'n>(node: &'n Node, path: &str) -> &'n str {
    text(at(node, path))
}

/// The texts of the list at a path of keys.
fn texts_at<'n>(node: &'n Node, path: &str) -> Vec<&'n str> {
    items(at(node, path)).iter().map(text).collect()
}

fn text(node: &Node) -> &str {
    match &node.kind {
        NodeKind::Scalar { text, .. } => text,
        other => panic!("a single value is expected, not {other:?}"),
    }
}

/// The items of a list; nothing for anything else.
fn items(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::Sequence(items) => items,
        _ => &[],
    }
}

/// The keys of a mapping; nothing for anything else.
fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        NodeKind::Mapping(entries) => entries,
        _ => &[],
    }
}

/// The port of `host:port`.
fn port(address: &str) -> &str {
    address.rsplit_once(':').map(|(_, port)| port).expect("it is host:port")
}

/// An image's version; it says more than a name that moves.
fn pinned(image: &str) -> &str {
    let (_, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("{image} has no version"));
    let digits = tag.chars().filter(char::is_ascii_digit).count();
    assert!(digits >= 3 && tag != "latest", "{image}: name the version to its last digit");
    tag
}

/// Files below a folder of the repository, with a suffix.
fn files_below(folder: &str, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
