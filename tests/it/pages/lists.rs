//! Lists in the pages are complete, and name nothing that is not there.

use std::{collections::BTreeSet, fs, path::Path};

use tidegate::{config::SETTINGS, wire::ErrorCode};

use super::read;

/// The words between backticks in the first column of a page's tables.
fn first_column(page: &str) -> BTreeSet<String> {
    let text = read(page);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let first = rows.filter_map(|row| row.split_once(" |")).map(|(cell, _)| format!("`{cell}"));
    let cells: Vec<String> = first.collect();
    let words = cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2));
    words.map(str::to_owned).collect()
}

fn is_code(word: &str) -> bool {
    word.len() == 4
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word[1..].bytes().all(|b| b.is_ascii_digit())
}

/// The codes of diagnostics that stand in the sources as texts.
fn codes_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it is readable").path();
        if path.is_dir() {
            codes_in(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        found.extend(text.split('"').filter(|word| is_code(word)).map(str::to_owned));
    }
}

#[test]
fn every_code_of_a_diagnostic_is_listed() {
    let mut known = BTreeSet::new();
    codes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut known);
    let pages = ["docs/rules.md", "docs/policies.md", "docs/operations.md"];
    let listed: BTreeSet<String> =
        pages.into_iter().flat_map(first_column).filter(|word| is_code(word)).collect();
    assert_eq!(known, listed, "the sources have the first, the pages list the second");
    assert!(known.len() > 80);
}

#[test]
fn every_metric_is_listed_with_its_kind() {
    let snapshot = "tests/it/snapshots/it__documents__the_list_of_metrics_is_the_promised_one.snap";
    let snapshot = read(snapshot);
    let types = snapshot.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let known: BTreeSet<(&str, &str)> = types.filter_map(|line| line.split_once(' ')).collect();
    let page = read("docs/operations.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `tidegate_"));
    let listed: BTreeSet<(String, &str)> = rows
        .filter_map(|row| {
            let (name, rest) = row.split_once("` | ")?;
            Some((format!("tidegate_{name}"), rest.split_once(" |")?.0))
        })
        .collect();
    let listed: BTreeSet<(&str, &str)> =
        listed.iter().map(|(n, kind)| (n.as_str(), *kind)).collect();
    assert_eq!(known, listed, "the program has the first, docs/operations.md lists the second");
}

#[test]
fn every_setting_is_listed_with_its_value_and_meaning() {
    let page = read("docs/operations.md");
    for setting in SETTINGS {
        let value = match setting.default {
            "" => String::new(),
            value => format!("`{value}`"),
        };
        let row = format!("| `{}` | {value} | {} |", setting.key, setting.about);
        assert!(page.contains(&row), "docs/operations.md lacks: {row}");
    }
    let (_, section) = page.split_once("\n## Settings and limits\n").expect("it has the section");
    let (section, _) = section.split_once("\n## ").expect("it ends");
    let first = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: Vec<&str> = first.filter(|word| !is_code(word)).collect();
    let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    assert_eq!(listed, known, "the page lists the first, the program knows the second");
}

#[test]
fn every_error_code_is_listed() {
    let all = ErrorCode::OF_RECORDS.into_iter().chain(ErrorCode::OF_REQUESTS);
    let listed = first_column("docs/wire.md");
    for code in all {
        assert!(listed.contains(code.as_str()), "docs/wire.md lacks {}", code.as_str());
    }
    let letters = first_column("docs/operations.md");
    for code in ErrorCode::OF_RECORDS {
        assert!(letters.contains(code.as_str()), "docs/operations.md lacks {}", code.as_str());
    }
}
