//! Layout against what it must not change.

use std::{fs, path::Path, sync::Arc};

use proptest::prelude::*;

use super::{format, format_list};
use crate::diagnostic::{Diagnostics, SourceFile};

fn laid_out(text: &str) -> Option<String> {
    let file = Arc::new(SourceFile { path: "a.yaml".into(), text: text.to_owned() });
    format(&file, &mut Diagnostics::default())
}

/// What is written, and how it is laid out.
const CASES: &[(&str, &str)] = &[
    ("pack: a  \r\nrules: []\r\n\r\n\r\n", "pack: a\nrules: []\n"),
    ("\n\n# head\n\n\n\npack: a", "# head\n\npack: a\n"),
    (
        "rules:\n- id: a\n  any:\n  - x\n  # why\n  - y\n",
        "rules:\n  - id: a\n    any:\n      - x\n      # why\n      - y\n",
    ),
    (
        "rules:\n    -   id: a\n        any: [x,\n              y]   # both\n",
        "rules:\n  - id: a\n    any: [x,\n          y]   # both\n",
    ),
    // Keys of a rule have an order; what stands in a comment's reach stays.
    (
        "rules:\n  - severity: 2\n    hit: [x]\n    any: [x]\n    id: a\n",
        "rules:\n  - id: a\n    severity: 2\n    any: [x]\n    hit: [x]\n",
    ),
    (
        "rules:\n  - severity: 2\n    # the name\n    id: a\n",
        "rules:\n  - severity: 2\n    # the name\n    id: a\n",
    ),
    // Values over several lines keep their words, spaces at their ends included.
    ("a:\n   b: |\n     one  \n\n\n       two\n", "a:\n  b: |\n    one  \n\n\n      two\n"),
    ("a: 'one\n\n\n  two'\nb: \"x # y\"\n", "a: 'one\n\n\n  two'\nb: \"x # y\"\n"),
    // What could change its meaning stays as it is.
    ("a:\n    - - x\n      - y\n", "a:\n    - - x\n      - y\n"),
    ("a:\n    b: |2\n        x\n", "a:\n  b: |2\n      x\n"),
];

#[test]
fn lines_move_and_words_stay() {
    for (written, expected) in CASES {
        let laid = laid_out(written).unwrap_or_else(|| panic!("{written} is YAML"));
        assert_eq!(laid, *expected, "{written}");
        assert_eq!(laid_out(&laid).as_ref(), Some(&laid), "once is enough: {written}");
    }
    assert_eq!(laid_out("a: [b\n"), None);
    assert_eq!(format_list("a \n\n\n\n# b\nc"), "a\n\n# b\nc\n");
}

/// Every file that is shipped.
fn shipped() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push((name, fs::read_to_string(&path).expect("it is text")));
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["rules", "tests/fixtures/small"] {
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    found
}

#[test]
fn what_is_shipped_is_laid_out_and_finds_back_from_a_wider_layout() {
    let files = shipped();
    assert!(files.len() > 60);
    for (name, text) in files {
        assert!(laid_out(&text).as_ref() == Some(&text), "run `tidegate rules fmt`: {name}");
        if text.contains(": >") || text.contains(": |") {
            // Lines of such a value keep their distance from each other.
            continue;
        }
        let wide: String = text.lines().map(|line| wider(line) + "\n").collect();
        assert!(laid_out(&wide) == Some(text), "{name}");
    }
}

/// The line with every indentation doubled.
fn wider(line: &str) -> String {
    let words = line.trim_start_matches(' ');
    let spaces = " ".repeat(2 * (line.len() - words.len()));
    match words.strip_prefix("- ") {
        Some(item) => format!("{spaces}-   {item}"),
        None => format!("{spaces}{words}"),
    }
}

proptest! {
    #[test]
    fn whatever_is_yaml_keeps_its_meaning_and_is_laid_out_once(
        lines in prop::collection::vec(
            (0usize..8, prop::sample::select(vec![
                "a:", "b: x", "- y", "- c: z", "c: [1, 2]", "# note", "d: 'q  ", "  '", "e: |",
                "- ", "", "f: \"g\" # h", "rules:", "- id: i", "hit: j", "title: k",
            ])),
            0..14,
        ),
    ) {
        let indented = |(indent, words): &(usize, &str)| " ".repeat(*indent) + words + "\n";
        let text: String = lines.iter().map(indented).collect();
        if let Some(laid) = laid_out(&text) {
            prop_assert!(super::layout::keeps(&text, &laid), "{text}\n---\n{laid}");
            prop_assert_eq!(laid_out(&laid), Some(laid));
        }
    }
}
