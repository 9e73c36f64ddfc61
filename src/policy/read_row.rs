//! Reads rows, and refuses those that contradict themselves.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    cell::status_name,
    codes,
    context::Context,
    ground::{After, Ground, ReviewTerms},
    row::{Exception, Row, Selectors, Statement},
};
use crate::{
    decision::{Action, Effect, LegalBasis, RowId, Scope, Tier},
    post::{Region, Surface},
    signal::{Category, Language, Severity},
    yaml::{Keys, Node},
};

/// A row as it stands in a file.
#[derive(Debug, Clone)]
pub(super) struct RowEntry {
    pub(super) row: Arc<Row>,
    /// `status: shadow`.
    pub(super) shadow: bool,
    /// Where its id stands.
    pub(super) range: std::ops::Range<usize>,
    /// Where each rule it names stands.
    pub(super) rules: Vec<std::ops::Range<usize>>,
}

/// Reads one item of `rows`.
pub(super) fn read(context: Context<'_, '_>, region: Region, node: &Node) -> Option<RowEntry> {
    let reader = context.reader;
    let mut keys = reader.keys(node)?;
    let id_node = keys.require("id", reader);
    let id = id_node.and_then(|node| context.id(node));
    let range = id_node.map_or(keys.range.clone(), |node| node.range.clone());
    let reading = Reading { context, region, range: range.clone() };
    let (selectors, rules) = reading.selectors(&mut keys);
    let (from, until) =
        keys.take("effective").map(|node| reading.effective(node)).unwrap_or_default();
    let surfaces = reading.choices(keys.take("surfaces"), &Surface::ALL, Surface::as_str);
    let exceptions = reading.choices(keys.take("exceptions"), &Exception::ALL, Exception::as_str);
    let status = keys.take("status").and_then(|n| reader.choice(n, &[false, true], status_name));
    let row = Row {
        ground: reading.ground(&mut keys, id.unwrap_or_default()),
        selectors,
        surfaces,
        from,
        until,
        replaces_category: context.flag(keys.take("replaces_category")),
        exceptions,
        statement: keys.take("statement").and_then(|node| reading.statement(node)),
        tell_author: keys.take("tell_author").map(|node| reading.words(node)).unwrap_or_default(),
    };
    reader.finish(&keys);
    reading.check(&row);
    id?;
    Some(RowEntry { row: Arc::new(row), shadow: status.unwrap_or(false), range, rules })
}

struct Reading<'c, 'r> {
    context: Context<'c, 'r>,
    region: Region,
    range: std::ops::Range<usize>,
}

impl Reading<'_, '_> {
    fn selectors(&self, keys: &mut Keys<'_>) -> (Selectors, Vec<std::ops::Range<usize>>) {
        let reader = self.context.reader;
        let category = keys.take("category");
        let rule_nodes = keys.take("rule").map_or(&[][..], |node| reader.items(node));
        let severity_node = keys.take("severity");
        let score_node = keys.take("score");
        if category.is_none() && rule_nodes.is_empty() {
            let help = "add `category` or `rule`";
            self.refuse(codes::SELECTORS, "this row selects nothing", help);
        }
        if let Some(node) = score_node.filter(|_| severity_node.is_some() || !rule_nodes.is_empty())
        {
            let help = "a score comes from the model, a severity from a rule: write two rows";
            let message = "no evidence has both a rule and a score";
            reader.error_help(&node.range, codes::SELECTORS, message, help);
        }
        let least = Severity::new(u8::from(rule_nodes.is_empty()));
        let severity = severity_node.map(|node| self.context.severity(node, 0));
        let selectors = Selectors {
            category: category.and_then(|node| self.context.category(node)),
            rules: rule_nodes.iter().filter_map(|node| self.context.rule(node)).collect(),
            severity: severity.unwrap_or(if score_node.is_some() { None } else { least }),
            score: score_node.and_then(|node| self.context.score(node)),
        };
        if let (Some(node), Some(category)) = (score_node, &selectors.category) {
            self.context.evidence(category, None, &node.range);
        }
        (selectors, rule_nodes.iter().map(|node| node.range.clone()).collect())
    }

