//! The fences between modules, as a table. Where this test and `ARCHITECTURE.md` differ, one of them
//! is wrong.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Most lines of a source file, its tests included.
const FILE_LINES_MAX: usize = 600;
/// Most lines of the map.
const MAP_LINES_MAX: usize = 150;

/// What each module may use of the crate, from the bottom to the top.
const MAY_USE: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("stop", &[]),
    ("diagnostic", &[]),
    ("post", &[]),
    ("text", &["signal"]),
    ("hash", &["text"]),
    ("signal", &["post", "text"]),
    ("decision", &["condition", "post", "signal"]),
    ("yaml", &["diagnostic"]),
    ("taxonomy", &["decision", "diagnostic", "signal", "yaml"]),
    ("condition", &["diagnostic", "post", "signal", "text", "yaml"]),
    ("rules", &["condition", "diagnostic", "hash", "post", "signal", "text", "yaml"]),
    ("classify", &["diagnostic", "signal", "yaml"]),
    ("policy", &["condition", "decision", "diagnostic", "post", "signal", "taxonomy", "yaml"]),
    ("overrides", &["diagnostic", "signal", "taxonomy", "yaml"]),
    ("files", &["diagnostic"]),
    ("import", &["diagnostic", "rules", "text", "yaml"]),
    ("delivery", &[]),
    ("wire", &["decision", "delivery", "hash", "post", "signal"]),
    (
        "bundle",
        &[
            "classify",
            "condition",
            "decision",
            "diagnostic",
            "engine",
            "files",
            "hash",
            "overrides",
            "policy",
            "post",
            "rules",
            "signal",
            "taxonomy",
            "units",
            "wire",
            "yaml",
        ],
    ),
    (
        "engine",
        &[
            "bundle",
            "condition",
            "decision",
            "hash",
            "overrides",
            "policy",
            "post",
            "rules",
            "signal",
            "text",
        ],
    ),
    (
        "explain",
        &["condition", "decision", "engine", "policy", "post", "rules", "signal", "text", "wire"],
    ),
    ("moderator", &["bundle", "classify", "decision", "engine", "post", "signal"]),
    ("direct", &["classify", "decision", "engine", "moderator", "post", "wire"]),
    ("telemetry", &["classify", "decision", "delivery", "post", "signal", "wire"]),
    ("reload", &["bundle", "classify", "diagnostic", "files", "hash", "overrides", "telemetry"]),
    ("http", &["bundle", "direct", "engine", "moderator", "reload", "stop", "telemetry", "wire"]),
    ("config", &["diagnostic", "units", "wire", "yaml"]),
    (
        "worker",
        &[
            "bundle",
            "config",
            "decision",
            "delivery",
            "engine",
            "http",
            "moderator",
            "post",
            "reload",
            "stop",
            "telemetry",
            "wire",
        ],
    ),
    ("demo", &["explain"]),
];

/// Outside names, and the only places that may say them.
const FENCES: &[(&str, &[&str])] = &[
    ("rdkafka", &["worker/", "config/kafka.rs", "demo/player.rs"]),
    ("rustix", &["worker/preflight/descriptors.rs"]),
    ("ort", &["classify/onnx/"]),
    ("tokenizers", &["classify/tokenizer.rs"]),
    ("daachorse", &["rules/literals.rs"]),
    ("regex", &["rules/patterns.rs"]),
    ("regex_syntax", &["rules/patterns.rs"]),
    ("granit_parser", &["yaml/node.rs"]),
    ("whatlang", &["text/language.rs"]),
    ("whichlang", &["text/language.rs"]),
    ("unicode_normalization", &["text/"]),
    ("unicode_security", &["text/"]),
    ("unicode_script", &["text/"]),
    ("prometheus", &["telemetry/instruments.rs", "telemetry/models.rs"]),
    ("tokio", &["http/"]),
    ("axum", &["http/"]),
    ("hyper", &["http/"]),
    ("hyper_util", &["http/"]),
    ("clap", &["cli/", "main.rs"]),
    ("clap_complete", &["cli/shell_command.rs"]),
    ("clap_mangen", &["cli/shell_command.rs"]),
    ("anstyle", &["explain/human.rs"]),
    ("unicode_width", &["explain/shown.rs"]),
    ("annotate_snippets", &["cli/report/human.rs"]),
    ("tracing", &["worker/", "http/", "telemetry/", "reload/", "cli/following.rs"]),
    ("signal_hook", &["stop.rs", "reload/mod.rs"]),
];

