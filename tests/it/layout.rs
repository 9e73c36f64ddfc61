//! `tidegate rules fmt` as it is run: on files, on folders, in a pipe, in a check.

use std::fs;

use crate::support::moderate::tidegate;

#[test]
fn a_folder_is_laid_out_once_and_a_check_changes_nothing() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let write = |file: &str, text: &str| {
        let path = scratch.path().join(file);
        fs::create_dir_all(path.parent().expect("below it")).expect("it is writable");
        fs::write(path, text).expect("it is writable");
    };
    write("packs/a.yaml", "pack: a\nrules:\n- severity: 1\n  id: b   # why\n  any: x \n");
    write("lists/words.txt", "one  \n\n\n\ntwo");
    write("corpora/en.txt", "left  \nalone");
    let folder = scratch.path().to_str().expect("letters");
    let run = |arguments: &[&str]| {
        let output = tidegate(&[&["rules", "fmt"], arguments].concat(), b"");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let read = |file: &str| fs::read_to_string(scratch.path().join(file)).expect("it is there");

    let (code, named) = run(&["--check", folder]);
    assert_eq!((code, named.lines().count()), (Some(1), 2), "{named}");
    assert_eq!(read("lists/words.txt"), "one  \n\n\n\ntwo");
    assert_eq!(run(&[folder]).0, Some(0));
    let pack = "pack: a\nrules:\n  - id: b   # why\n    severity: 1\n    any: x\n";
    assert_eq!(read("packs/a.yaml"), pack);
    assert_eq!(read("lists/words.txt"), "one\n\ntwo\n");
    assert_eq!(read("corpora/en.txt"), "left  \nalone");
    assert_eq!(run(&["--check", folder]), (Some(0), String::new()));

    let piped = tidegate(&["rules", "fmt", "-"], b"pack: a\nrules:\n- id: b\n");
    assert_eq!(piped.stdout, b"pack: a\nrules:\n  - id: b\n");
    write("packs/b.yaml", "pack: [\n");
    let (code, _) = run(&[folder]);
    assert_eq!(code, Some(65), "what is no YAML is said, and stays");
    assert_eq!(read("packs/b.yaml"), "pack: [\n");
    assert_eq!(run(&["nowhere.yaml"]).0, Some(66));
}
