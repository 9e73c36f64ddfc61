//! Reads what a row says beside its evidence and its action: law, review, dates, words.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    codes,
    context::Context,
    ground::{After, ReviewTerms},
    row::Statement,
};
use crate::{
    decision::{LegalBasis, Tier},
    signal::Language,
    yaml::Node,
};

impl Context<'_, '_> {
    /// The law a row stands on.
    pub(super) fn legal(&self, node: &Node) -> Option<LegalBasis> {
        let reader = self.reader;
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

    /// What a row asks of people; a review under the law holds the post back unless it says not.
    pub(super) fn review_terms(&self, node: Option<&Node>, tier: Tier) -> ReviewTerms {
        let reader = self.reader;
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
        let text = self.reader.filled(node)?;
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
            self.reader.error_help(&node.range, codes::REVIEW_INVALID, message, help);
        }
        after
    }

    fn queue(&self, node: &Node) -> Option<Arc<str>> {
        let queue = self.reader.filled(node)?;
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        if queue.len() <= 64 && queue.bytes().all(valid) {
            return Some(queue.into());
        }
        let help = "lower-case letters, digits, `-` and `_`, at most 64: it is a metric label";
        let message = format!("`{queue}` cannot be a review queue");
        self.reader.error_help(&node.range, codes::REVIEW_INVALID, message, help);
        None
    }

    fn priority(&self, node: &Node) -> Option<u8> {
        let text = self.reader.filled(node)?;
        let priority = text.parse().ok().filter(|priority| *priority <= 100);
        if priority.is_none() {
            let help = "a whole number from 0 to 100; more is sooner";
            let message = format!("`{text}` is no priority");
            self.reader.error_help(&node.range, codes::REVIEW_INVALID, message, help);
        }
        priority
    }

    /// From when to when a row acts.
    pub(super) fn effective(&self, node: &Node) -> (Option<Timestamp>, Option<Timestamp>) {
        let reader = self.reader;
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
        let name = self.reader.filled(node)?;
        let zone = TimeZone::get(name).ok();
        if zone.is_none() {
            let message = format!("there is no time zone `{name}`");
            let help = "a name of the IANA database, such as Europe/Berlin";
            self.reader.error_help(&node.range, codes::EFFECTIVE_INVALID, message, help);
        }
        zone
    }

    /// The start of a day in `zone`, or a moment.
    fn moment(&self, node: &Node, zone: &TimeZone) -> Option<Timestamp> {
        let text = self.reader.filled(node)?;
        let start = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        let moment = text.parse().ok().or_else(|| start(text.parse().ok()?));
        if moment.is_none() {
            let help = "a day such as 2026-11-22, or a moment such as 2026-11-22T12:00:00Z";
            let message = format!("`{text}` is no date");
            self.reader.error_help(&node.range, codes::EFFECTIVE_INVALID, message, help);
        }
        moment
    }

    /// What a row says to a statement of reasons.
    pub(super) fn statement(&self, node: &Node) -> Option<Statement> {
        let reader = self.reader;
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
    pub(super) fn words(&self, node: &Node) -> BTreeMap<Language, String> {
        let reader = self.reader;
        let mut words = BTreeMap::new();
        for entry in reader.keys(node).map_or(&[][..], |keys| keys.entries()) {
            let text = reader.filled(&entry.value);
            match (Language::new(&entry.key), text) {
                (Some(language), Some(text)) => drop(words.insert(language, text.to_owned())),
                (None, _) => {
                    let message = format!("`{}` is no language", entry.key);
                    let help = "a code such as `en` or `zh`";
                    reader.error_help(&entry.key_range, codes::LANGUAGE_UNKNOWN, message, help);
                }
                (_, None) => {}
            }
        }
        words
    }
}
