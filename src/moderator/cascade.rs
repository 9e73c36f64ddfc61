//! Second opinions: who is asked about which post, and what the answer changes.
//!
//! A model is asked in its languages, where the first one's score lies in its band, and only where the
//! verdicts are others if it says 0 of all such categories than if it says 1. Then the score between
//! the two models' stands: on most evaluation sets it tells posts apart better than either alone.

use std::time::Duration;

use super::{Panicked, guarded, session::Session, upkeep::Upkeep};
use crate::{
    classify::{Asked, Input, Scores},
    engine::{Engine, Screened},
    signal::{Answer, Category, ModelSignal, Opinion, Score},
};

/// Asks for every second opinion that could change a verdict, and puts the answers into `signals`.
pub(super) fn ask(
    sessions: &mut [Session],
    upkeep: &Upkeep,
    engine: &Engine,
    screened: &[Result<Screened, Panicked>],
    signals: &mut [ModelSignal],
) {
    for session in sessions {
        let mut wanted: Vec<usize> = (0..screened.len())
            .filter(|&at| {
                let Ok(post) = &screened[at] else { return false };
                let asked = session.model().asked();
                asked.is_some_and(|asked| matters(asked, engine, post, &signals[at]))
            })
            .collect();
        wanted.sort_by_key(|&at| text(&screened[at]).len());
        for posts in wanted.chunks(session.model().together().max(1)) {
            answer(session, upkeep, engine, (posts, screened), signals);
        }
    }
}

/// Whether the model could change a verdict on a post.
fn matters(asked: &Asked, engine: &Engine, post: &Screened, signal: &ModelSignal) -> bool {
    let spoken = post.main_language().is_some_and(|spoken| asked.languages.contains(&spoken));
    // Who was asked already has the last word.
    if !spoken || !signal.opinions().is_empty() {
        return false;
    }
    let unsure = asked.unsure(signal.scores());
    if unsure.is_empty() {
        return false;
    }
    let at = |end: u16| -> Scores {
        let end = Score::from_thousandths(end).expect("both ends of the range are in it");
        let scores = signal.scores().iter();
        scores
            .map(|(of, s)| (of.clone(), if unsure.contains(&of) { s.between(end) } else { *s }))
            .collect()
    };
    guarded(|| engine.differ(post, &at(0), &at(1000))).unwrap_or(false)
}

/// Asks about some posts together.
fn answer(
    session: &mut Session,
    upkeep: &Upkeep,
    engine: &Engine,
    (posts, screened): (&[usize], &[Result<Screened, Panicked>]),
    signals: &mut [ModelSignal],
) {
    let inputs: Vec<Input<'_>> = posts.iter().map(|&at| input(&screened[at])).collect();
    let allowed = upkeep.may_ask();
    let (answers, time) =
        if allowed { session.score(&inputs, upkeep) } else { (None, Duration::ZERO) };
    upkeep.took(time);
    let mut answers = answers.map(Vec::into_iter);
    for &at in posts {
        let ModelSignal::Scored { scores, opinions, .. } = &mut signals[at] else { continue };
        let answer = match answers.as_mut().and_then(Iterator::next) {
            Some(own) => {
                let (after, core) = join(scores, &own, Score::between);
                let differ = |post| guarded(|| engine.differ(post, scores, &after));
                let flipped = screened[at].as_ref().is_ok_and(|post| differ(post) == Ok(true));
                *scores = after;
                Answer::Scored { scores: own, core, flipped }
            }
            None if allowed => Answer::Unavailable,
            None => Answer::Skipped,
        };
        opinions.push(Opinion { model: std::sync::Arc::clone(session.identity()), answer });
    }
}

/// `scores` with what `joined` makes of them and `own`, and what stood there before.
pub(super) fn join(
    scores: &[(Category, Score)],
    own: &Scores,
    joined: impl Fn(Score, Score) -> Score,
) -> (Scores, Scores) {
    let is_own = |category: &Category| own.iter().any(|(of, _)| of == category);
    let (core, kept): (Scores, Scores) =
        scores.iter().cloned().partition(|(category, _)| is_own(category));
    let stand = own.iter().map(|(category, own)| {
        let first = core.iter().find(|(of, _)| of == category);
        (category.clone(), first.map_or(*own, |(_, first)| joined(*first, *own)))
    });
    let mut after: Scores = kept.into_iter().chain(stand).collect();
    after.sort();
    (after, core)
}

fn text(post: &Result<Screened, Panicked>) -> &str {
    post.as_ref().ok().and_then(Screened::classifier_text).unwrap_or_default()
}

/// What a model reads of a post.
pub(super) fn input(post: &Result<Screened, Panicked>) -> Input<'_> {
    let language = post.as_ref().ok().and_then(Screened::main_language);
    Input { text: text(post), language }
}
