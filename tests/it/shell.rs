//! Completions and the manual page: made of the same description as the arguments.

use std::process::{Command, Output};

fn tidegate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(arguments)
        .output()
        .expect("the binary starts")
}

fn page(arguments: &[&str]) -> String {
    let output = tidegate(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn each_shell_completes_every_subcommand() {
    for shell in ["bash", "zsh", "fish"] {
        let script = page(&["completions", shell]);
        for word in ["moderate", "explain", "check", "completions", "no-model"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("embedded-broker"), "{shell}: what is hidden stays so");
    }
    assert_eq!(tidegate(&["completions", "abacus"]).status.code(), Some(2));
}

#[test]
fn bash_takes_its_completions() {
    let script = page(&["completions", "bash"]);
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("tidegate.bash");
    std::fs::write(&file, script).expect("it is writable");
    let ask = "source \"$1\"; COMP_WORDS=(tidegate rules ex); COMP_CWORD=2; \
               _tidegate tidegate ex rules; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", ask, "bash"]).arg(&file).output();
    let output = output.expect("bash is there");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "explain");
}

#[test]
fn the_manual_has_a_page_for_every_subcommand() {
    let manual = page(&["man"]);
    assert!(manual.contains(".TH tidegate 1"), "{manual}");
    for subcommand in ["moderate", "rules", "completions"] {
        assert!(manual.contains(&format!("tidegate\\-{subcommand}(1)")), "{subcommand}");
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().to_str().expect("a plain path");
    assert_eq!(page(&["man", "--folder", path]), "");
    for name in ["tidegate.1", "tidegate-moderate.1", "tidegate-rules-explain.1"] {
        let text = std::fs::read_to_string(folder.path().join(name));
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(".SH NAME"), "{name}");
    }
}

#[test]
fn schemas_can_be_asked_for() {
    for (name, title) in [("pack", "Rule pack"), ("policy", "Policy"), ("decision", "Decision")] {
        let schema = page(&["rules", "schema", name]);
        let schema: serde_json::Value = serde_json::from_str(&schema).expect("it is JSON");
        assert_eq!(schema["title"], title);
    }
}
