//! Input that is no post: answered in its place, and nothing else suffers.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use crate::support::moderate::{lines, moderate};

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

#[test]
fn every_bad_line_is_answered_in_its_place_and_the_rest_is_decided() {
    let deep = format!(r#"{{"id":"deep","extra":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let huge = format!(r#"{{"id":"huge","text":"{}"}}"#, "x".repeat(10_000_000));
    let cases: Vec<(&[u8], &str)> = vec![
        (br#"{"id":"ok","text":"hello"}"#, "decided"),
        (b"{\"id\":\"u\",\"text\":\"\xff\xfe\"}", "invalid_utf8"),
        (b"not json", "invalid_json"),
        (br#"{"id":"cut","text":"#, "invalid_json"),
        (br#"{"id":"twice"} {"id":"twice"}"#, "invalid_json"),
        (br#"{"id":"lone","text":"\ud800"}"#, "invalid_json"),
        (deep.as_bytes(), "too_deep"),
        (br#"{"text":"no id"}"#, "invalid_schema"),
        (br#"{"id":7,"text":"numeric id"}"#, "invalid_schema"),
        (br#"{"id":"","text":"empty id"}"#, "invalid_schema"),
        (br#"{"id":"type","text":["a list"]}"#, "invalid_schema"),
        (br#"{"id":"both","text":"a","fields":{"body":"b"}}"#, "invalid_schema"),
        (br#"{"id":"nobody","text":"a","audience":[]}"#, "invalid_schema"),
        (br#"{"id":"edit","text":"a","operation":"edit"}"#, "missing_revision"),
        (huge.as_bytes(), "too_large"),
        // A list in the order of the fields is no post, nor is it an author.
        (br#"["a list"]"#, "invalid_schema"),
        (br#"{"id":"author","author":["someone"]}"#, "invalid_schema"),
        (br#"{"id":"empty","text":""}"#, "decided"),
        (br#"{"id":"nothing"}"#, "decided"),
        (br#"{"id":"region","text":"a","audience":["ZZ","atlantis"]}"#, "decided"),
        (br#"{"id":"unknown","text":"a","mood":{"is":["fine"]}}"#, "decided"),
        // Nobody reads these keys; what they hold need not be a number or a text that exists.
        (br#"{"id":"number","text":"a","mood":1e999}"#, "decided"),
        (br#"{"id":"surrogate","text":"a","mood":"\ud800"}"#, "decided"),
        (br#"{"id":"gone","operation":"delete","revision":3}"#, "decided"),
    ];
    let input = cases.iter().map(|(line, _)| *line).collect::<Vec<_>>().join(&b'\n');
    let output = moderate(&[], &input);
    let answers = lines(&output);
    assert_eq!(answers.len(), cases.len(), "one answer a line");
    for (number, (answer, (_, expected))) in (1..).zip(answers.iter().zip(&cases)) {
        let error = &answer["error"];
        let got = error["code"].as_str().unwrap_or("decided");
        assert_eq!(got, *expected, "line {number}: {answer}");
        if got != "decided" {
            assert_eq!(error["line"], number, "the error says which line it is");
        }
    }
    assert_eq!(code(&output), 65, "some input was not usable");
}

#[test]
fn errors_never_repeat_what_the_author_wrote() {
    let secret = "my-secret-words";
    let input = format!(
        "{{\"id\":\"1\",\"text\":{{\"{secret}\":1}}}}\n{{\"id\":\"2\",\"fields\":\"{secret} expected\"}}\n\
         {{\"id\":\"3\",\"surface\":\"{secret}\"}}\n\
         {{\"id\":\"5\",\"extra\":{{\"{secret}\":[1]}}}}\n{{\"id\":\"4\",\"text\":\"{secret}\n"
    );
    let output = moderate(&[], input.as_bytes());
    let answers = String::from_utf8(output.stdout).expect("it answers in UTF-8");
    assert!(!answers.contains(secret), "{answers}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains(secret));
}

#[test]
fn the_same_post_has_the_same_decision_whatever_its_neighbours() {
    let one = br#"{"id":"a","text":"Telegram me, investment tips every day","created_at":"2026-01-01T00:00:00Z"}"#;
    let other = br#"{"id":"b","text":"a friendly hello"}"#;
    let without_times = |mut answer: serde_json::Value| {
        let object = answer.as_object_mut().expect("an answer is an object");
        object.remove("received_at").expect("it says when");
        object.remove("decided_at").expect("it says when");
        answer
    };
    let alone = lines(&moderate(&[], one)).remove(0);
    let between = [other.as_slice(), one, other].join(&b'\n');
    let among = lines(&moderate(&[], &between)).remove(1);
    assert_eq!(without_times(alone), without_times(among));
}

#[test]
fn what_is_missing_or_broken_at_start_is_said_once_with_a_way_to_mend_it() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let packs = folder.path().join("packs");
    std::fs::create_dir(&packs).expect("it is writable");
    std::fs::write(packs.join("mine.yaml"), BROKEN_PACK).expect("it is writable");
    let overlay = folder.path().display().to_string();

    let missing = moderate(&["--rules", "/nowhere/rules"], b"");
    assert_eq!(code(&missing), 66);
    assert!(
        text(&missing).contains("/nowhere/rules: there is no such folder"),
        "{}",
        text(&missing)
    );

    let home = moderate(&["--home", "/nowhere"], b"");
    assert_eq!(code(&home), 66);
    assert!(text(&home).contains("--home"), "{}", text(&home));

    let broken = moderate(&["--rules", &overlay], b"");
    assert_eq!(code(&broken), 78);
    let shown = text(&broken).replace(&overlay, "<overlay>");
    insta::assert_snapshot!("a_broken_pack_is_refused_with_everything_that_is_wrong", shown);
}

const BROKEN_PACK: &str = r"pack: mine
rules:
  - id: first
    category: scam_frad
    severity: 9
    any: [telegram me]
    hit: telegram me now
    miss: hello
  - id: second
    categroy: spam
    severity: 2
    any:
      - {regex: '\bbuy now\b'}
      - {regex: 'WeChat'}
      - {lst: terms}
      - C# course
      - half # of it
  - id: third
    category: spam
    severity: 2
    status: enforced
    any: [{list: trems}, 药]
";

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn output_to_a_file_is_the_same_as_to_standard_output() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let input = br#"{"id":"1","text":"hello","created_at":"2026-01-01T00:00:00Z"}"#;
    std::fs::write(path("posts.jsonl"), input).expect("it is writable");
    let (from, to) = (path("posts.jsonl"), path("decisions.jsonl"));
    let as_text = |path: &Path| path.display().to_string();
    let output = moderate(&[&as_text(&from), "--output", &as_text(&to)], b"");
    assert_eq!(code(&output), 0);
    assert!(output.stdout.is_empty());
    let written = std::fs::read_to_string(to).expect("decisions were written");
    assert_eq!(written.lines().count(), 1);
    assert!(written.contains(r#""post_id":"1""#));
}
