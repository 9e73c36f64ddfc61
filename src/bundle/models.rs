//! Which models a bundle routes: one that scores every post, second opinions, one on trial.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{BundleSettings, ModelSource};
use crate::{
    classify::Model,
    diagnostic::{Diagnostic, Diagnostics},
    hash::ValueHasher,
    policy::ModelEvidence,
    post::PostId,
    signal::{Category, Language, ModelIdentity},
    taxonomy::Taxonomy,
};

/// The models of a bundle, open and checked against each other.
#[derive(Debug, Default)]
pub(super) struct Models {
    pub(super) core: Option<Arc<dyn Model>>,
    pub(super) opinions: Vec<Arc<dyn Model>>,
    pub(super) shadow: Option<ShadowModel>,
    /// Some model that is routed is not here: what it would know is not known.
    incomplete: bool,
}

/// A model on trial.
#[derive(Debug)]
pub struct ShadowModel {
    /// The model.
    pub model: Arc<dyn Model>,
    /// The share of posts that it scores.
    pub share: Share,
}

impl ShadowModel {
    /// Whether a post is in its share: the same posts whenever, and wherever, they come by.
    pub fn takes(&self, post: &PostId) -> bool {
        let mut hasher = ValueHasher::default();
        let drawn = hasher.bytes("shadow").bytes(post.as_str()).short();
        let number = u16::from_le_bytes([drawn[0], drawn[1]]);
        u32::from(number) * u32::from(Share::WHOLE) < u32::from(self.share.0) * 0x1_0000
    }
}

/// A share in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u16);

impl Share {
    const WHOLE: u16 = 10_000;
}

impl std::str::FromStr for Share {
    type Err = ();

    /// A percentage over 0 and up to 100: `5%`, `0.25%`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = text.strip_suffix('%').ok_or(())?;
        let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
        if rest.len() > 2 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        let hundredths: u16 = format!("{rest:0<2}").parse().map_err(|_| ())?;
        let whole: u16 = whole.parse().map_err(|_| ())?;
        let share = whole.checked_mul(100).and_then(|share| share.checked_add(hundredths));
        share.filter(|share| (1..=Self::WHOLE).contains(share)).map(Self).ok_or(())
    }
}

impl Models {
    /// Loads what the settings name, and says everything that is wrong with it.
    pub(super) fn load(
        source: &dyn ModelSource,
        settings: &BundleSettings,
        taxonomy: &Taxonomy,
        out: &mut Diagnostics,
    ) -> Self {
        let routing = &settings.models;
        let mut named: BTreeSet<&str> = BTreeSet::new();
        let mut load = |name: &str, out: &mut Diagnostics| {
            let model = load(source, name, taxonomy, out)?;
            let fresh = named.insert(routing.iter().find(|known| *known == name)?);
            if !fresh {
                let message = format!("the model `{name}` has two parts in `models`");
                let help = "a model is the core model, a second opinion or on trial";
                out.push(Diagnostic::global("B009", message).help(help));
            }
            fresh.then_some(model)
        };
        let core = routing.core.as_deref().and_then(|name| load(name, out));
        let opinions: Vec<Arc<dyn Model>> =
            routing.second_opinions.iter().filter_map(|name| load(name, out)).collect();
        let shadow = routing
            .shadow
            .as_ref()
            .and_then(|(name, share)| Some(ShadowModel { model: load(name, out)?, share: *share }));
        check_opinions(&opinions, core.is_some(), out);
        let here = usize::from(core.is_some()) + opinions.len() + usize::from(shadow.is_some());
        Self { core, opinions, shadow, incomplete: here < routing.iter().count() }
    }

    /// Where any model that decides has evidence; nothing where that is not known. A second opinion
    /// speaks in its languages alone.
    pub(super) fn evidence(&self) -> Option<ModelEvidence> {
        if self.incomplete {
            return None;
        }
        let mut evidence = self.core.as_ref()?.evidence().clone();
        for opinion in &self.opinions {
            let spoken = opinion.asked().map(|asked| &asked.languages);
            for (category, languages) in opinion.evidence() {
                let known = languages.iter().filter(|&of| spoken.is_some_and(|s| s.contains(of)));
                evidence.entry(category.clone()).or_default().extend(known);
            }
        }
        Some(ModelEvidence(evidence))
    }

    /// The models that decide, the core model first.
    pub(super) fn deciding(&self) -> impl Iterator<Item = &Arc<ModelIdentity>> {
        self.core.iter().chain(&self.opinions).map(|model| model.identity())
    }
}

fn load(
    source: &dyn ModelSource,
    name: &str,
    taxonomy: &Taxonomy,
    out: &mut Diagnostics,
) -> Option<Arc<dyn Model>> {
    let loaded = source.load(name).map_err(|reason| {
        let message = format!("the model `{name}` cannot be used: {reason}");
        out.push(Diagnostic::global("B004", message));
    });
    let model = loaded.ok()?;
    let known = |label: &Category| taxonomy.contains(label) || taxonomy.is_umbrella(label);
    for label in model.evidence().keys().filter(|label| !known(label)) {
        let label = label.as_str();
        let message = format!("the model `{name}` scores `{label}`, which is no category");
        let help = "its labels are taxonomy paths or umbrellas, see rules/taxonomy.yaml";
        out.push(Diagnostic::global("B006", message).help(help));
    }
    Some(model)
}

/// Second opinions say when they are asked, and no two of them in one language.
fn check_opinions(opinions: &[Arc<dyn Model>], has_core: bool, out: &mut Diagnostics) {
    let mut spoken: BTreeMap<Language, &str> = BTreeMap::new();
    for opinion in opinions {
        let name = opinion.identity().name.as_str();
        let Some(asked) = opinion.asked().filter(|_| has_core) else {
            let message = format!("the model `{name}` cannot give second opinions");
            let help = "a second opinion needs `languages` and `bands` in its model.yaml, and a \
                        core model to be second to";
            out.push(Diagnostic::global("B008", message).help(help));
            continue;
        };
        for &language in &asked.languages {
            if let Some(other) = spoken.insert(language, name) {
                let code = language.as_str();
                let message = format!("`{other}` and `{name}` both speak for {code}");
                let help = "one second opinion a language: leave one of them out";
                out.push(Diagnostic::global("B008", message).help(help));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Evidence, fixed::FixedModel};

    #[test]
    fn a_share_is_a_percentage_over_nothing() {
        let share = |text: &str| text.parse::<Share>().ok().map(|share| share.0);
        let cases = [
            ("5%", Some(500)),
            ("0.25%", Some(25)),
            ("100%", Some(10_000)),
            ("0.01%", Some(1)),
            ("0%", None),
            ("100.01%", None),
            ("5", None),
            ("-1%", None),
            ("0.001%", None),
            ("1.+1%", None),
        ];
        for (text, expected) in cases {
            assert_eq!(share(text), expected, "{text}");
        }
    }

    #[test]
    fn a_share_of_posts_is_about_that_share_and_the_same_each_time() {
        let model = FixedModel::new(BTreeMap::new(), Evidence::new());
        let of = |share: &str| {
            let share = share.parse().expect("a share");
            let route = ShadowModel { model: Arc::new(model.clone()), share };
            let posts = (0..10_000).map(|n| PostId::new(&n.to_string()).expect("an id"));
            posts.filter(|post| route.takes(post)).count()
        };
        assert_eq!(of("100%"), 10_000);
        let (some, again) = (of("5%"), of("5%"));
        assert!(some == again && (400..600).contains(&some), "{some}");
    }
}
