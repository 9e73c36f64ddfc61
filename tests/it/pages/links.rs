//! Links lead somewhere: to files that are there, and to headings of pages.

use std::{collections::BTreeSet, fs, path::Path};

use super::read;

/// Every page of the repository's root and of `docs/`.
fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).expect("the folder is there");
        let names: Vec<String> = entries
            .map(|entry| entry.expect("it is readable").file_name().to_string_lossy().into_owned())
            .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "md"))
            .collect();
        names
    };
    let docs = names("docs").into_iter().map(|name| format!("docs/{name}"));
    names(".").into_iter().chain(docs).collect()
}

#[test]
fn every_link_between_pages_and_files_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut checked = 0;
    for page in pages() {
        for target in targets(&read(&page)) {
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let folder = Path::new(&page).parent().expect("a page lies in a folder");
            let other = if path.is_empty() { page.clone() } else { tidy(&folder.join(path)) };
            let there = root.join(&other).exists();
            let has_anchor = || anchor.is_empty() || anchors(&read(&other)).contains(anchor);
            if !there || !has_anchor() {
                wrong.push(format!("{page}: {target}"));
            }
            checked += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked >= 60, "only {checked} were found");
}

#[test]
fn every_alert_has_its_runbook() {
    let alerts = read("deploy/prometheus/alerts.yaml");
    let anchors = anchors(&read("docs/operations.md"));
    let count = |word: &str| alerts.lines().filter(|l| l.trim_start().starts_with(word)).count();
    let runbooks = || alerts.lines().filter_map(|line| line.trim().strip_prefix("runbook: "));
    for runbook in runbooks() {
        let anchor = runbook.strip_prefix("docs/operations.md#").expect("it is in operations");
        assert!(anchors.contains(anchor), "no heading of docs/operations.md is #{anchor}");
    }
    assert_eq!(count("- alert: "), runbooks().count(), "each alert names one");
}

/// Where the links of a page lead, fences and other sites left out.
fn targets(page: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for (index, part) in page.split("\n```").enumerate() {
        let text = if index % 2 == 0 { part } else { "" };
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.extend(links.map(|(target, _)| target.to_owned()));
    }
    targets.retain(|target| !target.contains("://"));
    targets
}

/// The anchors that a page's headings make, in the way of the usual forges.
fn anchors(page: &str) -> BTreeSet<String> {
    let outside = page.split("\n```").step_by(2);
    let headings = outside.flat_map(str::lines).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Takes `..` and `.` out of a path.
fn tidy(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(parts.pop()),
            std::path::Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

#[test]
fn headings_become_anchors_and_fences_have_no_links() {
    let page = "# What is it?\ntext [a](b.md#c)\n```sh\n# [x](y)\n```\n## The `run` command\n";
    assert_eq!(targets(page), ["b.md#c"]);
    let expected = ["the-run-command", "what-is-it"].map(str::to_owned);
    assert_eq!(anchors(page), BTreeSet::from(expected));
}
