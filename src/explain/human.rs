//! An explanation as a person reads it.
//!
//! Colours are written always; whoever prints takes them out where no terminal listens. Each part has
//! its limit, so that no post fills the screen.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{
    Explanation, Viewed,
    marks::{Line, Mark, marked},
    shown::line,
    words::{self, Follows, Saw},
};
use crate::{
    decision::{Action, Effect},
    policy::{PolicyTrace, Weighed},
    post::{Field, Region},
    rules::{Expected, NearHit},
    signal::{Answer, Language, ModelSignal, Opinion, RuleHit, Status},
    text::View,
};

/// Columns of a quoted place, and of a view.
const QUOTE_COLUMNS: usize = 60;
const VIEW_COLUMNS: usize = 240;
/// Most texts, hits, near hits, policies that are shown, and rows of one policy.
const PARTS_MAX: usize = 8;
const HITS_MAX: usize = 24;
const NEAR_MAX: usize = 12;
const POLICIES_MAX: usize = 12;
const ROWS_MAX: usize = 4;
/// Most regions that are named.
const REGIONS_MAX: usize = 12;

const HEADING: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const CARET: Style = AnsiColor::Yellow.on_default().bold();

impl Explanation {
    /// The explanation as text of several lines, with colours.
    pub fn human(&self) -> String {
        let mut page = Page(String::new());
        page.verdict(self);
        page.texts(self);
        page.languages(self);
        page.hits(self);
        page.near(self);
        page.scores(self);
        page.regions(self);
        page.0
    }
}

