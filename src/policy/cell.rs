//! Cells: how strong the evidence of a category must be for each action.

use std::collections::BTreeMap;

use super::{codes, context::Context, ground::Ground};
use crate::{
    decision::Action,
    post::Region,
    signal::{Category, Language, Score, Severity},
    yaml::{Entry, Node, NodeKind},
};

/// What a file says about one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// The category is switched off.
    Never,
    /// It acts from these bars on.
    Acts(Box<Bars>),
}

/// The bars of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bars {
    /// For review.
    pub(super) review: Option<Bar>,
    /// For block: by severity only.
    pub(super) block: Option<Bar>,
    /// Scores that replace or add to those above where a language is the post's main one.
    pub(super) languages: BTreeMap<Language, LanguageBars>,
    /// Weak evidence may block.
    pub(super) weak_blocks: bool,
}

/// What evidence must reach: a severity *or* a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) severity: Option<Severity>,
    pub(super) score: Option<Score>,
    pub(super) ground: Ground,
}

/// The scores of one language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LanguageBars {
    pub(super) review: Option<(Score, Ground)>,
    pub(super) block: Option<(Score, Ground)>,
}

impl Bars {
    /// The ground and the score that `action` needs in a post whose main language is `language`.
    pub(super) fn score(
        &self,
        action: Action,
        language: Option<Language>,
    ) -> Option<(&Ground, Score)> {
        let own = language.and_then(|language| self.languages.get(&language));
        let own = own.and_then(|bars| match action {
            Action::Block => bars.block.as_ref(),
            _ => bars.review.as_ref(),
        });
        let general = || {
            let bar = self.bar(action)?;
            Some((&bar.ground, bar.score?))
        };
        own.map(|(score, ground)| (ground, *score)).or_else(general)
    }

    /// The ground of `action` where `severity` reaches it.
    pub(super) fn severity(&self, action: Action, severity: Severity) -> Option<&Ground> {
        let bar = self.bar(action)?;
        bar.severity.is_some_and(|least| severity >= least).then_some(&bar.ground)
    }

    /// The lowest score that does anything in any language.
    pub(super) fn lowest_score(&self) -> Option<Score> {
        let general = self.review.iter().chain(&self.block).filter_map(|bar| bar.score);
        let bars = self.languages.values();
        let own = bars.flat_map(|l| [&l.review, &l.block]).flatten().map(|(score, _)| *score);
        general.chain(own).min()
    }

    fn bar(&self, action: Action) -> Option<&Bar> {
        match action {
            Action::Allow => None,
            Action::Review => self.review.as_ref(),
            Action::Block => self.block.as_ref(),
        }
    }
}

/// A cell as it stands in a file.
#[derive(Debug, Clone)]
pub(super) struct CellEntry {
    pub(super) category: Category,
    pub(super) cell: Cell,
    /// `status: shadow`.
    pub(super) shadow: bool,
    pub(super) key_range: std::ops::Range<usize>,
}

/// Reads one entry of `categories`.
pub(super) fn read(context: Context<'_, '_>, region: Region, entry: &Entry) -> Option<CellEntry> {
    let category = context.category_of(&entry.key, &entry.key_range)?;
    let reading = Reading { context, region, category: &category, entry };
    let (cell, shadow) = match &entry.value.kind {
        NodeKind::Scalar { text, .. } if text == "never" => (Cell::Never, false),
        NodeKind::Scalar { .. } => {
            let help = "write `never` or bars such as `{review: {severity: 2}}`";
            reading.refuse(codes::CELL_EMPTY, "this says nothing about the category", help);
            return None;
        }
        _ => reading.bars()?,
    };
    if cell == Cell::Never && context.known.taxonomy.is_mandatory(&category) {
        let message = format!("`{}` is mandatory and cannot be switched off", category.as_str());
        reading.refuse(
            codes::MANDATORY_WEAKENED,
            message,
            "leave the cell out, or make it stricter",
        );
    }
    if matches!(cell, Cell::Acts(_)) && reading.rows_only() {
        let help = "write a row with the law of the place; a cell can only say `never`";
        let message = format!("`{}` acts only through rows", category.as_str());
        reading.refuse(codes::LOCAL_LAW_MISPLACED, message, help);
        return None;
    }
    let key_range = entry.key_range.clone();
    Some(CellEntry { category: category.clone(), cell, shadow, key_range })
}

#[derive(Clone, Copy)]
struct Reading<'n, 'c, 'r> {
    context: Context<'c, 'r>,
    region: Region,
    category: &'n Category,
    entry: &'n Entry,
}

