//! Caps: the only way in which one row softens others.

use super::{codes, context::Context, evaluate::Circumstances, evidence::Evidence};
use crate::{
    condition::Condition,
    decision::{Action, RowId},
    signal::{Category, RuleId},
    yaml::Node,
};

/// The most that evidence of one category or rule may lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cap {
    pub(super) id: RowId,
    pub(super) target: Target,
    pub(super) at_most: Action,
    /// On posts for which this holds; nothing: on all.
    pub(super) when: Option<Condition>,
}

/// What a cap is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Category(Category),
    Rule(RuleId),
}

/// A cap as it stands in a file.
#[derive(Debug, Clone)]
pub(super) struct CapEntry {
    pub(super) cap: Cap,
    pub(super) range: std::ops::Range<usize>,
}

impl Cap {
    /// Whether it is for this evidence on this post. A condition does not hold where no post is given:
    /// to soften, a cap must be sure.
    pub(super) fn covers(&self, evidence: &Evidence<'_>, circumstances: Circumstances<'_>) -> bool {
        self.is_for(evidence)
            && (self.when.as_ref())
                .is_none_or(|when| circumstances.meets(when, evidence) == Some(true))
    }

    fn is_for(&self, evidence: &Evidence<'_>) -> bool {
        match &self.target {
            Target::Category(category) => evidence.category().is_within(category),
            Target::Rule(id) => evidence.rule().is_some_and(|rule| rule.id == *id),
        }
    }
}

/// Reads one item of `caps`.
pub(super) fn read(context: Context<'_, '_>, node: &Node) -> Option<CapEntry> {
    let reader = context.reader;
    let mut keys = reader.keys(node)?;
    let id_node = keys.require("id", reader);
    let id = id_node.and_then(|node| context.id(node));
    let target = keys.require("for", reader).and_then(|node| read_target(context, node));
    let when = context.when(keys.take("when"));
    let at_most = keys.require("at_most", reader);
    let at_most =
        at_most.and_then(|n| reader.choice(n, &[Action::Allow, Action::Review], Action::as_str));
    reader.finish(&keys);
    let cap = Cap { id: RowId::new(id?), target: target?, at_most: at_most?, when };
    Some(CapEntry { cap, range: id_node?.range.clone() })
}

fn read_target(context: Context<'_, '_>, node: &Node) -> Option<Target> {
    let reader = context.reader;
    let mut keys = reader.keys(node)?;
    let category = keys.take("category");
    let rule = keys.take("rule");
    reader.finish(&keys);
    let (target, mandatory) = match (category, rule) {
        (Some(node), None) => {
            let category = context.category(node)?;
            let mandatory = context.known.taxonomy.is_mandatory(&category);
            (Target::Category(category), mandatory)
        }
        (None, Some(node)) => {
            let rule = context.rule(node)?;
            let facts = context.known.rule(rule.as_str());
            let taxonomy = context.known.taxonomy;
            let mandatory = facts.is_some_and(|facts| taxonomy.is_mandatory(&facts.category));
            (Target::Rule(rule), mandatory)
        }
        _ => {
            let message = "a cap is for one category or for one rule";
            let help = "write `for: {category: …}` or `for: {rule: …}`";
            reader.error_help(&node.range, codes::CAP_INVALID, message, help);
            return None;
        }
    };
    if mandatory {
        let help = "only the rule's own `unless` may let such a post pass";
        let message = "mandatory evidence cannot be capped";
        reader.error_help(&node.range, codes::MANDATORY_WEAKENED, message, help);
        return None;
    }
    Some(target)
}