/// The text that grows.
struct Page(String);

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.0, "{:indent$}{text}", "");
    }

    fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "\n{HEADING}{text}{HEADING:#}");
    }

    fn left_out(&mut self, indent: usize, count: usize, what: &str) {
        if count > 0 {
            self.line(indent, &format!("{FAINT}… and {count} more {what}{FAINT:#}"));
        }
    }

    fn verdict(&mut self, of: &Explanation) {
        let decision = &of.decision;
        let style = style(decision.action);
        let _ = writeln!(self.0, "{style}{}{style:#}", decision.action.as_str());
        for (what, regions) in
            [("withheld in", decision.withheld_in()), ("held back in", decision.held_in())]
        {
            if !regions.is_empty() {
                self.line(2, &format!("{what} {}", codes(&regions)));
            }
        }
    }

    fn texts(&mut self, of: &Explanation) {
        self.heading("Text");
        if of.parts.iter().all(|viewed| viewed.part.text.is_empty()) {
            self.line(2, "there is none");
        }
        let marks = |viewed: &Viewed| -> Vec<Mark> {
            let here =
                |hit: &RuleHit| hit.field == viewed.part.field && hit.index == viewed.part.index;
            let hits = (1..).zip(of.hits()).filter(|(_, hit)| here(hit)).take(HITS_MAX);
            let spans = hits.flat_map(|(number, hit)| hit.spans.iter().map(move |s| (number, s)));
            spans.map(|(number, s)| Mark { range: s.bytes.range(), number }).collect()
        };
        for viewed in of.parts.iter().take(PARTS_MAX).filter(|viewed| !viewed.part.text.is_empty())
        {
            self.line(2, &place(viewed.part.field, viewed.part.index));
            for line in marked(&viewed.part.text, &marks(viewed)) {
                match line {
                    Line::Text(text) => self.line(2, &format!("{FAINT}│{FAINT:#} {text}")),
                    Line::Carets(carets) => {
                        self.line(2, &format!("{FAINT}│{FAINT:#} {CARET}{carets}{CARET:#}"));
                    }
                    Line::LeftOut(lines) => self.left_out(2, lines, "lines"),
                }
            }
            for (name, view) in [("standard", &viewed.standard), ("skeleton", &viewed.skeleton)] {
                if let Some(view) = view {
                    self.line(4, &format!("as {name}: {}", line(view.text(), VIEW_COLUMNS)));
                }
            }
        }
        self.left_out(2, of.parts.len().saturating_sub(PARTS_MAX), "texts");
    }

    fn languages(&mut self, of: &Explanation) {
        self.heading("Languages");
        if of.languages.is_empty() {
            self.line(2, "there are no letters");
        }
        for (share, spoken) in of.decision.signals.languages.iter().zip(&of.languages) {
            let text = format!(
                "{:<4} {:>3} % of the letters, confidence {:?}: {}",
                share.language.as_str(),
                share.share.thousandths() / 10,
                share.confidence,
                spoken.basis.as_str(),
            );
            self.line(2, &text);
        }
    }

    fn hits(&mut self, of: &Explanation) {
        self.heading("Rules that hit");
        let hits = of.hits();
        if hits.is_empty() {
            self.line(2, "none");
        }
        for (number, hit) in (1..).zip(hits).take(HITS_MAX) {
            self.hit(of, number, hit);
        }
        self.left_out(2, hits.len().saturating_sub(HITS_MAX), "hits");
        if of.decision.signals.truncated {
            self.line(2, "the scan met a limit: there may be more");
        }
    }

    fn hit(&mut self, of: &Explanation, number: usize, hit: &RuleHit) {
        let quoted = of.quoted(hit.field, hit.index, hit.spans.first().map(|s| s.bytes.range()));
        let saw = Saw {
            rule: hit.rule.id.as_str(),
            quoted: &quoted,
            obfuscated: hit.obfuscated,
            language_mismatch: hit.language_mismatch,
            cancelled_by: hit.cancelled_by.as_deref(),
        };
        self.line(2, &format!("{CARET}{number}{CARET:#}  {saw}"));
        let view = if hit.view == View::Raw { "as written" } else { hit.view.as_str() };
        let mut facts = format!(
            "by `{}`, {view} view; {}, severity {}",
            line(&hit.entry, QUOTE_COLUMNS),
            hit.rule.category.as_str(),
            hit.rule.severity.level(),
        );
        if hit.rule.status == Status::Shadow {
            facts.push_str("; a shadow rule, which acts on nobody");
        }
        if hit.spans.len() > 1 {
            let more = if hit.truncated { " or more" } else { "" };
            let _ = write!(facts, "; {} places{more}", hit.spans.len());
        }
        self.line(5, &facts);
        if let Some(expected) = of.expected(number).filter(|expected| is_elsewhere(expected)) {
            let unsure = if hit.language_mismatch { "" } else { ": not enough to count" };
            self.line(5, &format!("{}{unsure}", mismatch(expected)));
        }
    }

    fn near(&mut self, of: &Explanation) {
        let (near, drafts) = (&of.trace.near, &of.drafts);
        if near.is_empty() && drafts.is_empty() {
            return;
        }
        self.heading("Rules that nearly hit");
        for near in near.iter().take(NEAR_MAX) {
            self.line(2, &of.near_hit(near));
        }
        for hit in drafts.iter().take(NEAR_MAX) {
            let quoted =
                of.quoted(hit.field, hit.index, hit.spans.first().map(|s| s.bytes.range()));
            let rule = hit.rule.id.as_str();
            self.line(
                2,
                &format!("{rule}: “{quoted}”, but it is a draft: no post is scanned with it"),
            );
        }
        let more = near.len().saturating_sub(NEAR_MAX) + drafts.len().saturating_sub(NEAR_MAX);
        self.left_out(2, more, "near hits");
    }

    fn scores(&mut self, of: &Explanation) {
        match &of.decision.signals.model {
            ModelSignal::NotRouted => return,
            ModelSignal::Unavailable(_) => {
                self.heading("Scores");
                return self.line(2, "the model gave no answer");
            }
            ModelSignal::Scored { model, opinions, .. } => {
                self.heading(&format!("Scores of {} {}", model.name, model.version));
                for opinion in opinions {
                    self.line(2, &second_opinion(opinion));
                }
            }
        }
        let everywhere = of.decision.verdicts.iter().map(|v| v.regions.len()).sum::<usize>();
        for scored in of.scores() {
            let name = scored.category.as_str();
            let mut text = format!("{name:<24} {:?}", scored.score);
            if scored.thresholds.is_empty() {
                text.push_str("   nothing acts on it");
            }
            self.line(2, &text);
            for threshold in scored.thresholds.iter().take(2 * ROWS_MAX) {
                let distance = threshold.distance(scored.score);
                let (thousandths, side) =
                    if distance < 0 { (-distance, "below") } else { (distance, "above") };
                let within = threshold.regions.len() < everywhere;
                let r#where = if within { codes(&threshold.regions) } else { String::new() };
                let text = format!(
                    "{} from {:?}, which is {}.{:03} {side}: {} {}",
                    threshold.asks.as_str(),
                    threshold.from,
                    thousandths / 1000,
                    thousandths % 1000,
                    threshold.row,
                    r#where,
                );
                self.line(6, text.trim_end());
            }
        }
    }

    fn regions(&mut self, of: &Explanation) {
        self.heading("Regions");
        if of.policies.is_empty() {
            self.line(2, "none: the post was deleted");
        }
        for policy in of.policies.iter().take(POLICIES_MAX) {
            self.region(policy);
        }
        self.left_out(2, of.policies.len().saturating_sub(POLICIES_MAX), "policies");
    }

    fn region(&mut self, policy: &PolicyTrace) {
        let outcome = &policy.verdict.outcome;
        let reason = outcome.reasons().and_then(|reasons| reasons.as_slice().first());
        let legal = reason.and_then(|reason| reason.legal.as_deref());
        let regions = codes(&policy.regions);
        let follows = Follows {
            regions: vec![&regions],
            action: outcome.action().as_str(),
            hold: outcome.hold(),
            effects: policy.verdict.effects.iter().copied().map(Effect::as_str).collect(),
            row: reason.map(|reason| reason.row.as_str()),
            legal: legal.map(|l| (l.act.as_str(), l.article.as_deref().unwrap_or_default())),
        };
        let style = style(outcome.action());
        self.line(2, &format!("{style}{follows}{style:#}"));
        let decided: Vec<&Weighed> = policy.decided().collect();
        self.rows("decided", &decided);
        self.rows("beside it", &policy.weaker());
        self.rows("not enough", &policy.stricter());
        if policy.weighed.is_empty() {
            self.line(5, "no row or cell has to do with what was seen");
        }
        if let Some(would) = &policy.verdict.would {
            let would = would.action().as_str();
            self.line(5, &format!("with its shadow rows and cells it would {would}"));
        }
    }

    fn rows(&mut self, title: &str, rows: &[&Weighed]) {
        let mut lines: Vec<String> = Vec::new();
        for weighed in rows {
            let line = format!("{} {}", weighed.row.as_str(), words::fate(weighed));
            // Several hits of one rule are one reason.
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        for line in lines.iter().take(ROWS_MAX) {
            self.line(5, &format!("{FAINT}{title:<10}{FAINT:#} {line}"));
        }
        self.left_out(16, lines.len().saturating_sub(ROWS_MAX), "rows");
    }
}

