//! Examples pass the gates that real files pass, and the schemas.

use std::{ffi::OsString, path::Path, sync::Arc};

use serde_json::Value;
use tidegate::{
    classify::manifest::Manifest,
    diagnostic::{Diagnostics, SourceFile},
};

use super::{Fence, fences, fences_of, program, shell::commands, write};
use crate::support::{
    moderate::{lines, moderate},
    schemas::problems,
};

/// Every rule, pack and policy loads, all of them at once, each in a folder of its own.
#[test]
fn rules_and_policies_in_the_pages_pass_every_gate() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut arguments: Vec<OsString> = vec!["--strict".into(), "--no-model".into()];
    let mut checked = 0;
    for (index, fence) in fences().iter().enumerate() {
        let folder = scratch.path().join(index.to_string());
        if layer(&folder, fence, index) {
            arguments.extend(["--rules".into(), folder.into()]);
            checked += 1;
        }
    }
    let output = program().args(["rules", "check"]).args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(checked >= 12, "only {checked} were found");
}

/// Makes a rules folder of an example, where it is one.
fn layer(folder: &Path, fence: &Fence, index: usize) -> bool {
    let body = &fence.body;
    if fence.is("yaml rule") {
        let pack = format!("pack: example-{index}\nrules:\n{body}");
        write(&folder.join("packs/example.yaml"), &pack);
    } else if fence.is("yaml policy") {
        write(&folder.join("policies/example.yaml"), body);
    } else if fence.is("yaml row") {
        write(&folder.join("policies/li.yaml"), &format!("region: LI\nrows:\n{body}"));
    } else if fence.is("yaml emergency") {
        write(&folder.join("emergency.yaml"), body);
        write(&folder.join("bundle.yaml"), "regions: [default]\n");
    } else if fence.is("yaml routing") {
        write(&folder.join("bundle.yaml"), body);
    } else {
        return false;
    }
    true
}

/// The folder that the page on rules builds up loads in the end, packs, lists and all.
#[test]
fn the_folder_that_the_page_on_rules_builds_passes_every_gate() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    for fence in fences_of("docs/rules.md") {
        if let Some(path) = fence.path() {
            write(&scratch.path().join(path), &fence.body);
        }
    }
    let output = program()
        .args(["rules", "check", "--strict", "--no-model", "--rules", "my-rules"])
        .current_dir(scratch.path())
        .output()
        .expect("it starts");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for rule in ["tickets/refund-lure: blocks", "offers/casino-bonus: blocks"] {
        assert!(shown.contains(rule), "{rule}\n{shown}");
    }
}

#[test]
fn manifests_in_the_pages_are_read() {
    let mut checked = 0;
    for fence in fences().iter().filter(|fence| fence.is("yaml model")) {
        let file = SourceFile { path: fence.place.clone(), text: fence.body.clone() };
        let mut out = Diagnostics::default();
        let manifest = Manifest::parse(&Arc::new(file), &mut out);
        assert!(manifest.is_some(), "{}: {:?}", fence.place, out.sorted());
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn configurations_in_the_pages_are_valid() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let file = scratch.path().join("tidegate.yaml");
    let mut checked = 0;
    for fence in fences().iter().filter(|fence| fence.is("yaml config")) {
        write(&file, &fence.body);
        let mut command = program();
        let output = command.args(["config", "show", "--config"]).arg(&file).output();
        let output = output.expect("it starts");
        assert!(
            output.status.success(),
            "{}: {}",
            fence.place,
            String::from_utf8_lossy(&output.stderr)
        );
        let shown = String::from_utf8_lossy(&output.stdout);
        let name = shown.lines().find(|line| line.starts_with("source.name"));
        assert!(name.is_some_and(|line| line.contains("my-platform")), "{}", fence.place);
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} were found");
}

#[test]
fn json_in_the_pages_conforms_to_the_schemas() {
    let mut checked = 0;
    for fence in fences().iter().filter(|fence| fence.is("json")) {
        let value: Value = parse(fence);
        let schema = match fence.info.get(1).map(String::as_str) {
            Some("part") => continue,
            Some(kind) => format!("{kind}.json"),
            None => panic!("{}: JSON of which kind?", fence.place),
        };
        let found = problems(&schema, &value);
        assert!(found.is_empty(), "{}: {found:#?}", fence.place);
        checked += 1;
    }
    assert!(checked >= 5, "only {checked} were found");
}

/// What a decision holds of the moment and of the version that made it.
const OF_THE_MOMENT: [&str; 3] = ["versions", "received_at", "decided_at"];

#[test]
fn the_decision_in_the_page_is_the_one_about_the_post_above_it() {
    let fences = fences_of("docs/wire.md");
    let place = fences.iter().position(|fence| fence.is("json decision")).expect("it shows one");
    let post = fences[..place].iter().rfind(|fence| fence.is("json post")).expect("and its post");
    let mut shown = parse(&fences[place]);
    let mut decided = lines(&moderate(&[], post.body.as_bytes())).remove(0);
    for decision in [&mut shown, &mut decided] {
        let keys = decision.as_object_mut().expect("a decision is an object");
        for key in OF_THE_MOMENT {
            assert!(keys.remove(key).is_some(), "{key}");
        }
        let hits = decision["signals"]["rules"].as_array_mut().expect("hits are a list");
        for hit in hits {
            hit["hash"] = Value::Null;
        }
    }
    assert_eq!(shown, decided, "docs/wire.md shows the first, the program says the second");
}

#[test]
fn the_shortened_decision_in_the_readme_is_part_of_the_one_about_its_post() {
    let fences = fences_of("README.md");
    let place = fences.iter().position(|fence| fence.is("json part")).expect("it shows one");
    let script = fences[..place].iter().rfind(|fence| fence.is("sh")).expect("and the command");
    let post = commands(&script.body).remove(0).remove(1);
    let decided = lines(&moderate(&[], post.as_bytes())).remove(0);
    let shown = parse(&fences[place]);
    assert!(is_part(&shown, &decided), "{shown:#}\nis no part of\n{decided:#}");
}

/// Whether everything in `part` stands in `whole`; lists have the same length.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|whole| is_part(value, whole))),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(a, b)| is_part(a, b))
        }
        _ => part == whole,
    }
}

fn parse(fence: &Fence) -> Value {
    serde_json::from_str(&fence.body).unwrap_or_else(|e| panic!("{}: {e}", fence.place))
}
