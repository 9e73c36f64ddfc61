//! How much of a core this thread has used: other programs on the machine do not count.

use std::{fs, time::Duration};

/// Processor time of the calling thread since it started.
///
/// # Panics
/// Where the system does not tell it: the bench is for Linux, as the worker is.
pub(crate) fn thread_time() -> Duration {
    let line = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds = line.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("its first number is the time on a processor"))
}

/// Seconds of one core that `work` takes.
pub(crate) fn seconds(work: impl FnOnce()) -> f64 {
    let started = thread_time();
    work();
    thread_time().saturating_sub(started).as_secs_f64()
}

/// Seconds of one core that `work` takes, the median of some rounds, each on fresh `input`.
pub(crate) fn median_seconds<T>(input: impl Fn() -> T, mut work: impl FnMut(T)) -> f64 {
    const ROUNDS: usize = 7;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let input = input();
            seconds(|| work(input))
        })
        .collect();
    median(&mut rounds)
}

/// The middle one, the upper of two.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
