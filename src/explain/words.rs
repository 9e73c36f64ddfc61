//! The sentences of explanations, for whoever tells about decisions.

use std::{fmt, sync::Arc};

use crate::{
    policy::{Fate, Missed, Seen, Softener, Weighed},
    rules::{Lack, Refusal, Why},
};

/// What a rule saw.
#[derive(Debug, Clone, Copy)]
pub struct Saw<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// The words of the post.
    pub quoted: &'a str,
    /// Seen only through disguise.
    pub obfuscated: bool,
    /// Seen only in sentences of another language.
    pub language_mismatch: bool,
    /// The decent phrase around it.
    pub cancelled_by: Option<&'a str>,
}

impl fmt::Display for Saw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} saw “{}”", self.rule, self.quoted)?;
        if self.obfuscated {
            f.write_str(", in disguise")?;
        }
        if self.language_mismatch {
            f.write_str(", in a sentence of another language")?;
        }
        if let Some(phrase) = self.cancelled_by {
            write!(f, ", which “{phrase}” cancels")?;
        }
        Ok(())
    }
}

/// What follows where, by which row.
#[derive(Debug, Clone)]
pub struct Follows<'a> {
    /// The regions.
    pub regions: Vec<&'a str>,
    /// The action.
    pub action: &'a str,
    /// The post stays hidden until a person has looked.
    pub hold: bool,
    /// Measures beside the action.
    pub effects: Vec<&'a str>,
    /// The first row that decided.
    pub row: Option<&'a str>,
    /// The act and article it stands on.
    pub legal: Option<(&'a str, &'a str)>,
}

impl fmt::Display for Follows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.regions.join(", "), self.action)?;
        if self.hold {
            f.write_str(" before it is shown")?;
        }
        if !self.effects.is_empty() {
            write!(f, " with {}", self.effects.join(", "))?;
        }
        if let Some(row) = self.row {
            write!(f, ", by {row}")?;
        }
        if let Some((act, article)) = self.legal {
            write!(f, " ({})", format!("{act} {article}").trim_end())?;
        }
        Ok(())
    }
}

/// Why something that was seen is no evidence.
pub fn why(why: &Why) -> String {
    match why {
        Why::Lacking(lack) => lacking(lack),
        Why::Covered(by) => format!("the longer find of `{by}` counts instead"),
        Why::Refused(refusal) => refused(*refusal).to_owned(),
    }
}

fn lacking(lack: &Lack) -> String {
    match lack {
        Lack::Entries { found, needed } => {
            format!("the rule needs {needed} different entries and found {found}")
        }
        Lack::Places { found, needed } => {
            format!("it stands at {found} places, and the rule's count is {needed}")
        }
        Lack::Group(entries) => format!("the rule needs {} too", one_of(entries)),
        Lack::Veto(entry) => format!("`{entry}`, which is in `none`, stands in the post"),
        Lack::Near { entries, within } => {
            format!("{} does not stand within {within} characters", one_of(entries))
        }
        Lack::Condition(unmet) => unmet.to_string(),
        Lack::Language => "the sentence is another language, and the rule drops those".to_owned(),
    }
}

/// `a`; `a` or `b`.
fn one_of(entries: &[Arc<str>]) -> String {
    let quoted: Vec<String> = entries.iter().map(|entry| format!("`{entry}`")).collect();
    quoted.join(" or ")
}

/// The kind of a near hit, for tools.
pub fn why_kind(why: &Why) -> &'static str {
    match why {
        Why::Lacking(lack) => match lack {
            Lack::Entries { .. } => "too_few",
            Lack::Places { .. } => "count",
            Lack::Group(_) => "all",
            Lack::Veto(_) => "none",
            Lack::Near { .. } => "near",
            Lack::Condition(_) => "when",
            Lack::Language => "language",
        },
        Why::Covered(_) => "covered",
        Why::Refused(refusal) => match refusal {
            Refusal::NotAfter => "not_after",
            Refusal::NotBefore => "not_before",
            Refusal::Surface => "surface",
            Refusal::Field => "field",
            Refusal::Case => "case",
            Refusal::NotWhole => "not_whole",
            Refusal::Address => "address",
            Refusal::Host => "other_host",
            Refusal::LeftEdge => "left_edge",
            Refusal::RightEdge => "right_edge",
            Refusal::Rest => "rest_of_regex",
            Refusal::Letters => "letters",
        },
    }
}

