//! What people and tools are told about files that are wrong: one broken folder for each code, and
//! every format of the report.
//!
//! `tests/fixtures/broken/<code>.txt` holds the files of an overlay on `tests/fixtures/small`, each
//! below a line `=== <path>`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::schemas::problems;

/// Codes that no rules folder can bring about: the model's and the reloads' have tests of their own.
const ELSEWHERE: &[&str] = &[
    "B003", "B004", "B006", "B008", "B009", "B020", "B021", "B022", "B023", "B024", "B025", "E005",
    "P007", "P016", "R014", "R034",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The folder that a fixture describes, as `my-rules` below a scratch folder.
fn lay_out(text: &str) -> TempDir {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    for section in text.split("=== ").skip(1) {
        let (path, body) = section.split_once('\n').expect("a path, then the file");
        let path = scratch.path().join("my-rules").join(path);
        fs::create_dir_all(path.parent().expect("below it")).expect("it is writable");
        fs::write(path, body).expect("it is writable");
    }
    scratch
}

/// `tidegate rules <command>` on the small rules with the overlay beside it.
fn rules(overlay: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.arg("rules").args(arguments).args(["--no-model", "--rules", "my-rules", "--home"]);
    let output = command.arg(fixtures().join("small")).current_dir(overlay.path()).output();
    output.expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    let small = fixtures().join("small").display().to_string();
    String::from_utf8(bytes.to_vec()).expect("it writes UTF-8").replace(&small, "<home>")
}

fn broken() -> Vec<(String, TempDir)> {
    let entries = fs::read_dir(fixtures().join("broken")).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let case = |path: &PathBuf| {
        let code = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (code, lay_out(&fs::read_to_string(path).expect("it is text")))
    };
    paths.iter().map(case).collect()
}

#[test]
fn each_code_has_its_words_its_place_and_its_caret() {
    for (code, overlay) in broken() {
        let output = rules(&overlay, &["check", "--strict"]);
        let shown = text(&output.stderr);
        assert!(shown.contains(&format!("[{code}]")), "{code} is not what is wrong:\n{shown}");
        assert_ne!(output.status.code(), Some(0), "{code}: it ends as if nothing were wrong");
        insta::with_settings!({snapshot_path => "snapshots/broken", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(code, shown);
        });
    }
}

#[test]
fn each_code_has_a_broken_folder() {
    let page = |page: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("a page")
    };
    let pages = page("docs/rules.md") + &page("docs/policies.md");
    let rows = pages.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let of_rules =
        |code: &&str| code.len() == 4 && code.starts_with(['B', 'E', 'P', 'R', 'T', 'Y']);
    let numbered = |code: &&str| code[1..].bytes().all(|byte| byte.is_ascii_digit());
    let listed = rows.filter(of_rules).filter(numbered).filter(|code| !ELSEWHERE.contains(code));
    let listed: BTreeSet<String> = listed.map(str::to_owned).collect();
    let tried: BTreeSet<String> = broken().into_iter().map(|(code, _)| code).collect();
    assert_eq!(tried, listed, "the first have a broken folder, the second stand in the pages");
}

#[test]
fn tools_are_told_the_same_in_every_format() {
    for (code, overlay) in broken() {
        let human = rules(&overlay, &["check"]);
        let json = rules(&overlay, &["check", "--format", "json"]);
        assert_eq!(json.status.code(), human.status.code(), "{code}: the outcome is the same");
        let report: Value = serde_json::from_slice(&json.stdout).expect("it prints JSON");
        assert_eq!(problems("report.json", &report), Vec::<String>::new(), "{code}: {report:#}");
        let sarif = rules(&overlay, &["check", "--format", "sarif"]);
        let sarif: Value = serde_json::from_slice(&sarif.stdout).expect("it prints JSON");
        assert_sarif(&sarif);
        let github = text(&rules(&overlay, &["check", "--format", "github"]).stdout);
        let found = report["diagnostics"].as_array().expect("a list");
        let results = sarif["runs"][0]["results"].as_array().expect("a list");
        assert_eq!((found.len(), found.len()), (results.len(), github.lines().count()), "{code}");
        for ((found, result), line) in found.iter().zip(results).zip(github.lines()) {
            assert_eq!(found["code"], result["ruleId"]);
            let level = found["level"].as_str().expect("a level");
            let title = format!("title={}::", found["code"].as_str().expect("a code"));
            assert!(line.starts_with(&format!("::{level} ")) && line.contains(&title), "{line}");
            let region = &result["locations"][0]["physicalLocation"]["region"];
            assert_eq!(found["line"], region["startLine"]);
            assert_eq!(found["end_column"], region["endColumn"]);
        }
    }
}

