//! Benign corpora and the blast radius: a rule that fires on decent posts does not load.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    blast,
    ruleset::{Ruleset, ScanPart},
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Location, SourceFile},
    post::{Field, Surface},
    signal::{RuleHit, RuleId, Status},
    text::standard,
};

/// Lines a corpus needs before it can refuse a rule.
const LINES_MIN: usize = 500;
/// Most lines of one corpus once its patterns are expanded.
const LINES_MAX: usize = 20_000;

/// Decent posts of one language, one a line.
#[derive(Debug)]
pub struct Corpus {
    file: Arc<SourceFile>,
    /// Each line with the bytes of the pattern it was expanded from.
    lines: Vec<(String, std::ops::Range<usize>)>,
}

impl Corpus {
    /// Reads a corpus: one post a line, `# ` for comments, `{a|b}` for a choice that is expanded.
    pub fn parse(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Self {
        let mut lines = Vec::new();
        for (line, range) in super::list::lines(file) {
            let room = LINES_MAX - lines.len();
            let Some(expanded) = expand(line, room) else {
                let location = Location { file: Arc::clone(file), range };
                let message = format!("the corpus expands to more than {LINES_MAX} lines");
                out.push(Diagnostic::error("R051", location, message));
                break;
            };
            lines.extend(expanded.into_iter().map(|line| (line, range.clone())));
        }
        Self { file: Arc::clone(file), lines }
    }

    /// How many posts it holds.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The posts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(text, _)| text.as_str())
    }
}

/// Refuses every enforced rule that hits too much of a benign corpus. Hits that are only
/// `language_mismatch` do not count. Gives the number of hits for each rule that hit anything.
pub fn blast_radius(
    rules: &Ruleset,
    corpora: &[Corpus],
    out: &mut Diagnostics,
) -> BTreeMap<RuleId, usize> {
    let mut all: BTreeMap<RuleId, usize> = BTreeMap::new();
    for corpus in corpora {
        let mut hits: BTreeMap<RuleId, Vec<usize>> = BTreeMap::new();
        for (index, text) in corpus.texts().enumerate() {
            for rule in enforced_hits(rules, text) {
                hits.entry(rule).or_default().push(index);
            }
        }
        for (rule, lines) in hits {
            let of_rule = rules.rules.iter().find(|known| known.facts.id == rule);
            let thousandths = of_rule.map_or(blast::USUAL, |rule| rule.benign_max);
            let allowed = (corpus.len() * thousandths / 1000).max(1);
            if corpus.len() >= LINES_MIN && lines.len() > allowed {
                out.push(too_wide(corpus, &rule, &lines, allowed));
            }
            *all.entry(rule).or_default() += lines.len();
        }
    }
    all
}

/// The enforced rules that give evidence in a decent post, each once.
fn enforced_hits(rules: &Ruleset, text: &str) -> Vec<RuleId> {
    let folded = standard(text);
    let part = ScanPart { field: Field::Body, index: None, original: text, standard: &folded };
    let counts = |hit: &RuleHit| {
        hit.rule.status == Status::Enforced && hit.cancelled_by.is_none() && !hit.language_mismatch
    };
    let hits = rules.scan(&[part], Surface::Post).hits;
    let mut found: Vec<RuleId> =
        hits.into_iter().filter(counts).map(|hit| hit.rule.id.clone()).collect();
    found.sort();
    found.dedup();
    found
}

fn too_wide(corpus: &Corpus, rule: &RuleId, lines: &[usize], allowed: usize) -> Diagnostic {
    let range = corpus.lines[lines[0]].1.clone();
    let location = Location { file: Arc::clone(&corpus.file), range };
    let (id, hits, of) = (rule.as_str(), lines.len(), corpus.len());
    let message =
        format!("{id} hits {hits} of {of} decent posts, {allowed} may be; here is the first");
    let help = "narrow the rule with `unless`, `not_after` or longer entries, or run it as shadow";
    Diagnostic::error("R050", location, message).help(help)
}

/// Expands `{a|b}` choices; nothing when that gives more than `limit` lines.
fn expand(pattern: &str, limit: usize) -> Option<Vec<String>> {
    let mut lines = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, choices, after)) = next_choice(rest) {
        let options: Vec<&str> = choices.split('|').collect();
        if lines.len().saturating_mul(options.len()) > limit {
            return None;
        }
        lines = lines
            .iter()
            .flat_map(|line| options.iter().map(move |option| format!("{line}{before}{option}")))
            .collect();
        rest = after;
    }
    for line in &mut lines {
        line.push_str(rest);
    }
    (lines.len() <= limit).then_some(lines)
}

/// Splits at the first `{…|…}`; braces without a bar are text.
fn next_choice(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        let close = open + text[open..].find('}')?;
        if text[open..close].contains('|') {
            return Some((&text[..open], &text[open + 1..close], &text[close + 1..]));
        }
        from = close + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{parse_pack, scan_tests::compiled};

    #[test]
    fn choices_are_multiplied_and_other_braces_are_text() {
        assert_eq!(
            expand("a {b|c} {d|e}", 9),
            Some(["a b d", "a b e", "a c d", "a c e"].map(Into::into).to_vec())
        );
        assert_eq!(expand("plain {x} text", 9), Some(vec!["plain {x} text".into()]));
        assert_eq!(expand("{a|b}{c|d}", 3), None);
    }

    #[test]
    fn a_rule_may_hit_more_decent_posts_where_its_file_says_so() {
        let file = |path: &str, text: String| Arc::new(SourceFile { path: path.into(), text });
        let refused = |radius: &str| {
            let mut out = Diagnostics::default();
            let pack = format!(
                "pack: t\nrules:\n  - {{id: r, category: spam, severity: 1, status: enforced, \
                 any: [buy], hit: [buy], miss: [sell]{radius}}}\n"
            );
            let pack = parse_pack(&file("packs/t.yaml", pack), &mut out).expect("it can be read");
            let rules = compiled(&[pack], &mut out);
            // 8 of 1,000 lines: 0.8 %.
            let lines =
                (0..1000).map(|line| format!("{} {line}\n", if line < 8 { "buy" } else { "sell" }));
            let corpus = Corpus::parse(&file("corpora/en.txt", lines.collect()), &mut out);
            blast_radius(&rules, &[corpus], &mut out);
            out.sorted().iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>()
        };
        assert_eq!(refused(""), ["R050"]);
        assert_eq!(refused(", blast_radius: {max: 0.7%, until: 2999-01-01}"), ["R050"]);
        assert_eq!(refused(", blast_radius: {max: 0.8%, until: 2999-01-01}"), [""; 0]);
        assert_eq!(refused(", blast_radius: {max: 3.1%, until: 2999-01-01}"), ["R053"]);
    }
}