impl Explanation {
    fn hits(&self) -> &[RuleHit] {
        &self.trace.scanned.hits
    }

    fn expected(&self, number: usize) -> Option<&Expected> {
        self.trace.expected.get(number.checked_sub(1)?)
    }

    fn near_hit(&self, near: &NearHit) -> String {
        let quoted = self.quoted(near.field, near.index, Some(near.span.bytes.range()));
        let entry = line(&near.entry, QUOTE_COLUMNS);
        let what = if near.exception { "the exception" } else { "by" };
        let times = match near.times {
            1 => String::new(),
            times => format!(", {times} times"),
        };
        let place = place(near.field, near.index);
        let why = words::why(&near.why);
        let rule = near.rule.id.as_str();
        format!("{rule}: “{quoted}” {what} `{entry}` in {place}{times}, but {why}")
    }

    /// The words of a place, on one line.
    fn quoted(
        &self,
        field: Field,
        index: Option<u16>,
        range: Option<std::ops::Range<usize>>,
    ) -> String {
        let here = |viewed: &&Viewed| (viewed.part.field, viewed.part.index) == (field, index);
        let part = self.parts.iter().find(here);
        let text = part.zip(range).and_then(|(viewed, range)| viewed.part.text.get(range));
        line(text.unwrap_or_default(), QUOTE_COLUMNS)
    }
}

/// `body`, `tags[2]`.
fn place(field: Field, index: Option<u16>) -> String {
    match index {
        None => field.as_str().to_owned(),
        Some(index) => format!("{}[{index}]", field.as_str()),
    }
}

/// Whether the sentence speaks another language than the rule expects, certainly or not.
fn is_elsewhere(expected: &Expected) -> bool {
    let spoken = expected.sentence.language;
    !expected.languages.is_empty()
        && spoken != Language::UNDETERMINED
        && !expected.languages.contains(&spoken)
}

fn mismatch(expected: &Expected) -> String {
    let languages: Vec<&str> = expected.languages.iter().map(Language::as_str).collect();
    let sentence = expected.sentence;
    format!(
        "the rule expects {}; the sentence is {}, confidence {:?} over {} letters",
        languages.join(", "),
        sentence.language.as_str(),
        sentence.confidence,
        sentence.letters,
    )
}

/// Some region codes, and how many more.
fn codes(regions: &[Region]) -> String {
    let shown: Vec<&str> = regions.iter().take(REGIONS_MAX).map(Region::as_str).collect();
    match regions.len().saturating_sub(REGIONS_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn style(action: Action) -> Style {
    match action {
        Action::Allow => AnsiColor::Green.on_default().bold(),
        Action::Review => AnsiColor::Yellow.on_default().bold(),
        Action::Block => AnsiColor::Red.on_default().bold(),
    }
}

/// What became of a second opinion, with what the first model had said.
fn second_opinion(opinion: &Opinion) -> String {
    let (name, version) = (&opinion.model.name, &opinion.model.version);
    match &opinion.answer {
        Answer::Skipped => {
            format!("{name} {version} was not asked: its share of the time was spent")
        }
        Answer::Unavailable => format!("{name} {version} was asked and gave no answer"),
        Answer::Scored { core, flipped, .. } => {
            let core: Vec<String> = core
                .iter()
                .map(|(category, score)| format!("{} {score:?}", category.as_str()))
                .collect();
            let so = if *flipped { "which changed a verdict" } else { "which changed no verdict" };
            format!("{name} {version} was asked, {so}; before: {}", core.join(", "))
        }
    }
}
