//! Faults of load: more than can be decided, for a while or from the beginning. Memory must not care.

use std::thread;
use std::time::{Duration, Instant};

use crate::lab::{Lab, SOON, status_of};
use crate::support::process::poll_until;
use crate::support::worker::Worker;

/// What a worker with settings as shipped may hold over what it holds when idle, in MiB: queues for
/// reading and writing, batches in flight, and the allocator's own.
const GROWTH_MIB: u64 = 260;

/// A worker with limits as shipped.
fn as_shipped(lab: &Lab) -> Worker {
    lab.worker_with(|command| {
        command.env("TIDEGATE__BATCH__MAX_RECORDS", "1000").env("TIDEGATE__BATCH__IN_FLIGHT", "8");
    })
}

/// Ten times as many posts as before arrive at once; then none.
pub(crate) fn surge(lab: &mut Lab) {
    let mut worker = as_shipped(lab);
    let calm = 2_000;
    lab.produce(calm);
    lab.wait_outputs(&mut worker, calm);
    let before = resident(&worker);
    let surge = lab.load(10 * calm);
    lab.produce(surge);
    lab.wait_outputs(&mut worker, calm + surge);
    holds(lab, &worker, before);
    lab.finish([worker]);
}

/// The worker finds everything at once; it must take it in pieces.
pub(crate) fn backlog(lab: &mut Lab) {
    let count = if lab.is_long() { 5_000_000 } else { 300_000 };
    for part in [100_000; 3].iter().cycle().take(count / 100_000) {
        lab.produce(*part);
    }
    let mut worker = as_shipped(lab);
    worker.wait_assigned();
    let before = resident(&worker);
    let began = Instant::now();
    // The positions follow while it works: a crash would repeat little.
    let risen = poll_until(SOON, || {
        thread::sleep(Duration::from_millis(300));
        let committed = lab.kafka().committed(&lab.group(), &lab.topics.posts);
        (!committed.is_empty()).then_some(())
    });
    lab.expect(risen.is_some(), || "no position rises under load".to_owned());
    // A thousand a second would still do.
    let most = Duration::from_secs(u64::try_from(count / 1_000).unwrap_or(u64::MAX));
    lab.wait_outputs_within(&mut worker, count, most);
    let rate = u64::try_from(count).unwrap_or(u64::MAX) / began.elapsed().as_secs().max(1);
    println!("     {count} records of backlog at about {rate} a second");
    holds(lab, &worker, before);
    lab.finish([worker]);
}

fn holds(lab: &mut Lab, worker: &Worker, before: u64) {
    let peak = status_of(worker, "VmHWM:").unwrap_or(u64::MAX) / 1024;
    println!("     memory: {before} MiB at first, {peak} MiB at most");
    lab.may_hold(before + GROWTH_MIB);
    lab.expect(peak <= before + GROWTH_MIB, || format!("memory rose from {before} to {peak} MiB"));
}

fn resident(worker: &Worker) -> u64 {
    status_of(worker, "VmRSS:").unwrap_or_default() / 1024
}