/// The parts of SARIF 2.1.0 that readers rely on (sections 3.13, 3.14, 3.19, 3.27, 3.28, 3.30).
fn assert_sarif(log: &Value) {
    let schema = include_str!("../fixtures/sarif-essentials.json");
    let schema = serde_json::from_str(schema).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let wrong: Vec<String> = validator.iter_errors(log).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{log:#}");
    let run = &log["runs"][0];
    for result in run["results"].as_array().expect("a list") {
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
        let rule = &run["tool"]["driver"]["rules"][index.expect("an index")];
        assert_eq!(rule["id"], result["ruleId"], "the index leads to the rule");
    }
}

#[test]
fn each_format_reads_as_promised() {
    let text_of = |code: &str| {
        fs::read_to_string(fixtures().join(format!("broken/{code}.txt"))).expect("it is there")
    };
    let refused = lay_out(&text_of("R010"));
    for format in ["json", "github", "sarif"] {
        let shown = text(&rules(&refused, &["check", "--format", format]).stdout);
        insta::assert_snapshot!(format!("refused_{format}"), shown);
    }
    let warned = lay_out(&text_of("R024"));
    let strict = rules(&warned, &["check", "--strict", "--format", "json"]);
    assert_eq!(strict.status.code(), Some(1));
    insta::assert_snapshot!("warned_json", text(&strict.stdout));
    let tested = rules(&warned, &["test", "--format", "json"]);
    assert_eq!(tested.status.code(), Some(0));
    assert_eq!(text(&tested.stdout), text(&strict.stdout));
    let missing = rules(&warned, &["check", "--format", "json", "--rules", "nowhere"]);
    assert_eq!(missing.status.code(), Some(66));
    let missing: Value = serde_json::from_slice(&missing.stdout).expect("it prints JSON");
    assert_eq!(missing["diagnostics"][0]["code"], "B020");
}

/// A word that is nearly right, where it stands in a file, and what is suggested.
const SLIPS: &[(&str, &str, &str)] = &[
    ("key of a pack", "=== packs/a.yaml\npack: a\nruels: []\n", "rules"),
    ("key of a rule", RULE, "category"),
    (
        "category",
        "=== packs/a.yaml\npack: a\nrules: {id: b, category: spma, severity: 1, any: buy}\n",
        "spam",
    ),
    (
        "status",
        "=== packs/a.yaml\npack: a\nrules: {id: b, category: spam, severity: 1, status: enfroced, any: buy}\n",
        "enforced",
    ),
    (
        "surface",
        "=== packs/a.yaml\npack: a\nrules: {id: b, category: spam, severity: 1, surfaces: comments, any: buy}\n",
        "comment",
    ),
    (
        "field",
        "=== packs/a.yaml\npack: a\nrules: {id: b, category: spam, severity: 1, any: {word: buy, fields: [titel]}}\n",
        "title",
    ),
    (
        "view",
        "=== packs/a.yaml\npack: a\nrules: {id: b, category: spam, severity: 1, any: {word: buy, view: standart}}\n",
        "standard",
    ),
    (
        "way to match",
        "=== packs/a.yaml\npack: a\nrules: {id: b, category: spam, severity: 1, any: {regx: buy}}\n",
        "regex",
    ),
    (
        "list",
        "=== packs/a.yaml\npack: a\nlists: {words: {file: ../lists/w.txt}}\nrules: {id: b, category: spam, severity: 1, any: {list: wrods}}\n=== lists/w.txt\nbuy\n",
        "words",
    ),
    (
        "rule in a policy",
        "=== policies/a.yaml\nregion: DE\nrows: {id: de/x, rule: spam/add, action: review}\n",
        "spam/ads",
    ),
    (
        "category in a policy",
        "=== policies/a.yaml\nregion: DE\ncategories: {sapm: never}\n",
        "spam",
    ),
    (
        "action",
        "=== policies/a.yaml\nregion: DE\nrows: {id: de/x, rule: spam/ads, action: reveiw}\n",
        "review",
    ),
    (
        "tier",
        "=== policies/a.yaml\nregion: DE\nrows: {id: de/x, rule: spam/ads, action: review, tier: ilegal}\n",
        "illegal",
    ),
    (
        "effect",
        "=== policies/a.yaml\nregion: DE\nrows: {id: de/x, rule: spam/ads, action: review, effects: age_gait}\n",
        "age_gate",
    ),
    ("row to drop", "=== policies/a.yaml\nregion: DE\ndrop: [eu/adds]\n", "eu/ads"),
    (
        "rule in an emergency",
        "=== emergency.yaml\noverrides: {rule: spam/add, at_most: review, from: 2026-11-22T12:00:00Z, until: 2026-11-23T12:00:00Z, by: me, reason: x}\n=== bundle.yaml\nregions: default\n",
        "spam/ads",
    ),
    ("key of bundle.yaml", "=== bundle.yaml\nregoins: [DE]\n", "regions"),
];

const RULE: &str =
    "=== packs/a.yaml\npack: a\nrules: {id: b, categroy: spam, severity: 1, any: buy}\n";

#[test]
fn every_slip_of_the_hand_gets_its_suggestion() {
    for (what, files, suggestion) in SLIPS {
        let output = rules(&lay_out(files), &["check"]);
        let shown = text(&output.stderr);
        assert!(shown.contains(&format!("did you mean `{suggestion}`?")), "{what}:\n{shown}");
    }
}
