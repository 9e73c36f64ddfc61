//! The door as a whole: a server in front, a pool behind it, and how both start and end.

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::Semaphore;

use super::{
    Probes,
    decide::DeciderFactory,
    moderate::{Desk, router},
    pool::{Pool, Pulse},
    server::{ClientLimits, Clients, Server},
    token::Token,
};
use crate::{
    reload,
    stop::{ExitCode, Stop, StopSignal},
    telemetry::Instruments,
};

/// How often a running door is looked at.
const WATCH: Duration = Duration::from_millis(20);

/// How a door is run.
#[derive(Debug, Clone)]
pub struct DoorSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The bearer token that every request brings.
    pub token: Option<String>,
    /// Threads that decide.
    pub threads: NonZeroUsize,
    /// Requests at once; more are turned away.
    pub in_flight: NonZeroUsize,
    /// How long a request waits for its decisions.
    pub deadline: Duration,
    /// How long a body may take to arrive.
    pub body: Duration,
    /// What clients may take.
    pub clients: ClientLimits,
    /// How long requests in flight may take at the end.
    pub drain: Duration,
}

impl DoorSettings {
    /// The usual limits around what an operator sets.
    pub fn new(listen: SocketAddr, threads: NonZeroUsize, deadline: Duration) -> Self {
        let body = Duration::from_secs(10);
        Self {
            listen,
            token: None,
            threads,
            in_flight: NonZeroUsize::new(64).expect("not zero"),
            deadline,
            body,
            clients: ClientLimits {
                connections: 256,
                head: Duration::from_secs(10),
                life: Duration::from_mins(2),
                grace: body + deadline + Duration::from_secs(5),
            },
            drain: Duration::from_secs(10),
        }
    }
}

/// A door that answers; it closes at once when this is dropped.
pub struct Door {
    server: Server,
    pool: Pool,
    health: Arc<Health>,
    drain: Duration,
}

impl Door {
    /// Opens the door, once every thread of the pool has its decider.
    pub fn open(
        settings: &DoorSettings,
        deciders: Arc<dyn DeciderFactory>,
        instruments: Arc<Instruments>,
    ) -> Result<Self, Stop> {
        let failed = |sentence: String| Stop::new(ExitCode::Configuration, sentence);
        let pulse = Arc::new(Pulse::new());
        let (pool, jobs) = Pool::start(settings.threads, settings.in_flight, &deciders, &pulse)
            .map_err(|error| failed(error.to_string()))?;
        let health = Arc::new(Health {
            pulse: Arc::clone(&pulse),
            deciders,
            closed: AtomicBool::new(false),
        });
        let desk = Arc::new(Desk {
            token: settings.token.as_deref().map(Token::new),
            permits: Arc::new(Semaphore::new(settings.in_flight.get())),
            jobs,
            pulse,
            instruments: Arc::clone(&instruments),
            body: settings.body,
            deadline: settings.deadline,
        });
        let clients = Clients {
            router: router(desk),
            limits: settings.clients,
            count: Arc::new(move |change| instruments.http_connections().add(change)),
        };
        let server = Server::start("http", settings.listen, clients).map_err(|error| {
            failed(format!("http.listen {} cannot be used: {error}", settings.listen))
        })?;
        tracing::info!(address = %server.address(), "moderation over HTTP");
        Ok(Self { server, pool, health, drain: settings.drain })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it tells about itself.
    pub fn probes(&self) -> Arc<dyn Probes> {
        Arc::<Health>::clone(&self.health)
    }

    /// Answers until `stop` is requested, then closes: what is in flight is finished first, within
    /// the drain deadline.
    pub fn run(self, stop: &StopSignal) -> Result<(), Stop> {
        while !stop.is_requested() {
            if self.server.has_ended() || !self.pool.is_whole() {
                self.health.closed.store(true, Ordering::Relaxed);
                let sentence = "the HTTP server ended by itself: this is a bug, please report it";
                return Err(Stop::new(ExitCode::Software, sentence));
            }
            thread::sleep(WATCH);
        }
        self.close()
    }

    /// Takes no more connections, finishes what is in flight within the drain deadline, and ends.
    pub fn close(self) -> Result<(), Stop> {
        self.health.closed.store(true, Ordering::Relaxed);
        let deadline = Instant::now() + self.drain;
        self.server.stop(self.drain);
        if self.pool.end(deadline.max(Instant::now() + WATCH)) {
            tracing::info!("every request in flight was answered: HTTP ends");
            return Ok(());
        }
        let sentence = format!(
            "requests were not decided within {} s: they are cut off",
            self.drain.as_secs()
        );
        Err(Stop::new(ExitCode::TemporaryFailure, sentence))
    }
}

/// What a door tells about itself.
struct Health {
    pulse: Arc<Pulse>,
    deciders: Arc<dyn DeciderFactory>,
    closed: AtomicBool,
}

/// What `/readyz?verbose` shows.
#[derive(Serialize)]
struct Report {
    ready: bool,
    live: bool,
    state: &'static str,
    requests_in_flight: usize,
    bundle: Option<reload::View>,
}

impl Probes for Health {
    /// Whether the pool gets on with its work.
    fn is_live(&self) -> bool {
        self.pulse.is_live()
    }

    /// Whether the door is open: then a bundle is loaded, and every thread of the pool lives.
    fn is_ready(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    fn report(&self) -> String {
        let ready = self.is_ready();
        let report = Report {
            ready,
            live: self.is_live(),
            state: if ready { "open" } else { "draining" },
            requests_in_flight: self.pulse.in_flight(),
            bundle: self.deciders.status().map(|status| status.view()),
        };
        serde_json::to_string_pretty(&report).expect("numbers and strings serialise")
    }
}