    fn ground(&self, keys: &mut Keys<'_>, id: &str) -> Ground {
        let reader = self.context.reader;
        let tier = keys.take("tier").and_then(|n| reader.choice(n, &Tier::ALL, Tier::as_str));
        let tier = tier.unwrap_or(Tier::Terms);
        let action = match tier {
            Tier::Restrain => keys.take("action"),
            _ => keys.require("action", reader),
        };
        let action = action.and_then(|n| reader.choice(n, &Action::ALL, Action::as_str));
        let scope = keys.take("scope").and_then(|n| reader.choice(n, &Scope::ALL, Scope::as_str));
        let effects = self.choices(keys.take("effects"), &Effect::ALL, Effect::as_str);
        let weak =
            keys.take("weak").and_then(|n| reader.choice(n, &[Action::Block], Action::as_str));
        let fallback = if tier == Tier::Restrain { Action::Allow } else { Action::Review };
        Ground {
            id: RowId::new(id),
            action: action.unwrap_or(fallback),
            tier,
            legal: keys.take("legal").and_then(|node| self.legal(node)).map(Arc::new),
            scope: scope.unwrap_or_default(),
            effects: effects.into_iter().collect(),
            weak_blocks: weak.is_some(),
            review: self.review(keys.take("review"), tier),
        }
    }

    fn legal(&self, node: &Node) -> Option<LegalBasis> {
        let reader = self.context.reader;
        let mut keys = reader.keys(node)?;
        let act = keys.require("act", reader).and_then(|node| reader.filled(node));
        let article = keys.take("article").and_then(|node| reader.filled(node));
        let url_node = keys.take("url");
        let url = url_node.and_then(|node| reader.filled(node));
        keys.take("read").and_then(|node| reader.parsed::<Date>(node, "a date such as 2026-11-22"));
        reader.finish(&keys);
        if let (Some(node), Some(url)) = (url_node, url)
            && !url.starts_with("https://")
        {
            let help = "readers of a decision follow it; give the official text";
            let message = "the source of a law is an https address";
            reader.error_help(&node.range, codes::URL_INVALID, message, help);
        }
        let owned = |text: &str| text.to_owned();
        Some(LegalBasis { act: act?.to_owned(), article: article.map(owned), url: url.map(owned) })
    }

    fn review(&self, node: Option<&Node>, tier: Tier) -> ReviewTerms {
        let reader = self.context.reader;
        let default = ReviewTerms { hold: tier == Tier::Illegal, ..ReviewTerms::default() };
        let Some(mut keys) = node.and_then(|node| reader.keys(node)) else { return default };
        let hold = keys.take("hold").and_then(|node| reader.boolean(node));
        let terms = ReviewTerms {
            hold: hold.unwrap_or(default.hold),
            after: keys.take("after").and_then(|node| self.after(node)),
            queue: keys.take("queue").and_then(|node| self.queue(node)),
            priority: keys.take("priority").and_then(|node| self.priority(node)),
        };
        reader.finish(&keys);
        terms
    }

    fn after(&self, node: &Node) -> Option<After> {
        let text = self.context.reader.filled(node)?;
        let share = || {
            let percent: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
            let hundredths = (percent * 100.0).round();
            let share = (1..=10_000).find(|&h: &u16| (f64::from(h) - hundredths).abs() < 0.5);
            share.map(After::Share)
        };
        let after = match text {
            "always" => Some(After::Always),
            "appeal" => Some(After::Appeal),
            _ => share(),
        };
        if after.is_none() {
            let help = "`always`, `appeal`, or a share from 0.01% to 100%";
            let message = format!("`{text}` does not say which blocks a person looks at");
            self.context.reader.error_help(&node.range, codes::REVIEW_INVALID, message, help);
        }
        after
    }

    fn queue(&self, node: &Node) -> Option<Arc<str>> {
        let queue = self.context.reader.filled(node)?;
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        if queue.len() <= 64 && queue.bytes().all(valid) {
            return Some(queue.into());
        }
        let help = "lower-case letters, digits, `-` and `_`, at most 64: it is a metric label";
        let message = format!("`{queue}` cannot be a review queue");
        self.context.reader.error_help(&node.range, codes::REVIEW_INVALID, message, help);
        None
    }

