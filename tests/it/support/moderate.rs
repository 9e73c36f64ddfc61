//! `tidegate` as users run it in a shell.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use super::schemas::assert_answer;

/// `tidegate moderate` in the repository's root, without a classifier, fed with `input`.
pub(crate) fn moderate(arguments: &[&str], input: &[u8]) -> Output {
    tidegate(&[&["moderate", "--no-model"], arguments].concat(), input)
}

/// `tidegate` in the repository's root, fed with `input`.
pub(crate) fn tidegate(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    let input = input.to_vec();
    // It may end before it has read everything, when it refuses to start.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("writing does not panic");
    output
}

/// The answers, one for each line, each as the schemas promise it.
pub(crate) fn lines(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("it answers in UTF-8");
    let answers = text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON"));
    let answers: Vec<serde_json::Value> = answers.collect();
    answers.iter().for_each(assert_answer);
    answers
}
