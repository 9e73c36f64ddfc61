//! Faults of the machine around the worker: clocks, disks, pipes, limits; and of the engine itself.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::clock::Clock;
use crate::lab::{Lab, SOON, status_of};
use crate::ledger::Expect;
use crate::support::kafka::NewRecord;
use crate::support::process::poll_until;
use crate::support::worker::Worker;

/// Records stamped a day ahead, a day behind, in 1970 and in 2100: policies ask what time it was, and
/// nothing else depends on it.
pub(crate) fn clocks(lab: &mut Lab) {
    let day: i64 = 24 * 60 * 60 * 1_000;
    let now = jiff::Timestamp::now().as_millisecond();
    let mut worker = lab.worker();
    for (turn, stamp) in [now + day, now - day, 0, 4_102_444_800_000, now].into_iter().enumerate() {
        lab.produce_at(stamp, 300);
        lab.wait_outputs(&mut worker, (turn + 1) * 300);
    }
    no_negative_durations(lab, &worker);
    lab.finish([worker]);
}

/// The worker's own clock steps a day ahead, and two days back: what it waits for is measured by another.
pub(crate) fn clock_steps(lab: &mut Lab) {
    let clock = Clock::in_folder(lab.folder());
    let mut worker = lab.worker_with(|command| clock.is_asked_by(command));
    for (turn, days) in [0, 1, -1, 0].into_iter().enumerate() {
        clock.shows(days);
        lab.produce(300);
        lab.wait_outputs(&mut worker, (turn + 1) * 300);
        for probe in ["/livez", "/readyz"] {
            let told = worker.operators_see(probe).unwrap_or_default();
            let well = !told.starts_with("not");
            lab.expect(well, || format!("{probe}, {days} days ahead: {told}"));
        }
    }
    no_negative_durations(lab, &worker);
    lab.finish([worker]);
}

fn no_negative_durations(lab: &mut Lab, worker: &Worker) {
    let page = worker.operators_see("/metrics").unwrap_or_default();
    let sums = page.lines().filter(|line| line.contains("_seconds_sum"));
    let negative: Vec<&str> = sums.filter(|line| line.contains(" -")).collect();
    lab.expect(negative.is_empty(), || format!("negative durations: {negative:?}"));
}

/// A panic is the dead letter of its post, and nobody else's.
pub(crate) fn panics(lab: &mut Lab) {
    let record = |number: usize| {
        let (kind, expect) = if number % 50 == 7 {
            ("failpoint-panic", Expect::Letter("panic"))
        } else {
            ("p", Expect::Decision)
        };
        let json = format!(r#"{{"id":"{kind}-{number}","text":"hello"}}"#);
        (NewRecord::keyed("author", json), expect)
    };
    lab.produce_these((0..lab.load(1_000)).map(record));
    let worker = lab.worker();
    lab.finish([worker]);
}

/// A worker that cannot log goes on working.
pub(crate) fn no_log(lab: &mut Lab) {
    let pipe = "mkfifo \"$3\"; : <\"$3\" &";
    for (before, redirect) in [("", ">/dev/full 2>&1"), ("", ">&- 2>&-"), (pipe, ">\"$3\" 2>&1")] {
        let so_far = lab.outputs_count();
        lab.produce(500);
        let mut worker = lab.in_shell(before, redirect);
        lab.wait_outputs(&mut worker, so_far + 500);
        let all = lab.kafka().ends(&lab.topics.posts);
        let committed = || {
            thread::sleep(Duration::from_millis(200));
            (lab.kafka().committed(&lab.group(), &lab.topics.posts) == all).then_some(())
        };
        let done = poll_until(SOON, committed);
        lab.expect(done.is_some(), || format!("nothing was committed with {redirect}"));
        lab.stop(worker);
    }
}

/// Far too few: it says so and ends. Just enough: it works.
pub(crate) fn descriptors(lab: &mut Lab) {
    lab.produce(500);
    for limit in [8, 16, 63] {
        let mut worker = lab.in_shell(&format!("ulimit -n {limit};"), "");
        let ended = poll_until(Duration::from_secs(45), || worker.ended());
        let code = ended.and_then(|status| status.code());
        lab.expect(code.is_some_and(|code| code != 0), || {
            format!("with {limit} descriptors it neither works nor ends: {}", worker.stderr())
        });
        let said = worker.stderr();
        // The last is what the system's loader says, where not even the program's libraries fit.
        let reasons = ["open files", "os error 24", "Error 24"];
        lab.expect(reasons.iter().any(|reason| said.contains(reason)), || {
            format!("with {limit} descriptors it says: {said}")
        });
        lab.hear(&worker);
    }
    let worker = lab.in_shell("ulimit -n 64;", "");
    lab.finish([worker]);
}

/// Who watches must not slow down who works.
pub(crate) fn scrapers(lab: &mut Lab) {
    let count = lab.load(3_000);
    lab.produce(count);
    let mut worker = lab.worker();
    worker.wait_assigned();
    let address = admin_address(&worker);
    let mut idle = TcpStream::connect(&address).expect("it listens");
    idle.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
    let answered = thread::scope(|scope| {
        let scrape = || (0..10).filter(|_| worker.operators_see("/metrics").is_some()).count();
        let scrapers: Vec<_> = (0..50).map(|_| scope.spawn(scrape)).collect();
        scrapers.into_iter().map(|s| s.join().expect("it does not panic")).sum::<usize>()
    });
    lab.expect(answered >= 400, || format!("{answered} of 500 scrapes were answered"));
    lab.wait_outputs(&mut worker, count);
    let threads = status_of(&worker, "Threads:").unwrap_or(u64::MAX);
    lab.expect(threads < 40, || format!("{threads} threads"));
    drop(idle);
    lab.finish([worker]);
}

fn admin_address(worker: &Worker) -> String {
    let found = poll_until(SOON, || {
        let log = worker.stderr();
        let (_, line) = log.split_once("metrics and probes")?;
        let (_, address) = line.split_once("\"address\":\"")?;
        Some(address.split_once('"')?.0.to_owned())
    });
    found.expect("it listens")
}

impl Lab {
    /// A worker started by a shell: after `before`, with its output sent as `redirect` says.
    fn in_shell(&self, before: &str, redirect: &str) -> Worker {
        let run =
            format!("{before} exec \"$0\" run --config \"$1\" --home \"$2\" --no-model {redirect}");
        let mut command = Command::new("sh");
        command.arg("-c").arg(run).arg(env!("CARGO_BIN_EXE_tidegate"));
        command.env("TIDEGATE__KAFKA__STARTUP_DEADLINE", "5s");
        command.arg(self.config()).arg(self.home.path()).arg(self.home.path().join("pipe"));
        Worker::spawn(&mut command)
    }
}
