//! The emergency file at the command line: it weakens, it ends by the post's time, and what is wrong
//! with it is said like everything else.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::home::{AD, Home, emergency};
use crate::support::moderate::{lines, moderate};

const FROM: &str = "2026-11-22T12:00:00Z";
const UNTIL: &str = "2026-11-23T12:00:00Z";

fn decide(home: &Home, at: &str) -> Value {
    let folder = home.path().to_str().expect("a path of letters");
    let post = json!({"id": "1", "text": AD}).to_string();
    lines(&moderate(&["--home", folder, "--at", at], post.as_bytes())).remove(0)
}

fn check(home: &Home) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["rules", "check", "--no-model", "--home"])
        .arg(home.path())
        .output()
        .expect("the binary starts")
}

#[test]
fn an_override_weakens_its_rule_between_its_times_and_the_decision_says_so() {
    let home = Home::with(3);
    home.write("emergency.yaml", &emergency("review", FROM, UNTIL));
    let cases = [
        ("2026-11-22T11:59:59Z", "block", json!([]), Value::Null),
        ("2026-11-22T12:00:00Z", "review", json!(["emergency_override"]), json!("review")),
        ("2026-11-23T11:59:59Z", "review", json!(["emergency_override"]), json!("review")),
        ("2026-11-23T12:00:00Z", "block", json!([]), Value::Null),
    ];
    for (at, action, degraded, at_most) in cases {
        let decision = decide(&home, at);
        assert_eq!(decision["action"], action, "{at}");
        assert_eq!(decision["degraded"], degraded, "{at}");
        assert_eq!(decision["signals"]["rules"][0]["at_most"], at_most, "{at}");
    }
    home.write("emergency.yaml", &emergency("allow", FROM, UNTIL));
    let decision = decide(&home, FROM);
    assert_eq!((&decision["action"], &decision["withheld_in"]), (&json!("allow"), &json!([])));
}

#[test]
fn the_same_bundle_with_another_emergency_file_is_the_same_bundle() {
    let home = Home::with(3);
    let before = decide(&home, FROM);
    home.write("emergency.yaml", &emergency("allow", FROM, UNTIL));
    assert_eq!(decide(&home, FROM)["versions"], before["versions"]);
    assert_eq!(decide(&home, UNTIL)["verdicts"], before["verdicts"]);
}

#[test]
fn a_wrong_emergency_file_is_reported_with_line_and_caret_beside_what_is_wrong_with_rules() {
    let home = Home::with(3);
    assert!(check(&home).status.success());
    let wrong = emergency("review", FROM, "2026-12-24T12:00:00Z").replace("spam/ads", "spam/adds");
    home.write("emergency.yaml", &wrong);
    let output = check(&home);
    let said = String::from_utf8(output.stderr).expect("it prints text");
    assert_eq!(output.status.code(), Some(78), "{said}");
    for part in ["E001", "did you mean `spam/ads`?", "emergency.yaml:2:11", "^^^^^^^^^"] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    assert!(said.contains("E003") && said.contains("72 hours"), "{said}");

    home.write("packs/spam.yaml", "pack: spam\nruels: []\n");
    let said = String::from_utf8(check(&home).stderr).expect("it prints text");
    assert!(said.contains("ruels") && said.contains("E003"), "both at once:\n{said}");
}
