//! Reads rows.

use std::sync::Arc;

use super::{
    cell::status_name,
    codes,
    context::Context,
    ground::Ground,
    row::{Exception, Row, Selectors},
    row_checks,
};
use crate::{
    decision::{Action, Effect, RowId, Scope, Tier},
    post::{Region, Surface},
    signal::Severity,
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
    let reading = Reading { context, range: range.clone() };
    let (selectors, rules) = reading.selectors(&mut keys);
    let (from, until) =
        keys.take("effective").map(|node| context.effective(node)).unwrap_or_default();
    let surfaces = reading.choices(keys.take("surfaces"), &Surface::ALL, Surface::as_str);
    let exceptions = reading.choices(keys.take("exceptions"), &Exception::ALL, Exception::as_str);
    let status = keys.take("status").and_then(|n| reader.choice(n, &[false, true], status_name));
    let row = Row {
        ground: reading.ground(&mut keys, id.unwrap_or_default()),
        selectors,
        surfaces,
        when: context.when(keys.take("when")),
        from,
        until,
        replaces_category: context.flag(keys.take("replaces_category")),
        exceptions,
        statement: keys.take("statement").and_then(|node| context.statement(node)),
        tell_author: keys.take("tell_author").map(|node| context.words(node)).unwrap_or_default(),
    };
    reader.finish(&keys);
    row_checks::check(context, region, &range, &row);
    id?;
    Some(RowEntry { row: Arc::new(row), shadow: status.unwrap_or(false), range, rules })
}

struct Reading<'c, 'r> {
    context: Context<'c, 'r>,
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
            legal: keys.take("legal").and_then(|node| self.context.legal(node)).map(Arc::new),
            scope: scope.unwrap_or_default(),
            effects: effects.into_iter().collect(),
            weak_blocks: weak.is_some(),
            review: self.context.review_terms(keys.take("review"), tier),
        }
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

    fn refuse(&self, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.context.reader.error_help(&self.range, code, message, help);
    }
}