    fn priority(&self, node: &Node) -> Option<u8> {
        let text = self.context.reader.filled(node)?;
        let priority = text.parse().ok().filter(|priority| *priority <= 100);
        if priority.is_none() {
            let help = "a whole number from 0 to 100; more is sooner";
            let message = format!("`{text}` is no priority");
            self.context.reader.error_help(&node.range, codes::REVIEW_INVALID, message, help);
        }
        priority
    }

    fn effective(&self, node: &Node) -> (Option<Timestamp>, Option<Timestamp>) {
        let reader = self.context.reader;
        let Some(mut keys) = reader.keys(node) else { return (None, None) };
        let zone = keys.take("zone").and_then(|node| self.zone(node)).unwrap_or(TimeZone::UTC);
        let from = keys.take("from").and_then(|node| self.moment(node, &zone));
        let until = keys.take("until").and_then(|node| self.moment(node, &zone));
        reader.finish(&keys);
        if from.zip(until).is_some_and(|(from, until)| from >= until) {
            let help = "`until` is the first moment at which the row no longer acts";
            let message = "the row would end before it begins";
            reader.error_help(&node.range, codes::EFFECTIVE_INVALID, message, help);
        }
        (from, until)
    }

    fn zone(&self, node: &Node) -> Option<TimeZone> {
        let name = self.context.reader.filled(node)?;
        let zone = TimeZone::get(name).ok();
        if zone.is_none() {
            let message = format!("there is no time zone `{name}`");
            let help = "a name of the IANA database, such as Europe/Berlin";
            self.context.reader.error_help(&node.range, codes::EFFECTIVE_INVALID, message, help);
        }
        zone
    }

    /// The start of a day in `zone`, or a moment.
    fn moment(&self, node: &Node, zone: &TimeZone) -> Option<Timestamp> {
        let text = self.context.reader.filled(node)?;
        let start = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        let moment = text.parse().ok().or_else(|| start(text.parse().ok()?));
        if moment.is_none() {
            let help = "a day such as 2026-11-22, or a moment such as 2026-11-22T12:00:00Z";
            let message = format!("`{text}` is no date");
            self.context.reader.error_help(&node.range, codes::EFFECTIVE_INVALID, message, help);
        }
        moment
    }

    fn statement(&self, node: &Node) -> Option<Statement> {
        let reader = self.context.reader;
        let mut keys = reader.keys(node)?;
        let text = |node: Option<&Node>| node.and_then(|n| reader.filled(n)).map(str::to_owned);
        let keywords = keys.take("keywords").map(|node| reader.texts(node)).unwrap_or_default();
        let statement = Statement {
            category: text(keys.take("category")),
            keywords: keywords.into_iter().map(str::to_owned).collect(),
            explanation: text(keys.take("explanation")),
            none: text(keys.take("none")),
        };
        reader.finish(&keys);
        Some(statement)
    }

    /// Words for the author, by language.
    fn words(&self, node: &Node) -> BTreeMap<Language, String> {
        let reader = self.context.reader;
        let mut words = BTreeMap::new();
        for entry in reader.keys(node).map_or(&[][..], |keys| keys.entries()) {
            let text = reader.filled(&entry.value);
            match (Language::new(&entry.key), text) {
                (Some(language), Some(text)) => drop(words.insert(language, text.to_owned())),
                (None, _) => {
                    let message = format!("`{}` is no language", entry.key);
                    let help = "a code such as `en` or `zh`";
                    reader.error_help(&entry.key_range, "Y015", message, help);
                }
                (_, None) => {}
            }
        }
        words
    }

