//! A child process that cannot outlive the tests.
//!
//! Owns: starting it, its output, its signals, its end. Knows nothing of Kafka or Tidegate.
//! Fails by panicking with the last lines the child printed: a test reads no better error.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use std::os::unix::process::CommandExt;

/// How often a wait looks again.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running child, its output in files beside each other.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    leash: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Process {
    /// Starts `command`; its output goes to `<folder>/<name>.out` and `<folder>/<name>.err`, added
    /// to what an earlier start wrote there.
    pub(crate) fn start(name: &'static str, folder: &Path, command: &mut Command) -> Self {
        let stdout = folder.join(format!("{name}.out"));
        let stderr = folder.join(format!("{name}.err"));
        let child = command
            .stdin(Stdio::null())
            .stdout(append_to(&stdout))
            .stderr(append_to(&stderr))
            // Ctrl-C in the terminal is for the tests; the leash ends the child.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {name} ({command:?}): {e}"));
        let leash = leash(child.id(), folder);
        Self { name, child, leash, stdout, stderr }
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end in an orderly way (SIGTERM). A child that has ended already is not an error.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: the tests need no `unsafe` and no package for it.
        let _ = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\" 2>/dev/null", "kill"])
            .args([name, &self.child.id().to_string()])
            .status()
            .expect("every system has a shell");
    }

    /// Kills it at once (SIGKILL) and waits for its end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("a killed child can be waited for");
        self.retire_leash();
    }

    /// Its exit status if it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().expect("a child can be waited for");
        if status.is_some() {
            self.retire_leash();
        }
        status
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it still runs after `deadline`; it is killed first.
    pub(crate) fn wait(&mut self, deadline: Duration) -> ExitStatus {
        if let Some(status) = poll_until(deadline, || self.ended()) {
            return status;
        }
        self.kill();
        panic!("{} still ran after {deadline:?}; its last lines:\n{}", self.name, self.last_lines())
    }

    /// Everything it has printed on stdout so far.
    pub(crate) fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// Everything it has printed on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// The end of what it printed, stdout before stderr, for a panic's text.
    pub(crate) fn last_lines(&self) -> String {
        let text = self.stdout() + &self.stderr();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }

    /// The leash knows a process id only; it must be gone before the system may give that id away.
    fn retire_leash(&mut self) {
        let _ = self.leash.kill();
        let _ = self.leash.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks `look` until it has an answer or `deadline` has passed.
pub(crate) fn poll_until<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if began.elapsed() >= deadline {
            return None;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// A shell that waits for the end of its stdin, which comes when this test process is gone however
/// it went (statics are not dropped, and a killed process drops nothing). It then kills the child
/// and removes its folder.
fn leash(pid: u32, folder: &Path) -> Child {
    Command::new("sh")
        .args(["-c", "read -r _; kill -s KILL \"$1\"; rm -rf \"$2\"", "leash"])
        .arg(pid.to_string())
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("every system has a shell")
}

fn append_to(path: &Path) -> File {
    let opened = File::options().create(true).append(true).open(path);
    opened.unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()))
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
