//! Emergency overrides: rules that count for less, for a while, because somebody on call says so.
//!
//! They lie in `emergency.yaml` of a rules folder, outside the bundle, and can only weaken, so that
//! nothing stands in their way at three in the morning. Nothing here knows the clock: an override
//! begins and ends by the time that a post is judged at. A set of files with any mistake gives no
//! overrides; which ones then hold is the reader's business.

use std::{ops::Range, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::{
    diagnostic::{Diagnostics, SourceFile, nearest},
    signal::{AtMost, RuleFacts, RuleId},
    taxonomy::Taxonomy,
    yaml::{Node, Reader, parse},
};

/// Every code of emergency files with its meaning in one line.
pub const CODES: &[(&str, &str)] = &[
    (RULE_UNKNOWN, "an override names no rule of the bundle"),
    (MANDATORY, "an override of a rule that nothing may weaken"),
    (TIMES, "an override ends before it begins, or holds for more than 72 hours"),
    (TOO_MUCH, "too many overrides, or too long a text"),
    ("E005", "an emergency file, or its folder, cannot be read"),
];
const RULE_UNKNOWN: &str = "E001";
const MANDATORY: &str = "E002";
const TIMES: &str = "E003";
const TOO_MUCH: &str = "E004";

/// The longest that an override may hold: what is needed for longer is a change of the rule.
const HOLDS_MAX: SignedDuration = SignedDuration::from_hours(72);
/// Most overrides of one file.
const OVERRIDES_MAX: usize = 100;
/// Most bytes of `by` and of `reason`.
const TEXT_BYTES_MAX: usize = 500;

/// What weakens rules now and in the days to come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides(Vec<Override>);

/// One entry of an emergency file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The rule that counts for less.
    pub rule: RuleId,
    /// How far its hits may go.
    pub at_most: AtMost,
    /// The first moment at which it holds.
    pub from: Timestamp,
    /// The first moment at which it holds no longer.
    pub until: Timestamp,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The rules that an override may name.
#[derive(Debug, Clone, Copy)]
pub struct KnownRules<'a> {
    /// Every rule of the bundle, of any status.
    pub rules: &'a [Arc<RuleFacts>],
    /// Which of them nothing may weaken.
    pub taxonomy: &'a Taxonomy,
}

impl Overrides {
    /// Reads emergency files; nothing, and diagnostics, when anything in any of them is wrong.
    /// Without known rules, as beside a bundle that is refused at start, names are not checked.
    pub fn read(
        files: &[Arc<SourceFile>],
        known: Option<KnownRules<'_>>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let mut found = Diagnostics::default();
        let mut list = Vec::new();
        for file in files.iter().filter(|file| !file.text.trim().is_empty()) {
            let Some(root) = parse(file, &mut found) else { continue };
            let reader = Reader::new(file, &mut found);
            let Some(mut keys) = reader.keys(&root) else { continue };
            let items = keys.require("overrides", &reader).map_or(&[][..], |n| reader.items(n));
            reader.finish(&keys);
            if items.len() > OVERRIDES_MAX {
                let message = format!("{} overrides; a file may have {OVERRIDES_MAX}", items.len());
                reader.error(&root.range, TOO_MUCH, message);
                continue;
            }
            list.extend(items.iter().filter_map(|item| read_one(&reader, item, known)));
        }
        let refused = found.has_errors();
        for diagnostic in found.sorted() {
            out.push(diagnostic.clone());
        }
        (!refused).then_some(Self(list))
    }

    /// How far a hit of `rule` may go in a post that is judged at `as_of`; the mildest override
    /// wins.
    pub fn at_most(&self, rule: &RuleId, as_of: Timestamp) -> Option<AtMost> {
        let holds = |one: &&Override| one.rule == *rule && (one.from..one.until).contains(&as_of);
        self.0.iter().filter(holds).map(|one| one.at_most).min()
    }

