//! Ends inferences that take too long, from one thread for the whole process.
//!
//! ONNX Runtime looks at the wish to end between two operators, so that a network which loops ends
//! soon, and a single operator is waited for; what one may cost is bounded by the size of a window.

use std::{
    sync::{
        Arc, Condvar, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ort::session::RunOptions;

/// How exactly deadlines are held.
const TICK: Duration = Duration::from_millis(10);

static WATCHDOG: LazyLock<Watchdog> = LazyLock::new(Watchdog::start);

struct Watchdog {
    shared: Arc<Shared>,
    next: AtomicU64,
}

#[derive(Default)]
struct Shared {
    watched: Mutex<Vec<Entry>>,
    some: Condvar,
}

struct Entry {
    number: u64,
    ends_at: Instant,
    options: Arc<RunOptions>,
    ended: Arc<AtomicBool>,
}

/// An inference under watch, until this is dropped.
pub(super) struct Watched {
    number: u64,
    ended: Arc<AtomicBool>,
}

/// Ends what runs with `options` unless the watch is over within `limit`.
pub(super) fn watch(options: &Arc<RunOptions>, limit: Duration) -> Watched {
    let number = WATCHDOG.next.fetch_add(1, Ordering::Relaxed);
    let ended = Arc::<AtomicBool>::default();
    let ends_at = Instant::now() + limit;
    let entry = Entry { number, ends_at, options: Arc::clone(options), ended: Arc::clone(&ended) };
    let mut watched = WATCHDOG.shared.lock();
    watched.push(entry);
    if watched.len() == 1 {
        WATCHDOG.shared.some.notify_one();
    }
    Watched { number, ended }
}

impl Watched {
    /// Whether the inference was ended; its options are spent then.
    pub(super) fn was_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        WATCHDOG.shared.lock().retain(|entry| entry.number != self.number);
    }
}

impl Watchdog {
    fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let body = Arc::clone(&shared);
        let thread = thread::Builder::new().name("watchdog".into()).spawn(move || body.run());
        thread.expect("the system starts threads");
        Self { shared, next: AtomicU64::new(0) }
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let waiting = self.some.wait_while(self.lock(), |watched| watched.is_empty());
            let mut watched = waiting.expect("no thread panics while it holds this");
            let now = Instant::now();
            watched.retain(|entry| {
                let late = entry.ends_at <= now;
                if late {
                    entry.ended.store(true, Ordering::Release);
                    // Where even that fails, the inference is waited for.
                    let _ = entry.options.terminate();
                }
                !late
            });
            drop(watched);
            thread::sleep(TICK);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.watched.lock().expect("no thread panics while it holds this")
    }
}
