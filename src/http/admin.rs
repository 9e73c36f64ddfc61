//! The server for metrics and probes: `/metrics`, `/livez`, `/readyz`.
//!
//! It answers from memory, so it never waits for the pipeline.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{RawQuery, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    server::{ClientLimits, Clients, Server},
    token::Token,
};
use crate::{
    stop::{ExitCode, Stop},
    telemetry::Instruments,
};

const CLIENTS: ClientLimits = ClientLimits {
    connections: 64,
    head: Duration::from_secs(30),
    life: Duration::from_mins(1),
    grace: Duration::from_secs(5),
};

/// The server for metrics and probes.
#[derive(Debug, Clone)]
pub struct AdminSettings {
    /// Where it listens; none switches it off.
    pub listen: Option<SocketAddr>,
    /// What `/metrics` and `/readyz?verbose` ask for as a bearer token.
    pub token: Option<String>,
}

/// What a service tells about itself.
pub trait Probes: Send + Sync {
    /// Whether it gets on with its work; a service that does not is to be restarted.
    fn is_live(&self) -> bool;

    /// Whether it is to be given work.
    fn is_ready(&self) -> bool;

    /// Everything it knows, as a JSON object without a post's text.
    fn report(&self) -> String;
}

/// A running server; it ends when this is dropped.
pub struct Admin(Server);

#[derive(Clone)]
struct Shared {
    probes: Arc<dyn Probes>,
    instruments: Arc<Instruments>,
    token: Option<Token>,
}

impl Admin {
    /// Listens, unless that is switched off.
    pub fn start(
        settings: &AdminSettings,
        probes: Arc<dyn Probes>,
        instruments: &Arc<Instruments>,
    ) -> Result<Option<Self>, Stop> {
        let Some(listen) = settings.listen else { return Ok(None) };
        let shared = Shared {
            probes,
            instruments: Arc::clone(instruments),
            token: settings.token.as_deref().map(Token::new),
        };
        let clients = Clients { router: router(shared), limits: CLIENTS, count: Arc::new(|_| ()) };
        let server = Server::start("admin", listen, clients).map_err(|error| {
            let sentence = format!("admin.listen {listen} cannot be used: {error}");
            Stop::new(ExitCode::Configuration, sentence)
        })?;
        tracing::info!(address = %server.address(), "metrics and probes");
        Ok(Some(Self(server)))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

fn router(shared: Shared) -> Router {
    let guarded = middleware::from_fn_with_state(shared.clone(), guard);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .layer(guarded)
        .with_state(shared)
}

/// Probes answer everybody; everything else asks for the token, where there is one.
async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    let is_probe = matches!(uri.path(), "/livez" | "/readyz") && uri.query().is_none();
    match &shared.token {
        Some(token) if !is_probe && !token.is_in(request.headers()) => {
            let asks = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, asks, "a bearer token is needed\n").into_response()
        }
        Some(_) | None => next.run(request).await,
    }
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, shared.instruments.render())
}

async fn livez(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    if shared.probes.is_live() {
        (StatusCode::OK, "live\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stalled\n")
    }
}

async fn readyz(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let (status, word) = if shared.probes.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    };
    if query.as_deref() != Some("verbose") {
        return (status, word).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, shared.probes.report() + "\n").into_response()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{SocketAddr, TcpStream},
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use super::{Admin, AdminSettings, Probes};
    use crate::telemetry::Instruments;

    #[derive(Default)]
    struct Switch(AtomicBool);

    impl Probes for Switch {
        fn is_live(&self) -> bool {
            true
        }

        fn is_ready(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }

        fn report(&self) -> String {
            format!("{{\"ready\": {}}}", self.is_ready())
        }
    }

    fn start(token: Option<&str>) -> (Admin, Arc<Switch>) {
        let switch = Arc::new(Switch::default());
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let settings = AdminSettings { listen, token: token.map(str::to_owned) };
        let probes: Arc<dyn Probes> = Arc::<Switch>::clone(&switch);
        let admin = Admin::start(&settings, probes, &Arc::new(Instruments::new()));
        (admin.expect("it starts").expect("it listens"), switch)
    }

    fn ask(admin: &Admin, path: &str, header: &str) -> String {
        let mut stream = TcpStream::connect(admin.address()).expect("it listens");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn probes_answer_what_the_service_says() {
        let (admin, switch) = start(None);
        assert!(ask(&admin, "/readyz", "").starts_with("HTTP/1.1 503"));
        switch.0.store(true, Ordering::Relaxed);
        assert!(ask(&admin, "/readyz", "").starts_with("HTTP/1.1 200"));
        assert!(ask(&admin, "/readyz?verbose", "").contains(r#""ready": true"#));
        assert!(ask(&admin, "/livez", "").starts_with("HTTP/1.1 200"));
        assert!(ask(&admin, "/nowhere", "").starts_with("HTTP/1.1 404"));
    }

    #[test]
    fn metrics_ask_for_the_token_and_probes_do_not() {
        let (admin, switch) = start(Some("s3cret"));
        switch.0.store(true, Ordering::Relaxed);
        assert!(ask(&admin, "/metrics", "").starts_with("HTTP/1.1 401"));
        assert!(
            ask(&admin, "/metrics", "Authorization: Bearer guess\r\n").starts_with("HTTP/1.1 401")
        );
        let page = ask(&admin, "/metrics", "Authorization: Bearer s3cret\r\n");
        assert!(page.contains("tidegate_build_info"));
        assert!(ask(&admin, "/readyz?verbose", "").starts_with("HTTP/1.1 401"));
        assert!(ask(&admin, "/readyz", "").starts_with("HTTP/1.1 200"));
    }
}