    /// Every override, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Override> {
        self.0.iter()
    }

    /// How many there are, those of other times included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn read_one(reader: &Reader<'_>, node: &Node, known: Option<KnownRules<'_>>) -> Option<Override> {
    let mut keys = reader.keys(node)?;
    let rule = keys.require("rule", reader).and_then(|node| rule(reader, node, known));
    let at_most = keys.require("at_most", reader);
    let at_most = at_most.and_then(|n| reader.choice(n, &AtMost::ALL, AtMost::as_str));
    let [from, until] = ["from", "until"].map(|key| {
        let node = keys.require(key, reader)?;
        reader.parsed::<Timestamp>(node, "a moment such as 2026-11-22T12:00:00Z")
    });
    let [by, reason] = ["by", "reason"].map(|key| text(reader, keys.require(key, reader)?));
    reader.finish(&keys);
    let (from, until) = (from?, until?);
    times(reader, &node.range, from, until)?;
    Some(Override { rule: rule?, at_most: at_most?, from, until, by: by?, reason: reason? })
}

/// The id of a rule that may be weakened.
fn rule(reader: &Reader<'_>, node: &Node, known: Option<KnownRules<'_>>) -> Option<RuleId> {
    let id = reader.filled(node)?;
    let Some(known) = known else { return Some(RuleId::new(id)) };
    let Some(facts) = known.rules.iter().find(|facts| facts.id.as_str() == id) else {
        let help = match nearest(id, known.rules.iter().map(|facts| facts.id.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "a rule is named `pack/id`".to_owned(),
        };
        let message = format!("there is no rule `{id}`");
        reader.error_help(&node.range, RULE_UNKNOWN, message, help);
        return None;
    };
    if known.taxonomy.is_mandatory(&facts.category) {
        let message = format!("`{id}` is mandatory: nothing may weaken it");
        let help = "only the rule's own `unless` may let such a post pass";
        reader.error_help(&node.range, MANDATORY, message, help);
        return None;
    }
    Some(facts.id.clone())
}

fn times(
    reader: &Reader<'_>,
    range: &Range<usize>,
    from: Timestamp,
    until: Timestamp,
) -> Option<()> {
    let holds = until.duration_since(from);
    let wrong = if holds <= SignedDuration::ZERO {
        "the override ends before it begins"
    } else if holds > HOLDS_MAX {
        "the override holds for more than 72 hours"
    } else {
        return Some(());
    };
    let help = "`from` and `until` are at most 72 hours apart; for longer, change the rule";
    reader.error_help(range, TIMES, wrong, help);
    None
}

fn text(reader: &Reader<'_>, node: &Node) -> Option<String> {
    let text = reader.filled(node)?;
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("{} bytes, {TEXT_BYTES_MAX} are allowed", text.len());
        reader.error(&node.range, TOO_MUCH, message);
        return None;
    }
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Location;
    use crate::signal::{Category, Severity, Status};

    const TAXONOMY: &str = "categories:
  - {id: spam, definition: spam}
  - {id: child_safety, definition: children, mandatory: true}
";

    fn file(path: &str, text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile { path: path.to_owned(), text: text.to_owned() })
    }

    fn read(text: &str) -> Result<Overrides, Vec<String>> {
        let mut out = Diagnostics::default();
        let taxonomy = Taxonomy::compile(&file("taxonomy.yaml", TAXONOMY), &mut out);
        let rules =
            [("spam/ads", "spam"), ("safety/lure", "child_safety")].map(|(id, category)| {
                Arc::new(RuleFacts {
                    id: RuleId::new(id),
                    hash: "0".repeat(16).into(),
                    category: Category::new(category),
                    severity: Severity::default(),
                    status: Status::Enforced,
                })
            });
        let taxonomy = taxonomy.expect("it is fine");
        let known = KnownRules { rules: &rules, taxonomy: &taxonomy };
        let overrides = Overrides::read(&[file("emergency.yaml", text)], Some(known), &mut out);
        overrides.ok_or_else(|| {
            let line = |d: &&crate::diagnostic::Diagnostic| {
                let (line, column) = d.location.as_ref().map_or((0, 0), Location::line_column);
                format!("{} {line}:{column} {}", d.code, d.message)
            };
            out.sorted().iter().map(line).collect()
        })
    }

    fn entry(rule: &str, at_most: &str, from: &str, until: &str) -> String {
        format!(
            "  - {{rule: {rule}, at_most: {at_most}, from: {from}, until: {until}, by: me, reason: it hurts}}\n"
        )
    }

    #[test]
    fn an_override_holds_from_its_first_moment_until_before_its_last_and_the_mildest_wins() {
        let day = ["2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z", "2026-11-22T18:00:00Z"];
        let text = entry("spam/ads", "review", day[0], day[1])
            + &entry("spam/ads", "allow", day[2], day[1]);
        let overrides = read(&format!("overrides:\n{text}")).expect("it is fine");
        let cases = [
            ("spam/ads", "2026-11-22T11:59:59Z", None),
            ("spam/ads", "2026-11-22T12:00:00Z", Some(AtMost::Review)),
            ("spam/ads", "2026-11-22T18:00:00Z", Some(AtMost::Allow)),
            ("spam/ads", "2026-11-23T11:59:59.999Z", Some(AtMost::Allow)),
            ("spam/ads", "2026-11-23T12:00:00Z", None),
            ("spam/other", "2026-11-22T18:00:00Z", None),
        ];
        for (rule, as_of, expected) in cases {
            let as_of = as_of.parse().expect("a time");
            assert_eq!(overrides.at_most(&RuleId::new(rule), as_of), expected, "{rule} {as_of}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_its_place() {
        let (from, until) = ("2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z");
        let text = entry("spam/adds", "review", from, until)
            + &entry("safety/lure", "allow", from, until)
            + &entry("spam/ads", "block", from, until)
            + &entry("spam/ads", "allow", until, from)
            + &entry("spam/ads", "allow", from, "2026-11-25T12:00:01Z")
            + "  - {rule: spam/ads, at_most: allow, from: noon, until: 2026-11-23T12:00:00Z}\n"
            + "  - {rule: spam/ads}\n";
        let wrong = read(&format!("overrides:\n{text}also: this\n")).expect_err("it is wrong");
        let codes: Vec<&str> = wrong.iter().map(|line| &line[..8]).collect();
        let expected = [
            "E001 2:1", "E002 3:1", "Y014 4:3", "E003 5:5", "E003 6:5", "Y016 7:6", "Y016 7:6",
            "Y013 7:4", "Y016 8:6", "Y016 8:6", "Y016 8:6", "Y016 8:6", "Y016 8:6", "Y015 9:1",
        ];
        assert_eq!(codes, expected, "{wrong:#?}");
    }

    #[test]
    fn an_empty_file_overrides_nothing_and_a_cut_one_is_refused() {
        assert_eq!(read(""), Ok(Overrides::default()));
        assert_eq!(read("overrides: []\n"), Ok(Overrides::default()));
        assert!(read("overrides:\n  - {rule: spam/ads, at_mo").is_err());
    }

    #[test]
    fn a_file_and_a_text_have_limits() {
        let (from, until) = ("2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z");
        let many = entry("spam/ads", "review", from, until).repeat(OVERRIDES_MAX + 1);
        let wrong = read(&format!("overrides:\n{many}")).expect_err("too many");
        assert!(wrong[0].contains("101 overrides"), "{wrong:?}");
        let long = entry("spam/ads", "review", from, until).replace("it hurts", &"x".repeat(501));
        let wrong = read(&format!("overrides:\n{long}")).expect_err("too long");
        assert!(wrong[0].starts_with("E004"), "{wrong:?}");
    }
}
