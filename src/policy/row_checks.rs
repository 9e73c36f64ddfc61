//! Refuses rows that contradict themselves or reach too far.

use std::ops::Range;

use super::{codes, context::Context, ground::Ground, row::Row};
use crate::{
    decision::{Action, Scope, Tier},
    post::Region,
    signal::{Category, RuleFacts},
};

/// Reports everything that is wrong with a row that stands at `range` in the file of `region`.
pub(super) fn check(context: Context<'_, '_>, region: Region, range: &Range<usize>, row: &Row) {
    let check = Check { context, region, range };
    check.ground(row);
    check.row_categories(row);
}

struct Check<'n, 'c, 'r> {
    context: Context<'c, 'r>,
    region: Region,
    range: &'n Range<usize>,
}

impl Check<'_, '_, '_> {
    fn ground(&self, row: &Row) {
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

    fn row_categories(&self, row: &Row) {
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

    fn rules(&self, row: &Row) -> Vec<&RuleFacts> {
        let rules = row.selectors.rules.iter();
        rules.filter_map(|rule| self.context.known.rule(rule.as_str())).collect()
    }

    fn refuse(&self, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.context.reader.error_help(self.range, code, message, help);
    }
}
