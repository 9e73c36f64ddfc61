//! Rule, policy, taxonomy and bundle files of any text: a bundle, or diagnostics whose places exist.
//!
//! The first byte says which of the files the rest is; the others are plain ones.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use tidegate::{
    bundle::{Sources, load},
    diagnostic::{Diagnostics, SourceFile},
    files::RuleFolder,
};

const BUNDLE: &str = "regions: [default]\n";
const TAXONOMY: &str = "umbrellas: [{id: toxic, definition: d}]\ncategories: [{id: spam, definition: d}]\n";
const PACK: &str = "pack: p\nrules:\n  - {id: a, category: spam, severity: 1, any: [buy now]}\n";
const POLICY: &str = "region: default\ncategories: {spam: {review: {severity: 1}}}\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let file = |number: u8, path: &str, usual: &str| {
        let text = if which % 4 == number { text } else { usual };
        Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() })
    };
    let folder = RuleFolder {
        packs: vec![file(0, "packs/p.yaml", PACK)],
        policies: vec![file(1, "policies/default.yaml", POLICY)],
        taxonomy: Some(file(2, "taxonomy.yaml", TAXONOMY)),
        bundle: Some(file(3, "bundle.yaml", BUNDLE)),
        ..RuleFolder::default()
    };
    let sources = Sources { folders: &[folder], shipped_rules: true, models: None };
    match load(&sources) {
        Ok(loaded) => {
            assert!(!loaded.bundle.regions().is_empty());
            check(&loaded.warnings);
        }
        Err(diagnostics) => {
            assert!(diagnostics.has_errors(), "what is refused has a reason");
            check(&diagnostics);
        }
    }
});

/// Every place lies inside its file and between characters.
fn check(diagnostics: &Diagnostics) {
    for diagnostic in diagnostics.sorted() {
        assert!(!diagnostic.message.is_empty());
        let Some(location) = &diagnostic.location else { continue };
        let shown = location.file.text.get(location.range.clone());
        assert!(shown.is_some(), "{}: {:?} is no place", diagnostic.code, location.range);
    }
}
