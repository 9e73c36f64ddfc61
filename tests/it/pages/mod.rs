//! What the documents say is true: their examples load, their commands exist, their output is the
//! program's, their links lead somewhere and their lists are complete.
//!
//! The first word of a fence says the language, the second what the example is. A second word that
//! nobody knows, or none, is a failure: an example that nothing checks grows old.

mod commands;
mod examples;
mod links;
mod lists;
mod output;
mod shell;

use std::{fs, path::Path, process::Command};

/// The pages whose examples are checked.
const PAGES: [&str; 6] = [
    "README.md",
    "docs/rules.md",
    "docs/policies.md",
    "docs/operations.md",
    "docs/wire.md",
    "docs/models.md",
];

/// What stands between two lines of backticks.
#[derive(Debug, Clone)]
struct Fence {
    /// Page and line, for messages.
    place: String,
    /// The words after the backticks.
    info: Vec<String>,
    body: String,
}

impl Fence {
    /// Whether the first words are these.
    fn is(&self, words: &str) -> bool {
        let mut own = self.info.iter();
        words.split(' ').all(|word| own.next().is_some_and(|own| own == word))
    }

    /// The path where the example is to lie, where it says one.
    fn path(&self) -> Option<&str> {
        self.info.last().filter(|word| word.contains('/')).map(String::as_str)
    }
}

/// A file of the repository.
fn read(path: &str) -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&place).unwrap_or_else(|e| panic!("{}: {e}", place.display()))
}

/// Every fence of every page, in order.
fn fences() -> Vec<Fence> {
    PAGES.into_iter().flat_map(fences_of).collect()
}

fn fences_of(page: &'static str) -> Vec<Fence> {
    let text = read(page);
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                let info = info.split_whitespace().map(str::to_owned).collect();
                let place = format!("{page}:{}", index + 1);
                open = Some(Fence { place, info, body: String::new() });
            }
            (Some(_), Some(fence)) => found.push(fence),
            (None, Some(mut fence)) => {
                fence.body.push_str(line);
                fence.body.push('\n');
                open = Some(fence);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence of {page} is not closed");
    found
}

/// The program, which finds rules and models in the repository wherever it runs.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.env("TIDEGATE_HOME", env!("CARGO_MANIFEST_DIR"));
    command
}

/// Writes a file and the folders above it.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}

#[test]
fn every_example_says_what_it_is() {
    const KNOWN: [&str; 19] = [
        "yaml rule",
        "yaml row",
        "yaml pack",
        "yaml policy",
        "yaml config",
        "yaml emergency",
        "yaml routing",
        "yaml model",
        "yaml broken",
        "json post",
        "json decision",
        "json part",
        "json error",
        "json dead-letter",
        "sh",
        "console",
        "python",
        "text",
        "",
    ];
    let strange = |fence: &Fence| {
        let second = fence.info.get(1).filter(|word| !word.contains('/'));
        let head = [fence.info.first(), second].into_iter().flatten().cloned().collect::<Vec<_>>();
        !KNOWN.contains(&head.join(" ").as_str())
    };
    let strange: Vec<Fence> = fences().into_iter().filter(strange).collect();
    assert!(strange.is_empty(), "{strange:#?}");
}
