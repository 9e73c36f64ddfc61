//! A server whose clients can hold nothing up: connections, the heads of their requests and their
//! lives have limits.
//!
//! One thread drives all connections; handlers must not block it. An orderly stop closes the listener
//! first, lets every request in flight finish, and cuts off at its deadline what has not.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    pin::pin,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How long to wait after the system refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What clients may take.
#[derive(Debug, Clone, Copy)]
pub struct ClientLimits {
    /// Connections at once; more wait.
    pub connections: usize,
    /// How long the head of a request may take, the rest between two requests included.
    pub head: Duration,
    /// How long a connection may live; it ends after the request it is at.
    pub life: Duration,
    /// How long that request may still take, its answer read, before the connection is cut off.
    pub grace: Duration,
}

/// Is told `1` for every connection that opens and `-1` for every one that ends.
pub(super) type Count = Arc<dyn Fn(i64) + Send + Sync>;

/// A running server; it ends at once when this is dropped.
pub(super) struct Server {
    thread: Option<JoinHandle<()>>,
    /// Takes how long requests in flight may still take.
    end: Option<oneshot::Sender<Duration>>,
    address: SocketAddr,
}

impl Server {
    /// Listens on a thread of this name.
    pub(super) fn start(
        name: &'static str,
        listen: SocketAddr,
        clients: Clients,
    ) -> io::Result<Self> {
        let listener = StdListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let serve = async move {
            clients.serve(TcpListener::from_std(listener)?, ended).await;
            io::Result::Ok(())
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, server = name, "the server could not start");
            }
        })?;
        Ok(Self { thread: Some(thread), end: Some(end), address })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it has ended by itself, which is a fault.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Takes no more connections, waits for requests in flight for at most `drain`, and ends.
    pub(super) fn stop(mut self, drain: Duration) {
        self.end_within(drain);
    }

    fn end_within(&mut self, drain: Duration) {
        if let Some(end) = self.end.take() {
            // A server that has ended already hears nothing.
            let _ = end.send(drain);
        }
        if let Some(thread) = self.thread.take() {
            // A panic there was printed by its own thread.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end_within(Duration::ZERO);
    }
}

/// What clients meet: routes, limits, and who counts them.
pub(super) struct Clients {
    pub(super) router: Router,
    pub(super) limits: ClientLimits,
    pub(super) count: Count,
}

impl Clients {
    async fn serve(self, listener: TcpListener, mut ended: oneshot::Receiver<Duration>) {
        let permits = Arc::new(Semaphore::new(self.limits.connections));
        let (closing, closes) = watch::channel(false);
        let mut connections = JoinSet::new();
        let drain = loop {
            tokio::select! {
                drain = &mut ended => break drain.unwrap_or_default(),
                (stream, permit) = accept(&listener, &permits) => {
                    let open = Open::new(permit, Arc::clone(&self.count));
                    let router = self.router.clone();
                    let limits = self.limits;
                    let closes = closes.clone();
                    connections.spawn(async move {
                        converse(stream, router, limits, closes).await;
                        drop(open);
                    });
                }
                // A connection that has ended gives its place back.
                Some(_) = connections.join_next() => {}
            }
        };
        drop(listener);
        closing.send_replace(true);
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(drain, all).await.is_err() {
            tracing::debug!("connections were cut off at the end");
        }
    }
}

/// A connection's place among all that may be open.
struct Open {
    _permit: OwnedSemaphorePermit,
    count: Count,
}

impl Open {
    fn new(permit: OwnedSemaphorePermit, count: Count) -> Self {
        count(1);
        Self { _permit: permit, count }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        (self.count)(-1);
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let permits = Arc::clone(permits);
    let permit = permits.acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection until it ends, its time is over, or the server closes.
async fn converse(
    stream: TcpStream,
    router: Router,
    limits: ClientLimits,
    mut closes: watch::Receiver<bool>,
) {
    // Without it small answers wait for the client's acknowledgement; it is no loss where it fails.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        result = connection.as_mut() => {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection broke off");
            }
            return;
        }
        () = sleep(limits.life) => {}
        _ = closes.wait_for(|closing| *closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    // Who does not even read the answer is cut off.
    let _ = timeout(limits.grace, connection).await;
}