fn refused(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotAfter => "what stands before it is in `not_after`",
        Refusal::NotBefore => "what stands after it is in `not_before`",
        Refusal::Surface => "the rule does not look at posts of this surface",
        Refusal::Field => "the entry does not look at this field",
        Refusal::Case => "the capitals differ",
        Refusal::NotWhole => "the entry must be the whole text",
        Refusal::Host => "it is a part of another host's name",
        Refusal::Address => "it lies inside an address or a mention",
        Refusal::LeftEdge => "a longer word begins before it",
        Refusal::RightEdge => "a longer word goes on after it",
        Refusal::Rest => "the rest of the regex is not there",
        Refusal::Letters => "its letters are doubled otherwise",
    }
}

/// The evidence of a row in a few words.
pub fn seen(weighed: &Weighed) -> String {
    match &weighed.seen {
        Seen::Hit { rule, severity } => {
            format!("{} has severity {}", rule.as_str(), severity.level())
        }
        Seen::Score(score) => format!("{} scores {score:?}", weighed.category.as_str()),
        Seen::NoModel => "the model gives no answer".to_owned(),
        Seen::Truncated => "the scan met a limit".to_owned(),
    }
}

/// What came of a row, after its name: `holds`, `asks for block from 0.900`.
pub fn fate(weighed: &Weighed) -> String {
    let asks = weighed.asks.as_str();
    let seen = seen(weighed);
    match &weighed.fate {
        Fate::Held { softened: None, .. } => match weighed.threshold {
            Some(threshold) => format!("holds from {threshold:?}: {seen}"),
            None => format!("holds: {seen}"),
        },
        Fate::Held { action, softened: Some(softener) } => {
            let softener = softened(softener);
            format!("asks for {asks} and gives {}: {seen}, {softener}", action.as_str())
        }
        Fate::Missed(missed) => format!("asks for {asks}: {seen}, {}", not_held(missed)),
    }
}

fn not_held(missed: &Missed) -> String {
    match missed {
        Missed::Severity(needs) => format!("it takes {}", needs.level()),
        Missed::Score(needs) => format!("it takes {needs:?}"),
        Missed::SignalOnly => "and severity 0 acts only through rows that name the rule".to_owned(),
        Missed::Surface => "and the row is for other surfaces".to_owned(),
        Missed::Condition(unmet) => format!("and {unmet}"),
        Missed::NotYet(from) => format!("and the row is in effect from {from}"),
        Missed::Over(until) => format!("and the row was in effect up to {until}"),
        Missed::ReplacedBy(row) => format!("and {} stands in its place", row.as_str()),
        Missed::Reduced(softener) => softened(softener),
        Missed::SwitchedOff => "and the category is switched off".to_owned(),
        Missed::NoSignal => "and no rule saw anything of the category".to_owned(),
    }
}

fn softened(softener: &Softener) -> String {
    match softener {
        Softener::Weak => "and weak evidence asks at most for review".to_owned(),
        Softener::Category => "and the category never does more".to_owned(),
        Softener::Cap(id) => format!("and the cap {} allows no more", id.as_str()),
        Softener::Override => "and an override allows no more".to_owned(),
    }
}

/// The kind of what came of a row, for tools.
pub fn fate_kind(weighed: &Weighed) -> &'static str {
    match &weighed.fate {
        Fate::Held { softened: None, .. } => "held",
        Fate::Held { softened: Some(_), .. } => "softened",
        Fate::Missed(missed) => match missed {
            Missed::Severity(_) => "severity_too_low",
            Missed::Score(_) => "score_too_low",
            Missed::SignalOnly => "signal_only",
            Missed::Surface => "other_surface",
            Missed::Condition(_) => "when",
            Missed::NotYet(_) => "not_yet_in_effect",
            Missed::Over(_) => "no_longer_in_effect",
            Missed::ReplacedBy(_) => "replaced",
            Missed::Reduced(_) => "softened",
            Missed::SwitchedOff => "switched_off",
            Missed::NoSignal => "no_signal",
        },
    }
}