impl Reading<'_, '_, '_> {
    fn bars(&self) -> Option<(Cell, bool)> {
        let reader = self.context.reader;
        let (fixed, languages) = split_languages(&self.entry.value);
        let mut keys = reader.keys(&fixed)?;
        let (review, block) = (keys.take("review"), keys.take("block"));
        let status =
            keys.take("status").and_then(|n| reader.choice(n, &[false, true], status_name));
        let weak =
            keys.take("weak").and_then(|n| reader.choice(n, &[Action::Block], Action::as_str));
        reader.finish(&keys);
        let weak_blocks = weak.is_some();
        let mut bars = Bars {
            review: review.and_then(|node| self.bar(node, Action::Review)),
            block: block.and_then(|node| self.bar(node, Action::Block)),
            languages: BTreeMap::new(),
            weak_blocks,
        };
        for (language, value) in languages {
            if let Some(own) = self.language(language, value) {
                bars.languages.insert(language, own);
            }
        }
        if review.is_none() && block.is_none() && bars.languages.is_empty() {
            let help = "write `never`, or bars such as `{review: {severity: 2}}`";
            self.refuse(codes::CELL_EMPTY, "this cell says nothing", help);
        }
        self.check_order(&bars);
        self.check_limit(&bars);
        Some((Cell::Acts(Box::new(bars)), status.unwrap_or(false)))
    }

    fn bar(&self, node: &Node, action: Action) -> Option<Bar> {
        let reader = self.context.reader;
        let mut keys = reader.keys(node)?;
        let severity_node = keys.take("severity");
        let severity = severity_node.and_then(|node| self.context.severity(node, 1));
        let score_node = keys.take("score");
        let score = score_node.and_then(|node| self.context.score(node));
        reader.finish(&keys);
        if severity_node.is_none() && score_node.is_none() {
            let help = "add `severity` or `score`, or leave the bar out";
            reader.error_help(&node.range, codes::CELL_EMPTY, "this bar says nothing", help);
        }
        if let Some(node) = severity_node.filter(|_| self.is_umbrella()) {
            let message = format!("`{}` is a score: no rule finds it", self.category.as_str());
            let help = "leave `severity` out";
            reader.error_help(&node.range, codes::UMBRELLA_MISUSED, message, help);
        }
        if let Some(node) = score_node {
            self.context.evidence(self.category, None, &node.range);
        }
        if let (Action::Block, Some(node)) = (action, score_node) {
            let help = "put it under the language it was measured in: `zh: {block: {score: 0.95}}`";
            let message = "a score may block only under a language key";
            reader.error_help(&node.range, codes::SCORE_BLOCKS, message, help);
        }
        let ground = Ground::made(&self.row_id(None, action), action);
        Some(Bar { severity, score, ground })
    }

    fn language(&self, language: Language, node: &Node) -> Option<LanguageBars> {
        let reader = self.context.reader;
        let mut keys = reader.keys(node)?;
        let mut bar = |key: &'static str, action| {
            let mut keys_of_bar = reader.keys(keys.take(key)?)?;
            let node = keys_of_bar.require("score", reader);
            reader.finish(&keys_of_bar);
            let score = self.context.score(node?)?;
            self.context.evidence(self.category, Some(language), &node?.range);
            Some((score, Ground::made(&self.row_id(Some(language), action), action)))
        };
        let bars = LanguageBars {
            review: bar("review", Action::Review),
            block: bar("block", Action::Block),
        };
        if keys.entries().is_empty() {
            let help = "add `review: {score: …}` or `block: {score: …}`";
            reader.error_help(&node.range, codes::CELL_EMPTY, "this language says nothing", help);
        }
        reader.finish(&keys);
        Some(bars)
    }

    /// `DE/hate/block`, `EU/hate/zh/review`.
    fn row_id(&self, language: Option<Language>, action: Action) -> String {
        let (region, category, action) = (self.region, self.category.as_str(), action.as_str());
        match language {
            Some(language) => format!("{region}/{category}/{}/{action}", language.as_str()),
            None => format!("{region}/{category}/{action}"),
        }
    }

    fn check_order(&self, bars: &Bars) {
        let severity = |bar: &Option<Bar>| bar.as_ref().and_then(|bar| bar.severity);
        let by_severity = severity(&bars.review).zip(severity(&bars.block));
        let by_score = bars.languages.keys().filter_map(|&language| {
            let score = |action| bars.score(action, Some(language)).map(|(_, score)| score);
            score(Action::Review).zip(score(Action::Block))
        });
        let crossed = by_severity.is_some_and(|(review, block)| review >= block)
            || by_score.into_iter().any(|(review, block)| review >= block);
        if crossed {
            let help = "what blocks must be stronger than what is reviewed";
            self.refuse(
                codes::THRESHOLD_ORDER,
                "the bar for review is not below the bar for block",
                help,
            );
        }
    }

    /// Some categories never block.
    fn check_limit(&self, bars: &Bars) {
        let blocks = bars.block.is_some() || bars.languages.values().any(|own| own.block.is_some());
        let limit = self.context.known.taxonomy.max_action(self.category);
        if blocks && limit < Action::Block {
            let category = self.category.as_str();
            let code =
                if self.is_umbrella() { codes::UMBRELLA_MISUSED } else { codes::PROFANITY_BLOCKS };
            let help = format!("the strictest action on `{category}` is {}", limit.as_str());
            self.refuse(code, format!("`{category}` never blocks"), help);
        }
    }

    fn is_umbrella(&self) -> bool {
        self.context.known.taxonomy.is_umbrella(self.category)
    }

    fn rows_only(&self) -> bool {
        self.context.known.taxonomy.item(self.category).is_some_and(|item| item.rows_only)
    }

    fn refuse(&self, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.context.reader.error_help(&self.entry.key_range, code, message, help);
    }
}

/// The keys of a cell without the languages, and the languages.
fn split_languages(node: &Node) -> (Node, Vec<(Language, &Node)>) {
    let NodeKind::Mapping(entries) = &node.kind else { return (node.clone(), Vec::new()) };
    let language = |entry: &Entry| Language::new(&entry.key);
    let fixed = entries.iter().filter(|entry| language(entry).is_none()).cloned().collect();
    let languages = entries.iter().filter_map(|entry| Some((language(entry)?, &entry.value)));
    (Node { range: node.range.clone(), kind: NodeKind::Mapping(fixed) }, languages.collect())
}

/// The words of `status` on a row or cell.
pub(super) fn status_name(shadow: bool) -> &'static str {
    if shadow { "shadow" } else { "enforced" }
}
