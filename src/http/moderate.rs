//! `POST /v1/moderate`: from a request to its answer, on the thread of the connections.
//!
//! Nothing here blocks: posts are decided by the pool, and the handler waits for it until the deadline.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use crossbeam_channel::Sender;
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use super::{
    answer::{Refusal, json},
    body::{self, Posts},
    openapi,
    pool::{Answers, InFlight, Job, Pulse},
    token::Token,
};
use crate::{telemetry::Instruments, wire::ErrorCode};

/// What every request needs.
pub(super) struct Desk {
    pub(super) token: Option<Token>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) jobs: Sender<Job>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) instruments: Arc<Instruments>,
    /// How long a body may take to arrive.
    pub(super) body: Duration,
    /// How long a request then waits for its decisions.
    pub(super) deadline: Duration,
}

/// The routes of the door.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    let attended = middleware::from_fn_with_state(Arc::clone(&desk), attend);
    Router::new()
        .route("/v1/moderate", post(moderate))
        .route("/v1/openapi.json", get(openapi::document))
        .method_not_allowed_fallback(async || {
            Refusal::new(ErrorCode::MethodNotAllowed, "see the Allow header for what is answered")
        })
        .fallback(async || Refusal::new(ErrorCode::NotFound, "see /v1/openapi.json"))
        .layer(attended)
        .with_state(desk)
}

/// Asks for the token, where there is one, and counts every request once.
async fn attend(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let response = match &desk.token {
        Some(token) if !token.is_in(request.headers()) => {
            Refusal::new(ErrorCode::Unauthorized, "a bearer token is needed").into_response()
        }
        Some(_) | None => next.run(request).await,
    };
    desk.instruments.http_requests(response.extensions().get().copied()).inc();
    response
}

async fn moderate(State(desk): State<Arc<Desk>>, request: Request) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    // The body first: a client that is still sending does not hear an answer.
    let body = body::read(body, desk.body).await?;
    let _timer = desk.instruments.http_duration().start_timer();
    body::check_type(&head.headers)?;
    let posts = body::split(body)?;
    let is_list = posts.is_list;
    let answers = desk.decide(posts).await?;
    if is_list {
        return Ok(json(list(answers)));
    }
    let answer = answers.into_iter().next();
    Ok(json(answer.expect("one post has one answer")?))
}

impl Desk {
    /// Has posts decided by the pool.
    async fn decide(&self, posts: Posts) -> Result<Answers, Refusal> {
        if posts.len() == 0 {
            return Ok(Answers::new());
        }
        let busy = || Refusal::new(ErrorCode::Overloaded, "too many requests are in flight");
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| busy())?;
        let in_flight = InFlight::new(permit, &self.pulse, &self.instruments);
        let (reply, answers) = oneshot::channel();
        self.jobs.try_send(Job { posts, reply, in_flight }).map_err(|_| busy())?;
        match timeout(self.deadline, answers).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(_)) => Err(Refusal::new(ErrorCode::Panic, "the pool ended: this is a bug")),
            Err(_) => {
                let message = format!("not decided within {} s", self.deadline.as_secs_f32());
                Err(Refusal::new(ErrorCode::DeadlineExceeded, message))
            }
        }
    }
}

/// A list of decisions and error objects, in the order of the posts.
fn list(answers: Answers) -> Vec<u8> {
    let mut text = vec![b'['];
    for answer in answers {
        if text.len() > 1 {
            text.push(b',');
        }
        match answer {
            Ok(decision) => text.extend(decision),
            Err(error) => text.extend(error.to_json().into_bytes()),
        }
    }
    text.push(b']');
    text
}
