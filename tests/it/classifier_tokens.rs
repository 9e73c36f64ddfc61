//! Models that read tokens: windows, heads, neighbours, deadlines.

use std::{
    fs,
    time::{Duration, Instant},
};

use tempfile::tempdir;
use tidegate::classify::{Classifier, ClassifyError, Input};

use crate::support::{
    model::{folder, input, open, scores, session, small, written},
    onnx::{HANG, Network, YEARS},
};

/// A text of so many words that say nothing.
fn river(words: usize) -> String {
    vec!["river"; words].join(" ")
}

#[test]
fn a_text_is_read_in_windows_and_the_highest_score_counts() {
    let scratch = tempdir().expect("a scratch folder");
    let path = written(scratch.path(), "small", &small(), &[]);
    let encoder = folder(&path).expect("a sound folder").encoder;
    let windows = |text: &str| {
        let mut all = Vec::new();
        encoder.encode(text, |ids| all.push(ids)).expect("every word has a token");
        all
    };
    assert_eq!(windows(""), [vec![2, 3]], "an empty text has one window");
    assert_eq!(windows("the idiot"), [vec![2, 8, 4, 3]]);
    assert_eq!(windows("elbows"), [vec![2, 1, 3]], "its own truncation and an unknown word");
    let long = windows(&river(14 * 10 + 1));
    assert_eq!(long.len(), 4, "no more than it may have");
    assert!(long.iter().all(|window| window[0] == 2 && window.last() == Some(&3)));
    assert_eq!(long[0].len(), 16, "{long:?}");
    assert_eq!(long[3].len(), 3, "the end is read");

    let mut session = session(&path);
    let mut score = |text: &str| scores(&mut *session, text).expect("scores");
    let decent = score(&river(3));
    assert_eq!(decent, [18, 18], "hate and toxic of 1 / (1 + e⁴)");
    let alone = score("the idiot");
    assert!(alone[0] < 20 && alone[1] > 990, "{alone:?}");
    let at_the_end = score(&format!("{} idiot", river(14 * 10)));
    assert_eq!(at_the_end, score("idiot"), "the last window alone speaks");
    assert_eq!(score(&format!("{} {} idiot", river(30), river(30)))[0], decent[0]);
}

#[test]
fn heads_and_inputs_of_every_kind_are_read() {
    let scratch = tempdir().expect("a scratch folder");
    let typed = Network { types: true, ..small() };
    let inputs = ("attention_mask]", "attention_mask, token_type_ids]");
    let sigmoid = written(scratch.path(), "sigmoid", &typed, &[inputs]);
    let softmax = written(
        scratch.path(),
        "softmax",
        &typed,
        &[
            inputs,
            ("sigmoid", "softmax"),
            ("labels: [toxic, hate]", "labels: [~, hate]"),
            ("toxic: {und: [1.0, 0.0]}, ", ""),
            ("toxic: {und: 0.5}, ", ""),
            ("toxic: [en], ", ""),
        ],
    );
    let [mut sigmoid, mut softmax] = [sigmoid, softmax].map(|path| session(&path));
    let both = scores(&mut *sigmoid, "idiot fool").expect("scores");
    assert!(both.iter().all(|score| *score > 990), "labels that may hold together: {both:?}");
    assert_eq!(scores(&mut *softmax, "idiot fool").expect("scores"), [500], "one of two holds");
    assert_eq!(scores(&mut *softmax, "fool").expect("scores"), [1000]);
}

/// 64 texts of different lengths.
fn crowd() -> Vec<String> {
    (0..64).map(|n| format!("{} idiot {} fool", river(n % 13), river(n % 7))).collect()
}

fn alone_and_among_others(session: &mut dyn Classifier) {
    let crowd = crowd();
    let inputs: Vec<Input<'_>> = crowd.iter().map(|text| input(text)).collect();
    let among = session.score(&inputs).expect("scores");
    for (text, among) in crowd.iter().zip(among) {
        let alone = session.score(&[input(text)]).expect("scores").remove(0);
        assert_eq!(alone, among, "{text}");
    }
}

#[test]
fn a_score_does_not_depend_on_its_neighbours_nor_on_padding() {
    let scratch = tempdir().expect("a scratch folder");
    let together = written(scratch.path(), "together", &small(), &[("batch: 1", "batch: 8")]);
    alone_and_among_others(&mut *session(&together));
}

/// A scale over the whole batch moves the scores of the others, so such a network reads alone.
#[test]
fn a_network_that_mixes_rows_reads_one_window_at_a_time_or_not_at_all() {
    let scratch = tempdir().expect("a scratch folder");
    let mixing = Network {
        mixes_rows: true,
        ..Network::of(&[("idiot", &[0.31, 0.0]), ("fool", &[0.0, 3.0])])
    };
    let alone = written(scratch.path(), "alone", &mixing, &[]);
    alone_and_among_others(&mut *session(&alone));
    let together = written(scratch.path(), "together", &mixing, &[("batch: 1", "batch: 8")]);
    let refused = folder(&together).expect_err("its rows reach each other");
    assert!(refused.starts_with("M012") && refused.contains("say `batch: 1`"), "{refused}");
}

#[test]
fn an_inference_over_its_deadline_is_ended_and_the_next_one_is_not() {
    let scratch = tempdir().expect("a scratch folder");
    let network = Network { turns: YEARS, ..small() };
    let mut session = session(&written(scratch.path(), "hangs", &network, &[]));
    let decent = scores(&mut *session, "the river").expect("it turns not once");
    let began = Instant::now();
    let ended = scores(&mut *session, HANG).expect_err("it would turn for years");
    let ClassifyError::Deadline { model, limit } = ended else { panic!("another end: {ended}") };
    assert_eq!((model.as_str(), limit), ("hangs", Duration::from_millis(300)));
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
    assert_eq!(scores(&mut *session, "the river").expect("the session works on"), decent);
}

/// A machine that has no time to spare was refused every model: golden outputs were held to the deadline of posts.
#[test]
fn a_model_that_is_not_in_force_yet_may_take_its_time() {
    let scratch = tempdir().expect("a scratch folder");
    let network = Network { turns: 300_000, ..small() };
    let path =
        written(scratch.path(), "slow", &network, &[("deadline_ms: 300", "deadline_ms: 10")]);
    let golden = r#"{"text": "hang", "language": "en", "ids": [[2, 6, 3]], "scores": {"hate": 0.018, "toxic": 0.018}}"#;
    fs::write(path.join("golden.jsonl"), golden).expect("it is writable");
    let model = open(&path).unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!(model.differences().expect("nothing waits for it"), [""; 0]);
    let late = scores(&mut *session(&path), HANG).expect_err("a post waits for it");
    assert!(matches!(late, ClassifyError::Deadline { .. }), "another end: {late}");
}
