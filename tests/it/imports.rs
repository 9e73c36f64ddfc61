//! Word lists and rules of other tools become packs that pass every gate and act on nobody.

use std::{fs, process::Output};

use crate::support::moderate::tidegate;

const HOME: &str = "tests/fixtures/small";
const FIXTURES: &str = "tests/fixtures/import";

fn import(arguments: &[&str]) -> Output {
    let fixed = ["rules", "import", "--home", HOME, "--category", "spam"];
    tidegate(&[&fixed, arguments].concat(), b"")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it writes UTF-8")
}

/// What the file is, the file, and more arguments.
const CASES: &[(&str, &str, &[&str])] = &[
    ("plain", "plain.txt", &["--languages", "en,zh", "--severity", "2"]),
    ("ldnoobw", "ldnoobw.txt", &["--pack", "words", "--status", "draft"]),
    ("discourse", "discourse.csv", &[]),
    ("discourse", "replacements.csv", &["--no-default-rules"]),
    ("automod", "automod.yaml", &[]),
];

#[test]
fn each_format_becomes_a_pack_that_passes_every_gate() {
    for (from, file, more) in CASES {
        let path = format!("{FIXTURES}/{file}");
        let output = import(&[&["--from", from, &path], *more].concat());
        assert!(output.status.success(), "{file}: {}", text(&output.stderr));
        let pack = text(&output.stdout);
        insta::assert_snapshot!(
            format!("import_{file}"),
            pack.clone() + "---\n" + &text(&output.stderr)
        );

        let scratch = tempfile::tempdir().expect("a scratch folder");
        let packs = scratch.path().join("packs");
        fs::create_dir(&packs).expect("it is writable");
        fs::write(packs.join("imported.yaml"), &pack).expect("it is writable");
        let folder = scratch.path().to_str().expect("letters");
        let check = ["rules", "check", "--no-model", "--home", HOME, "--rules", folder];
        let checked = tidegate(&check, b"");
        assert!(checked.status.success(), "{file}: {}", text(&checked.stderr));
        let laid = tidegate(&["rules", "fmt", "--check", folder], b"");
        assert!(laid.status.success(), "{file}: an import is laid out: {}", text(&laid.stdout));
    }
}

#[test]
fn an_import_goes_to_a_file_and_what_cannot_be_read_is_said() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let out = path("pack.yaml");
    let plain = format!("{FIXTURES}/plain.txt");
    let output = import(&["--from", "plain", &plain, "--out", &out]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(
        fs::read_to_string(&out).expect("it was written").starts_with("pack: imported-plain\n")
    );

    fs::write(path("latin.txt"), b"caf\xe9\n").expect("it is writable");
    fs::write(path("large.txt"), "word\n".repeat(1 << 20)).expect("it is writable");
    fs::write(path("known.txt"), "buy now\nBUY NOW\n").expect("it is writable");
    let cases = [
        ("latin.txt", 66, "byte 3 is not UTF-8"),
        ("large.txt", 65, "4194304 bytes are allowed"),
        ("known.txt", 65, "nothing is left to import"),
        ("nowhere.txt", 66, "nowhere.txt"),
    ];
    for (file, code, said) in cases {
        let output = import(&["--from", "plain", &path(file)]);
        assert_eq!(output.status.code(), Some(code), "{file}");
        assert!(text(&output.stderr).contains(said), "{file}: {}", text(&output.stderr));
    }
}
