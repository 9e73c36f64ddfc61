//! The server for metrics and probes: `/metrics`, `/livez`, `/readyz`.
//!
//! It answers from memory, so it never waits for the pipeline; bodies, connections and times have
//! limits, so that it cannot be used against the worker.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener as StdListener},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    thread::JoinHandle,
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
    serve::Listener,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Sleep, sleep},
};

use super::{
    health::Health,
    settings::AdminSettings,
    stop::{ExitCode, Stop},
};
use crate::telemetry::Instruments;

/// Nothing here reads a body.
const BODY_BYTES_MAX: usize = 1024;
/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection may live, busy or idle.
const CONNECTION_LIFE: Duration = Duration::from_mins(1);
/// How long to wait after the system refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running server; it ends when this is dropped.
pub(super) struct Admin {
    thread: Option<JoinHandle<()>>,
    end: Option<oneshot::Sender<()>>,
    address: SocketAddr,
}

#[derive(Clone)]
struct Shared {
    health: Arc<Health>,
    instruments: Arc<Instruments>,
    /// The BLAKE3 hash of the token: comparing hashes takes the same time for every guess.
    token: Option<blake3::Hash>,
}

impl Admin {
    /// Listens, unless that is switched off.
    pub(super) fn start(
        settings: &AdminSettings,
        health: &Arc<Health>,
        instruments: &Arc<Instruments>,
    ) -> Result<Option<Self>, Stop> {
        let Some(listen) = settings.listen else { return Ok(None) };
        let shared = Shared {
            health: Arc::clone(health),
            instruments: Arc::clone(instruments),
            token: settings.token.as_ref().map(|token| blake3::hash(token.as_bytes())),
        };
        Self::listen(listen, shared).map(Some).map_err(|error| {
            Stop::new(
                ExitCode::Configuration,
                format!("admin.listen {listen} cannot be used: {error}"),
            )
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    fn listen(listen: SocketAddr, shared: Shared) -> io::Result<Self> {
        let listener = StdListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel::<()>();
        let serve = async move {
            let inner = TcpListener::from_std(listener)?;
            let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
            tokio::select! {
                served = axum::serve(Limited { inner, permits }, router(shared)) => served,
                _ = ended => Ok(()),
            }
        };
        let thread = std::thread::Builder::new().name("admin".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, "the admin server ended");
            }
        })?;
        Ok(Self { thread: Some(thread), end: Some(end), address })
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed by its own thread.
            let _ = thread.join();
        }
    }
}

fn router(shared: Shared) -> Router {
    let guarded = middleware::from_fn_with_state(shared.clone(), guard);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(guarded)
        .with_state(shared)
}

/// Probes answer everybody; everything else asks for the token, where there is one.
async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    let is_probe = matches!(uri.path(), "/livez" | "/readyz") && uri.query().is_none();
    match &shared.token {
        Some(token) if !is_probe && !carries(request.headers(), token) => {
            let asks = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, asks, "a bearer token is needed\n").into_response()
        }
        Some(_) | None => next.run(request).await,
    }
}

fn carries(headers: &HeaderMap, token: &blake3::Hash) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    given.is_some_and(|given| blake3::hash(given.as_bytes()) == *token)
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, shared.instruments.render())
}

async fn livez(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    if shared.health.is_live() {
        (StatusCode::OK, "live\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stalled\n")
    }
}

async fn readyz(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let (status, word) = if shared.health.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    };
    if query.as_deref() != Some("verbose") {
        return (status, word).into_response();
    }
    let report = serde_json::to_string_pretty(&shared.health.report());
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, report.expect("numbers and strings serialise") + "\n").into_response()
}

/// A listener with a limit on connections and on their lives.
struct Limited {
    inner: TcpListener,
    permits: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match self.inner.accept().await {
                Ok((stream, address)) => {
                    let life = Box::pin(sleep(CONNECTION_LIFE));
                    return (Connection { stream, life, _permit: permit }, address);
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// A connection that ends by itself.
struct Connection {
    stream: TcpStream,
    life: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.life.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.life.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{SocketAddr, TcpStream},
        sync::Arc,
        time::Duration,
    };

    use super::{Admin, AdminSettings};
    use crate::{telemetry::Instruments, worker::health::Health};

    fn start(token: Option<&str>) -> (Admin, Arc<Health>) {
        let health = Arc::new(Health::new(Duration::from_mins(10)));
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let settings = AdminSettings { listen, token: token.map(str::to_owned) };
        let admin = Admin::start(&settings, &health, &Arc::new(Instruments::new()));
        (admin.expect("it starts").expect("it listens"), health)
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
    fn a_worker_is_ready_once_it_joined_its_group_and_until_it_drains() {
        let (admin, health) = start(None);
        assert!(ask(&admin, "/readyz", "").starts_with("HTTP/1.1 503"));
        health.assigned(0);
        assert!(ask(&admin, "/readyz", "").starts_with("HTTP/1.1 200"), "a standby is ready");
        health.drain();
        assert!(ask(&admin, "/readyz", "").starts_with("HTTP/1.1 503"));
        assert!(ask(&admin, "/readyz?verbose", "").contains(r#""state": "draining""#));
        assert!(ask(&admin, "/livez", "").starts_with("HTTP/1.1 200"));
    }

    #[test]
    fn metrics_ask_for_the_token_and_probes_do_not() {
        let (admin, health) = start(Some("s3cret"));
        health.assigned(1);
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
