//! Every view of any text leads back to the original: to places between characters, inside the text,
//! rising with the view.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::text::{NormalizedText, Span, Utf16Cursor, skeleton, standard};

fuzz_target!(|text: &str| {
    if text.len() > 16 * 1024 {
        return;
    }
    let view = standard(text);
    check(text, &view);
    let again = standard(view.text());
    assert!(again.text().len() <= 4 * view.text().len() + 16, "folding does not blow up");
    if let Some(skeleton) = skeleton(text, &view) {
        check(text, skeleton.view());
        let whole = Span::from_range(0..skeleton.view().text().len());
        let characters = skeleton.view().text().chars().count();
        assert_eq!(skeleton.runs(whole).len(), characters, "each character has its run");
    }
});

fn check(original: &str, view: &NormalizedText) {
    assert_eq!(usize::try_from(view.original_len()), Ok(original.len()));
    let mut cursor = Utf16Cursor::new(original);
    let mut before = 0;
    for (at, ch) in view.text().char_indices() {
        let span = view.original_span(Span::from_range(at..at + ch.len_utf8()));
        let place = original.get(span.range());
        assert!(place.is_some(), "{:?} is no place of the original", span.range());
        assert!(span.start() >= before, "places rise");
        before = span.start();
        let _ = cursor.span(span);
    }
    let whole = view.original_span(Span::from_range(0..view.text().len()));
    assert!(original.get(whole.range()).is_some());
}
