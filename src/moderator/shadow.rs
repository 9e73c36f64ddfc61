//! A model on trial: it scores a share of the posts, is compared, and decides nothing.

use std::sync::Arc;

use super::{Panicked, cascade, guarded, session::Session, upkeep::Upkeep};
use crate::{
    bundle::ShadowModel,
    classify::{Input, Model, Scores},
    decision::Shadowed,
    engine::{Engine, Screened},
    signal::ModelSignal,
};

/// What the model on trial says about each post of its share.
pub(super) fn compare(
    session: &mut Session,
    route: &ShadowModel,
    upkeep: &Upkeep,
    engine: &Engine,
    screened: &[Result<Screened, Panicked>],
    signals: &[ModelSignal],
) -> Vec<Option<Shadowed>> {
    let mut all: Vec<Option<Shadowed>> = vec![None; screened.len()];
    let model = Arc::clone(session.model());
    let mut posts: Vec<usize> = (0..screened.len())
        .filter(|&at| {
            let scored = matches!(signals[at], ModelSignal::Scored { .. });
            screened[at].as_ref().is_ok_and(|post| scored && reads(&*model, route, post))
        })
        .collect();
    posts.sort_by_key(|&at| cascade::input(&screened[at]).text.len());
    for chunk in posts.chunks(model.together().max(1)) {
        let inputs: Vec<Input<'_>> =
            chunk.iter().map(|&at| cascade::input(&screened[at])).collect();
        let mut answers = session.score(&inputs, upkeep).0.map(Vec::into_iter);
        for &at in chunk {
            let own: Option<Scores> = answers.as_mut().and_then(Iterator::next);
            let differs =
                own.as_ref().zip(screened[at].as_ref().ok()).is_some_and(|(own, post)| {
                    let (with, _) = cascade::join(signals[at].scores(), own, |_, own| own);
                    guarded(|| engine.differ(post, signals[at].scores(), &with)).unwrap_or(false)
                });
            let model = Arc::clone(session.identity());
            all[at] = Some(Shadowed { model, scores: own, differs });
        }
    }
    all
}

/// Whether the model on trial scores a post: one of its share with a text, in its languages where it
/// has some.
fn reads(model: &dyn Model, route: &ShadowModel, post: &Screened) -> bool {
    let spoken = |asked: &crate::classify::Asked| {
        post.main_language().is_some_and(|language| asked.languages.contains(&language))
    };
    post.classifier_text().is_some()
        && route.takes(post.post_id())
        && model.asked().is_none_or(spoken)
}
