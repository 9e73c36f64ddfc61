//! What the documents say is true: the README's configuration, the list of metrics.

use std::{fs, process::Command};

use tidegate::{decision::Action, delivery::Partition, signal::Status, telemetry::Instruments};

#[test]
fn the_configuration_in_the_readme_is_valid() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).expect("the README is there");
    let (_, after) = readme.split_once("```yaml\n# tidegate.yaml\n").expect("it shows the file");
    let (example, _) = after.split_once("```").expect("the block is closed");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("tidegate.yaml");
    fs::write(&file, example).expect("it is writable");
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["config", "show", "--config"])
        .arg(&file)
        .output()
        .expect("the binary starts");
    let shown = String::from_utf8(output.stdout).expect("it prints text");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = shown.lines().find(|line| line.starts_with("source.name")).expect("it is listed");
    assert!(line.contains("my-platform") && line.contains("tidegate.yaml:1"), "{line}");
}

#[test]
fn the_rule_in_the_readme_passes_every_gate() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).expect("the README is there");
    let head = "```yaml\n# rules/packs/scam_fraud.yaml\n";
    let (_, after) = readme.split_once(head).expect("it shows a rule");
    let (rule, _) = after.split_once("```").expect("the block is closed");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let packs = folder.path().join("packs");
    fs::create_dir(&packs).expect("it is writable");
    let pack = format!("pack: readme\nrules:\n{rule}");
    fs::write(packs.join("readme.yaml"), pack).expect("it is writable");
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["rules", "check", "--strict", "--no-model", "--rules"])
        .arg(folder.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).expect("it prints text");
    assert!(shown.contains("readme/off-platform-contact: blocks in"), "{shown}");
}

/// Names, kinds and help texts of all metrics are what dashboards and alerts rest on.
#[test]
fn the_list_of_metrics_is_the_promised_one() {
    let instruments = Instruments::new();
    // Series of open labels exist once they were used.
    instruments.decisions("default", Action::Allow).inc();
    instruments.rule_hits("pack/rule", Status::Enforced).inc();
    instruments.emergency_uses("pack/rule").inc();
    instruments.set_lag(Partition(0), 0);
    instruments.set_bundle("hash");
    let page = instruments.render();
    let described: Vec<&str> = page.lines().filter(|line| line.starts_with("# ")).collect();
    insta::assert_snapshot!(described.join("\n"));
}
