//! The scan finds what a naive search in the standard view finds.
//!
//! The first line holds literals, parted by tabs; the rest is the text.

#![no_main]

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use libfuzzer_sys::fuzz_target;
use tidegate::{
    condition::Declared,
    diagnostic::{Diagnostics, SourceFile},
    post::{Field, Surface},
    rules::{ListFiles, ScanPart, Vocabulary, Which, compile, parse_pack},
    text::{NormalizedText, Span, standard, standard_literal, standard_literal_among_kana},
};

/// Most literals, and most finds of one: what is listed of a hit is bounded.
const LITERALS_MAX: usize = 6;
const FINDS_MAX: usize = 16;

fuzz_target!(|input: &str| {
    let (line, text) = input.split_once('\n').unwrap_or((input, ""));
    let literals: BTreeSet<&str> = line.split('\t').take(LITERALS_MAX).collect();
    if text.len() > 4096 || literals.iter().any(|literal| literal.trim().is_empty()) {
        return;
    }
    let Some(pack) = pack(&literals) else { return };
    let mut out = Diagnostics::default();
    let vocabulary = Vocabulary { categories: &["spam"], mandatory: &[], extra: &Declared::new() };
    let rules = compile(&[pack], &ListFiles::default(), &vocabulary, Which::Scanned, &mut out);
    if out.has_errors() {
        return;
    }
    let view = standard(text);
    let part = ScanPart { field: Field::Links, index: None, original: text, standard: &view };
    let scanned = rules.scan(&[part], Surface::Post);
    for (number, literal) in literals.iter().enumerate() {
        let rule = format!("p/r{number}");
        let of_rule = scanned.hits.iter().filter(|hit| hit.rule.id.as_str() == rule);
        let found: BTreeSet<(u32, u32)> = of_rule
            .flat_map(|hit| hit.spans.iter().map(|s| (s.bytes.start(), s.bytes.end())))
            .collect();
        let expected = naive(literal, &view);
        if expected.len() < FINDS_MAX {
            assert_eq!(found, expected, "{literal:?} in {text:?}");
        }
    }
});

/// One rule a literal: longest matches compete only within a rule.
fn pack(literals: &BTreeSet<&str>) -> Option<tidegate::rules::PackFile> {
    let mut text = "pack: p\nrules:\n".to_owned();
    for (number, literal) in literals.iter().enumerate() {
        let quoted = serde_json::to_string(literal).expect("a text can be quoted");
        let entry = format!("{{text: {quoted}, view: standard, fields: links}}");
        writeln!(text, "  - {{id: r{number}, category: spam, severity: 1, any: [{entry}]}}")
            .expect("a string takes any text");
    }
    let file = Arc::new(SourceFile { path: "packs/p.yaml".to_owned(), text });
    parse_pack(&file, &mut Diagnostics::default())
}

/// Every place of the literal in the view, as the original has it, but for places inside others.
fn naive(literal: &str, view: &NormalizedText) -> BTreeSet<(u32, u32)> {
    let forms: BTreeSet<String> =
        [Some(standard_literal(literal)), standard_literal_among_kana(literal)]
            .into_iter()
            .flatten()
            .filter(|form| !form.is_empty())
            .collect();
    let text = view.text();
    let mut places = BTreeSet::new();
    for (at, _) in text.char_indices() {
        for form in forms.iter().filter(|form| text[at..].starts_with(form.as_str())) {
            let span = view.original_span(Span::from_range(at..at + form.len()));
            places.insert((span.start(), span.end()));
        }
    }
    let covered = |place: &(u32, u32)| {
        let covers = |other: &(u32, u32)| other != place && other.0 <= place.0 && place.1 <= other.1;
        places.iter().any(covers)
    };
    places.iter().filter(|place| !covered(place)).copied().collect()
}
