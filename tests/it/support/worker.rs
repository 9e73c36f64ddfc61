//! The `tidegate` binary as a worker in its own process, so that it can be killed like one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;

use super::process::{Process, poll_until};
use super::scene::SOON;

/// How long an answer of the server for operators is waited for.
const ANSWER: Duration = Duration::from_secs(10);

/// A running `tidegate run`. Dropping it kills it.
pub(crate) struct Worker {
    // Before the folder, which must outlive it: fields are dropped in their order.
    process: Process,
    _folder: TempDir,
}

impl Worker {
    /// Starts `tidegate run --config <config>` in the repository's root, where the rules are.
    pub(crate) fn start(config: &Path) -> Self {
        Self::start_with(config, |_| ())
    }

    /// The same, after `adjust` has added arguments or variables.
    pub(crate) fn start_with(config: &Path, adjust: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(["run", "--config"]).arg(config).current_dir(env!("CARGO_MANIFEST_DIR"));
        adjust(&mut command);
        Self::spawn(&mut command)
    }

    /// Starts a command that is a worker in another way.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let folder = super::kafka::scratch("worker");
        let process = Process::start("worker", folder.path(), command);
        Self { process, _folder: folder }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM, and waits until it has drained and ended.
    ///
    /// # Panics
    /// When it still runs after `deadline`.
    pub(crate) fn terminate(&mut self, deadline: Duration) -> ExitStatus {
        self.process.terminate();
        self.process.wait(deadline)
    }

    /// SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.process.signal("HUP");
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// What its server for operators answers to a GET; nothing before it listens.
    pub(crate) fn operators_see(&self, path: &str) -> Option<String> {
        let log = self.stderr();
        let (_, line) = log.split_once("metrics and probes")?;
        let (_, address) = line.split_once("\"address\":\"")?;
        let mut stream = TcpStream::connect(address.split_once('"')?.0).ok()?;
        // The system lets callers in whom a worker without descriptors can never answer.
        stream.set_read_timeout(Some(ANSWER)).expect("it is not zero");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }

    /// The value of a metric, once it answers.
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let page = self.operators_see("/metrics")?;
        let line = page.lines().find(|line| line.starts_with(&format!("{series} ")))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Waits until it holds partitions.
    pub(crate) fn wait_assigned(&self) {
        let held = || self.metric("tidegate_assigned_partitions").filter(|count| *count > 0.0);
        assert!(poll_until(SOON, held).is_some(), "no partition: {}", self.stderr());
    }

    /// Its exit status if it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it still runs after `deadline`.
    pub(crate) fn wait(&mut self, deadline: Duration) -> ExitStatus {
        self.process.wait(deadline)
    }

    /// Waits until `done` says so.
    ///
    /// # Panics
    /// When `deadline` passes, or the worker ends, before that; with `what` and its last lines.
    pub(crate) fn until(&mut self, what: &str, deadline: Duration, mut done: impl FnMut() -> bool) {
        let ended =
            poll_until(
                deadline,
                || {
                    if done() { Some(None) } else { self.process.ended().map(Some) }
                },
            );
        let lines = self.process.last_lines();
        match ended {
            Some(None) => (),
            Some(Some(status)) => panic!("the worker ended ({status}) before {what}:\n{lines}"),
            None => panic!("no {what} within {deadline:?}:\n{lines}"),
        }
    }

    /// Everything it has logged so far.
    pub(crate) fn stderr(&self) -> String {
        self.process.stderr()
    }
}
