//! Posts built to make their decisions overflow: every list is cut and says so, the decision stays within
//! its bytes, and its verdicts stay.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::moderate::{lines, moderate};

/// The least that `bundle.yaml` may ask for.
const DECISION_BYTES: usize = 64 << 10;
const RULES: usize = 300;
/// A hundred of them.
const COUNTRIES: &str = "\
AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL \
CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FR GA GB GD GE GH GM GN GQ GR GT GW \
GY HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ LA LB LC LI LK LR LS LT LU";

/// A home with many rules of one word each; every second one is a shadow, and every row of the policy
/// names a law.
fn home() -> Home {
    let home = Home::with(3);
    let mut pack = "pack: many\nrules:\n".to_owned();
    for number in 0..RULES {
        let status = if number % 2 == 0 { "enforced" } else { "shadow" };
        let (word, long) = (word(number), "x".repeat(50));
        writeln!(
            pack,
            "  - {{id: rule-{number}-{long}, category: spam, severity: {}, status: {status}, any: [{word}], \
             hit: ['a {word} b'], miss: [nothing]}}",
            1 + number % 3,
        )
        .expect("a string takes any text");
    }
    home.write("packs/many.yaml", &pack);
    home.write("bundle.yaml", "decision_bytes: 64KiB\n");
    home
}

/// A word of its own for each rule, none within another.
fn word(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 20).expect("below 20"));
    format!("zq{}{}{}zx", letter(number), letter(number / 20), letter(number / 400))
}

/// The words of the first rules, a blank behind each.
fn words(rules: usize) -> String {
    (0..rules).flat_map(|number| [word(number), " ".to_owned()]).collect()
}

fn decide(home: &Home, post: &Value) -> (usize, Value) {
    let path = home.path().to_str().expect("a path of letters").to_owned();
    let output = moderate(&["--home", &path], post.to_string().as_bytes());
    let size = output.stdout.len();
    (size, lines(&output).remove(0))
}

#[test]
fn a_hit_has_sixteen_places_at_most_and_says_that_there_were_more() {
    let text = format!("{} ", word(2)).repeat(40);
    let (_, decision) = decide(&home(), &json!({"id": "1", "text": text}));
    let hit = &decision["signals"]["rules"][0];
    assert_eq!(hit["spans"].as_array().map(Vec::len), Some(16), "{hit}");
    assert_eq!((&hit["truncated"], &decision["action"]), (&json!(true), &json!("block")));
}

#[test]
fn a_decision_drops_evidence_and_keeps_its_verdicts() {
    let home = home();
    let all = words(RULES);
    let few = words(120);
    // Places go first, then hits of shadow rules, then all hits; a verdict keeps reasons to the end.
    for (text, hits, spans, what) in [
        (few.repeat(20), 120, false, "places"),
        (all.clone(), RULES / 2, false, "shadow hits"),
        (all.repeat(20), RULES / 2, false, "both"),
    ] {
        let (size, decision) = decide(&home, &json!({"id": "1", "text": text}));
        assert!(size <= DECISION_BYTES, "{what}: {size} bytes");
        assert_eq!(decision["degraded"], json!(["evidence_truncated"]), "{what}");
        assert_eq!((&decision["truncated"], &decision["action"]), (&json!(true), &json!("block")));
        let shown = decision["signals"]["rules"].as_array().expect("a list");
        assert!(shown.len() <= hits, "{what}: {} hits", shown.len());
        let placed = shown.iter().any(|hit| hit["spans"] != json!([]));
        assert_eq!(placed, spans, "{what}");
        let reasons = decision["verdicts"][0]["reasons"].as_array().expect("a list");
        assert!((1..=32).contains(&reasons.len()), "{what}: {} reasons", reasons.len());
    }
}

#[test]
fn verdicts_of_many_regions_keep_the_gravest_reason_of_each() {
    let home = home();
    let codes: Vec<&str> = COUNTRIES.split_whitespace().collect();
    for code in &codes {
        // A law of its own in each file makes most verdicts another one.
        let policy = format!(
            "region: {code}\nrows:\n  - {{id: {id}/law, category: spam, action: block, \
             tier: illegal, legal: {{act: 'act of {code}', article: '{article}'}}}}\n",
            id = code.to_lowercase(),
            article = "x".repeat(200),
        );
        home.write(&format!("policies/{}.yaml", code.to_lowercase()), &policy);
    }
    let text = words(RULES);
    let (size, decision) = decide(&home, &json!({"id": "1", "text": text, "audience": codes}));
    assert!(size <= DECISION_BYTES, "{size} bytes");
    let verdicts = decision["verdicts"].as_array().expect("a list");
    assert!(verdicts.len() > 40, "{} verdicts", verdicts.len());
    for verdict in verdicts {
        assert_eq!(verdict["reasons"].as_array().map(Vec::len), Some(1), "{verdict}");
        assert_eq!(verdict["truncated"], json!(true), "{verdict}");
    }
}
