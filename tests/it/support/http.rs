//! A plain HTTP client, and a door to talk to.
//!
//! The client writes what it is told, right or wrong, and reads one answer at a time; it panics when
//! the answer is none.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Condvar, Mutex, OnceLock},
    time::Duration,
};

use serde_json::Value;
use tidegate::{
    bundle::{Bundle, Live, Sources, load},
    direct::DirectSettings,
    files::RuleFolder,
    http::{BundleDeciders, Decider, DeciderError, DeciderFactory, Door, DoorSettings},
    telemetry::Instruments,
    wire::{Limits, WireError},
};

/// Longer than anything takes; what hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the error object, or `ok`.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or("ok").to_owned()
    }
}

/// One connection.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time to wait");
        Self(BufReader::new(stream))
    }

    /// Writes bytes as they are. A server that has closed is an error.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Sends a request.
    pub(crate) fn send(
        &mut self,
        line: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<()> {
        let headers: String =
            headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
        let length = body.len();
        let head =
            format!("{line} HTTP/1.1\r\nHost: gate\r\n{headers}Content-Length: {length}\r\n\r\n");
        self.write(head.as_bytes())?;
        self.write(body)
    }

    /// The next answer; nothing when the server has closed instead.
    pub(crate) fn receive(&mut self) -> Option<Answer> {
        let mut line = String::new();
        if !matches!(self.0.read_line(&mut line), Ok(read) if read > 0) {
            return None;
        }
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("the head of the answer");
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.expect("every answer says its length")];
        self.0.read_exact(&mut body).expect("the body of the answer");
        Some(Answer { status: status.expect("a status"), headers, body })
    }

    /// Posts JSON for moderation and gives the answer.
    pub(crate) fn moderate(&mut self, json: &[u8]) -> Answer {
        self.send("POST /v1/moderate", &[JSON], json).expect("the server reads");
        self.receive().expect("the server answers")
    }
}

/// The header that says so.
pub(crate) const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Sends one request on a connection of its own.
pub(crate) fn ask(
    address: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut client = Client::new(address);
    client.send(line, headers, body).expect("the server reads");
    client.receive().expect("the server answers")
}

/// Posts JSON for moderation on a connection of its own.
pub(crate) fn moderate(address: SocketAddr, json: &[u8]) -> Answer {
    Client::new(address).moderate(json)
}

/// The address in the first log line with this message.
pub(crate) fn logged_address(log: &str, message: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains(message))?;
    let line: Value = serde_json::from_str(line).expect("log lines are JSON");
    Some(line["address"].as_str()?.parse().expect("an address"))
}

/// Settings for tests: any port, two threads, and no deadline that a slow machine would meet.
pub(crate) fn settings() -> DoorSettings {
    let threads = NonZeroUsize::new(2).expect("two");
    let mut settings = DoorSettings::new(SocketAddr::from(([127, 0, 0, 1], 0)), threads, PATIENCE);
    (settings.clients.grace, settings.drain) = (PATIENCE, PATIENCE);
    settings
}

/// The shipped policies without a rule: it loads at once. The folder's files stand over them.
pub(crate) fn bundle_over(overlay: Option<&Path>) -> Arc<Bundle> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let folders = [Some(shipped.as_path()), overlay].into_iter().flatten();
    let folders: Vec<RuleFolder> =
        folders.map(|folder| RuleFolder::read(folder).expect("a rules folder")).collect();
    let sources = Sources { folders: &folders, shipped_rules: false, models: None };
    match load(&sources) {
        Ok(loaded) => Arc::new(loaded.bundle),
        Err(diagnostics) => panic!("{:?}", diagnostics.sorted()),
    }
}

/// What is in force in most tests.
pub(crate) fn live() -> Arc<Live> {
    static BUNDLE: OnceLock<Arc<Bundle>> = OnceLock::new();
    Arc::new(Live::new(Arc::clone(BUNDLE.get_or_init(|| bundle_over(None)))))
}

/// A door that really decides.
pub(crate) fn open(
    settings: &DoorSettings,
    live: Arc<Live>,
    instruments: &Arc<Instruments>,
) -> Door {
    let direct = DirectSettings { limits: Limits::default(), include_text: false, at: None };
    let deciders = BundleDeciders::new(live, direct, Arc::clone(instruments));
    Door::open(settings, Arc::new(deciders), Arc::clone(instruments)).expect("it opens")
}

/// Deciders that hold every post until they are let go, and answer with the post itself.
#[derive(Clone, Default)]
pub(crate) struct Held {
    gate: Arc<(Mutex<bool>, Condvar)>,
    begun: Arc<Mutex<Vec<String>>>,
}

impl Held {
    /// A door whose pool is held.
    pub(crate) fn open(&self, settings: &DoorSettings) -> Door {
        let deciders = Arc::new(self.clone());
        Door::open(settings, deciders, Arc::new(Instruments::new())).expect("it opens")
    }

    /// Lets everything go, now and from now on.
    pub(crate) fn release(&self) {
        *self.gate.0.lock().expect("no poison") = true;
        self.gate.1.notify_all();
    }

    /// The posts that were begun.
    pub(crate) fn begun(&self) -> Vec<String> {
        self.begun.lock().expect("no poison").clone()
    }
}

impl Decider for Held {
    fn decide(&mut self, posts: &[&[u8]]) -> Vec<Result<Vec<u8>, WireError>> {
        let text = |post: &&[u8]| String::from_utf8_lossy(post).into_owned();
        self.begun.lock().expect("no poison").extend(posts.iter().map(text));
        let (open, opened) = &*self.gate;
        let open = open.lock().expect("no poison");
        let (open, _) =
            opened.wait_timeout_while(open, PATIENCE, |open| !*open).expect("no poison");
        drop(open);
        assert!(posts.iter().all(|post| *post != b"\"bug\""), "a bug, on purpose");
        posts.iter().map(|post| Ok(post.to_vec())).collect()
    }

    fn follow(&mut self) -> Result<(), DeciderError> {
        Ok(())
    }
}

impl DeciderFactory for Held {
    fn decider(&self) -> Result<Box<dyn Decider>, DeciderError> {
        Ok(Box::new(self.clone()))
    }

    fn generation(&self) -> u64 {
        0
    }
}