    fn choices<T: Copy>(
        &self,
        node: Option<&Node>,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Vec<T> {
        let reader = self.context.reader;
        let items = node.map_or(&[][..], |node| reader.items(node));
        items.iter().filter_map(|item| reader.choice(item, all, name)).collect()
    }

    fn check(&self, row: &Row) {
        self.check_ground(row);
        self.check_categories(row);
    }

    fn check_ground(&self, row: &Row) {
        let Ground { action, tier, ref legal, scope, ref effects, ref review, .. } = row.ground;
        let refuse = |code, message: &str, help: &str| self.refuse(code, message, help);
        match (tier, action) {
            (Tier::Restrain, Action::Block) => {
                refuse(
                    codes::TIER_MISUSED,
                    "a restraint does not block",
                    "use tier `terms` or `illegal`",
                );
            }
            (Tier::Restrain, _) if effects.is_empty() => {
                let help = "add `effects: [age_gate, limit, label, show_help]`, one or more";
                refuse(codes::TIER_MISUSED, "a restraint without effects does nothing", help);
            }
            (Tier::Illegal | Tier::Terms, Action::Allow) => {
                let help =
                    "effects alone are `tier: restrain`; to switch a category off write `never`";
                refuse(codes::TIER_MISUSED, "a row that allows does nothing", help);
            }
            _ => {}
        }
        if tier == Tier::Illegal && legal.is_none() {
            let help = "add `legal: {act: …, article: …, url: …}`";
            refuse(codes::LAW_MISSING, "what is illegal is so by a law", help);
        }
        if action == Action::Block && !row.exceptions.is_empty() && review.after.is_none() {
            let help = "add `review: {after: appeal}` (or `always`, or a share such as 5%)";
            refuse(codes::REVIEW_MISSING, "nobody would see whether an exception applies", help);
        }
        if action == Action::Block && row.selectors.score.is_some() {
            let help = "use a cell: `zh: {block: {score: 0.95}}`";
            refuse(codes::SCORE_BLOCKS, "a score may block only under a language key", help);
        }
        if scope == Scope::Global && self.region != Region::DEFAULT {
            let help = "a global row stands in the file for `default`";
            refuse(codes::SCOPE_MISUSED, "one region cannot decide for all", help);
        }
    }

    fn check_categories(&self, row: &Row) {
        let taxonomy = self.context.known.taxonomy;
        for category in self.categories(row) {
            let limit = taxonomy.max_action(category);
            if row.ground.action > limit {
                let umbrella = taxonomy.is_umbrella(category);
                let code = if umbrella { codes::UMBRELLA_MISUSED } else { codes::PROFANITY_BLOCKS };
                let message = format!("`{}` never blocks", category.as_str());
                self.refuse(code, message, format!("the strictest action is {}", limit.as_str()));
            }
            let rows_only = taxonomy.item(category).is_some_and(|item| item.rows_only);
            if rows_only && self.region == Region::DEFAULT {
                let message =
                    format!("`{}` is the law of some place, not of all", category.as_str());
                self.refuse(
                    codes::LOCAL_LAW_MISPLACED,
                    message,
                    "move the row to the place's file",
                );
            }
            if row.replaces_category && taxonomy.is_mandatory(category) {
                let message = format!("`{}` is mandatory: its cell stays", category.as_str());
                self.refuse(codes::MANDATORY_WEAKENED, message, "leave `replaces_category` out");
            }
        }
        let of_row = row.selectors.category.as_ref();
        let rules = self.rules(row);
        if let Some(category) = of_row
            && let Some(rule) = rules.into_iter().find(|rule| !rule.category.is_within(category))
        {
            let (rule, found) = (rule.id.as_str(), rule.category.as_str());
            let message = format!("`{rule}` finds `{found}`, not `{}`", category.as_str());
            self.refuse(codes::SELECTORS, message, "leave `category` out, or name the rule's own");
        }
    }

    /// The categories that the row speaks of.
    fn categories<'a>(&'a self, row: &'a Row) -> Vec<&'a Category> {
        let of_rules = self.rules(row).into_iter().map(|rule| &rule.category);
        row.selectors.category.iter().chain(of_rules).collect()
    }

    fn rules(&self, row: &Row) -> Vec<&crate::signal::RuleFacts> {
        let rules = row.selectors.rules.iter();
        rules.filter_map(|rule| self.context.known.rule(rule.as_str())).collect()
    }

    fn refuse(&self, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.context.reader.error_help(&self.range, code, message, help);
    }
}