/// The pure core: no clock, disk, environment or thread.
const PURE: &[&str] = &[
    "bundle",
    "condition",
    "decision",
    "delivery",
    "diagnostic",
    "engine",
    "explain",
    "hash",
    "import",
    "overrides",
    "policy",
    "post",
    "rules",
    "signal",
    "taxonomy",
    "text",
    "units",
    "wire",
    "yaml",
];
/// What the pure core must not say.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::thread",
    "std::process",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "println!",
];

struct Source {
    /// Below `src`.
    path: String,
    /// Without its tests.
    code: String,
    lines: usize,
}

impl Source {
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module();
        if matches!(module, "main" | "lib" | "cli") {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            panic!("`{module}` is not in the table: say what it may use");
        };
        for used in used_modules(&source.code) {
            if used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} uses {used}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "uses against the table:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_names_only_modules_that_exist_and_are_used() {
    let sources = sources();
    let mut wide = Vec::new();
    for (module, allowed) in MAY_USE {
        let own = || sources.iter().filter(|source| source.module() == *module);
        assert!(own().count() > 0, "there is no module `{module}`");
        let used: BTreeSet<String> = own().flat_map(|s| used_modules(&s.code)).collect();
        let unused = allowed.iter().filter(|name| !used.contains(**name));
        wide.extend(unused.map(|name| format!("{module} may use {name}")));
    }
    assert!(wide.is_empty(), "allowed and not used, narrow the table:\n{}", wide.join("\n"));
}

#[test]
fn each_dependency_has_one_door() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, doors) in FENCES {
            let opens = doors.iter().any(|door| source.path.starts_with(door));
            if !opens && says_crate(&source.code, name) {
                wrong.push(format!("{} names {name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "dependencies outside their door:\n{}", wrong.join("\n"));
}

#[test]
fn the_core_touches_nothing() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.module())) {
        for word in IMPURE.iter().filter(|word| source.code.contains(*word)) {
            wrong.push(format!("{} says {word}", source.path));
        }
    }
    assert!(wrong.is_empty(), "the core is a function:\n{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_the_map_is_too() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| source.lines > FILE_LINES_MAX)
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect();
    assert!(long.is_empty(), "split them by what they own:\n{}", long.join("\n"));
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map is there");
    assert!(map.lines().count() <= MAP_LINES_MAX);
    for (module, _) in MAY_USE {
        assert!(map.contains(&format!("`{module}`")), "the map does not name `{module}`");
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("sources are UTF-8");
        let path = path.strip_prefix(&src).expect("it lies below src").display().to_string();
        let lines = text.lines().count();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let comment = |line: &&str| !line.trim_start().starts_with("//");
        Source { path, code: code.lines().filter(comment).collect::<Vec<_>>().join("\n"), lines }
    };
    let is_code = |path: &&PathBuf| {
        let path = path.display().to_string();
        !path.contains("/tests/") && !path.ends_with("_tests.rs") && !path.ends_with("/tests.rs")
    };
    files.iter().filter(is_code).map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries too").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// First segments after `crate::`, in paths and in grouped imports.
fn used_modules(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut rest = code;
    while let Some(at) = rest.find("crate::") {
        rest = &rest[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            used.extend(group_heads(group));
        } else {
            used.extend(head(rest));
        }
    }
    used
}

/// The first segment of each path of `{a::b, c::{d, e}}`, after its opening brace.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut at_start) = (0_usize, Vec::new(), true);
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && !c.is_whitespace() => {
                heads.extend(head(&group[index..]));
                at_start = false;
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> Option<String> {
    let name: String = path.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// Whether the code names a crate: `name::` or `use name`, not as a part of another path.
fn says_crate(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let separate = |at: usize| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    };
    code.match_indices(&path).any(|(at, _)| separate(at))
}
