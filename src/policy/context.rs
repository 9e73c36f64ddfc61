//! Reads the names and numbers that policy files are made of.

use crate::{
    condition::{self, Condition},
    diagnostic::nearest,
    policy::{Known, codes, region},
    post::Region,
    signal::{Category, Language, RuleFacts, RuleId, Score, Severity},
    yaml::{Node, Reader},
};

/// One file's reader together with what its names may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'c, 'r> {
    pub(super) reader: &'c Reader<'r>,
    pub(super) known: &'c Known<'c>,
}

impl Context<'_, '_> {
    /// A category or umbrella of the taxonomy.
    pub(super) fn category(&self, node: &Node) -> Option<Category> {
        let path = self.reader.filled(node)?;
        self.category_of(path, &node.range)
    }

    /// The same for a path that stands as a key.
    pub(super) fn category_of(
        &self,
        path: &str,
        range: &std::ops::Range<usize>,
    ) -> Option<Category> {
        let (category, taxonomy) = (Category::new(path), self.known.taxonomy);
        if taxonomy.contains(&category) || taxonomy.is_umbrella(&category) {
            return Some(category);
        }
        let help = match nearest(path, taxonomy.paths()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the categories stand in taxonomy.yaml".to_owned(),
        };
        let message = format!("there is no category `{path}`");
        self.reader.error_help(range, codes::CATEGORY_UNKNOWN, message, help);
        None
    }

    /// A rule of any status.
    pub(super) fn rule(&self, node: &Node) -> Option<RuleId> {
        let id = self.reader.filled(node)?;
        let rule = RuleId::new(id);
        if self.known.rule(id).is_some() || self.known.left_out.contains(&rule) {
            return Some(rule);
        }
        let help = match nearest(id, self.known.rules.iter().map(|rule| rule.id.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "a rule is named `pack/id`".to_owned(),
        };
        let message = format!("there is no rule `{id}`");
        self.reader.error_help(&node.range, codes::RULE_UNKNOWN, message, help);
        None
    }

    /// A region code of any kind; whether it is described is seen once all files are read.
    pub(super) fn region(&self, node: &Node) -> Option<Region> {
        let code = self.reader.filled(node)?;
        let region = code.parse().ok();
        if region.is_none() {
            let help = "a country such as DE, or a group such as EU";
            let message = format!("`{code}` is no region");
            self.reader.error_help(&node.range, codes::REGION_UNKNOWN, message, help);
        }
        region
    }

    /// A country by its ISO code, or `default`.
    pub(super) fn country(&self, node: &Node) -> Option<Region> {
        let region = self.region(node)?;
        if region == Region::DEFAULT || region::is_assigned(region.as_str()) {
            return Some(region);
        }
        self.unknown_region(region, &node.range);
        None
    }

    /// Reports a region that is neither a country nor a group.
    pub(super) fn unknown_region(&self, region: Region, range: &std::ops::Range<usize>) {
        let (message, help) = unknown_region(region);
        self.reader.error_help(range, codes::REGION_UNKNOWN, message, help);
    }

    /// A severity from `least` to 4.
    pub(super) fn severity(&self, node: &Node, least: u8) -> Option<Severity> {
        let text = self.reader.filled(node)?;
        let severity = text.parse().ok().filter(|level| *level >= least).and_then(Severity::new);
        if severity.is_none() {
            let message = format!("`{text}` is no severity that can stand here");
            let help = match least {
                0 => "0 signal only, 1 mild, 2 clear, 3 serious, 4 critical",
                _ => {
                    "1 mild, 2 clear, 3 serious, 4 critical; severity-0 rules act only through rows"
                }
            };
            self.reader.error_help(&node.range, codes::SEVERITY_RANGE, message, help);
        }
        severity
    }

    /// A score above 0 and up to 1.
    pub(super) fn score(&self, node: &Node) -> Option<Score> {
        let text = self.reader.filled(node)?;
        let score = text.parse().ok().and_then(Score::new).filter(|score| score.thousandths() > 0);
        if score.is_none() {
            let message = format!("`{text}` is no score that can stand here");
            let help = "a score is a probability above 0 and up to 1, such as 0.85";
            self.reader.error_help(&node.range, codes::SCORE_RANGE, message, help);
        }
        score
    }

    /// What a row or cap asks of the post beside its evidence.
    pub(super) fn when(&self, node: Option<&Node>) -> Option<Condition> {
        let read = condition::read(self.reader, node?)?;
        let undeclared = read.undeclared(self.known.extra, self.reader.file());
        undeclared.for_each(|problem| self.reader.push(problem));
        Some(read.condition)
    }

    /// An optional yes or no, no when absent.
    pub(super) fn flag(&self, node: Option<&Node>) -> bool {
        node.and_then(|node| self.reader.boolean(node)).unwrap_or(false)
    }

    /// An id of a row, cap: `place/what-it-is`.
    pub(super) fn id<'n>(&self, node: &'n Node) -> Option<&'n str> {
        let id = self.reader.filled(node)?;
        let word = |word: &str| {
            let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
            !word.is_empty() && word.bytes().all(valid)
        };
        let form = id.split_once('/').is_some_and(|(place, what)| word(place) && word(what));
        if form && id.len() <= 100 && id != "default/truncated" {
            return Some(id);
        }
        let help = "write `place/what-it-is` in lower case, such as `de/unconstitutional-symbols`";
        let message = format!("`{id}` cannot be an id of a row");
        self.reader.error_help(&node.range, codes::ID_INVALID, message, help);
        None
    }

    /// Refuses a score where the model's report has no evidence.
    pub(super) fn evidence(
        &self,
        category: &Category,
        language: Option<Language>,
        range: &std::ops::Range<usize>,
    ) {
        let Some(model) = self.known.model else { return };
        let Some(languages) = model.0.get(category) else {
            let message = format!("the model has no evidence for `{}`", category.as_str());
            let known: Vec<&str> = model.0.keys().map(Category::as_str).collect();
            let help = format!("scores can be used for: {}", known.join(", "));
            self.reader.error_help(range, codes::EVIDENCE_MISSING, message, help);
            return;
        };
        if let Some(language) = language.filter(|language| !languages.contains(language)) {
            let (category, language) = (category.as_str(), language.as_str());
            let message = format!("the model has no evidence for `{category}` in `{language}`");
            let known: Vec<&str> = languages.iter().map(Language::as_str).collect();
            let help = format!("for `{category}` it has evidence in: {}", known.join(", "));
            self.reader.error_help(range, codes::EVIDENCE_MISSING, message, help);
        }
    }
}

/// The message and the help for a region that is neither a country nor a group.
pub(super) fn unknown_region(region: Region) -> (String, String) {
    let help = match region::usual_slip(region.as_str()) {
        Some(code) => format!("the code is `{code}`"),
        None => {
            "countries have their ISO 3166-1 code; a group needs a file with `group:`".to_owned()
        }
    };
    (format!("`{region}` is no known region"), help)
}

impl Known<'_> {
    /// A rule by its id.
    pub(super) fn rule(&self, id: &str) -> Option<&RuleFacts> {
        self.rules.iter().find(|rule| rule.id.as_str() == id).map(|rule| &**rule)
    }
}
