//! Checks before the first record: a worker that cannot work says so at once, in one sentence, with
//! an exit code that says whether trying again can help.
//!
//! In this order: the client library, the system's limits, the settings, the brokers and topics, our
//! place in the group, reading, and transactions where there are any. Whether a topic that may be
//! described may also be written to shows with the first decision only; nothing is lost by that.

mod access;
mod descriptors;
mod fault;
mod observer;
mod topics;

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::{ClientConfig, util::get_rdkafka_version};

use self::fault::Fault;
use super::settings::WorkerSettings;
use crate::{
    config::kafka::{Delivery, Protocol, shown},
    stop::{ExitCode, Stop, StopSignal},
};

/// Before 2.10, cooperative rebalancing could lose an assignment after a commit.
const VERSION_MIN: (i32, &str) = (0x020a_0000, "2.10");
/// Before 2.15, KIP-848 groups can stall for minutes.
const VERSION_FOR_KIP_848: i32 = 0x020f_0000;
/// How long one question to the brokers may take.
const ASK: Duration = Duration::from_secs(2);
/// The pause between two tries of the same question.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// Checks that a worker with these settings can work; its transactions are called `id`.
pub(super) fn check(settings: &WorkerSettings, id: &str, stop: &StopSignal) -> Result<(), Stop> {
    check_version(settings.kafka.protocol)?;
    descriptors::check()?;
    let mut problems = settings.kafka.problems();
    problems.extend(settings.kafka.nesting_problems(settings.deadlines.revoke));
    if !problems.is_empty() {
        return Err(Stop::new(ExitCode::Configuration, problems.join("; ")));
    }
    let kafka = &settings.kafka;
    let exactly_once = kafka.delivery == Delivery::ExactlyOnce;
    let producer = if exactly_once { kafka.transactional_producer(id) } else { kafka.producer() };
    tell("consumer", &kafka.consumer());
    tell("producer", &producer);
    let patience = Patience { deadline: Instant::now() + settings.deadlines.start, stop, settings };
    topics::check(settings, &patience)?;
    access::check_reading(settings, &patience)?;
    if exactly_once {
        access::check_transactions(&producer, &patience)?;
    }
    Ok(())
}

fn check_version(protocol: Protocol) -> Result<(), Stop> {
    let (number, version) = get_rdkafka_version();
    tracing::info!(version, "librdkafka");
    if number < VERSION_MIN.0 {
        let sentence =
            format!("librdkafka {version} is too old: {} or newer is needed", VERSION_MIN.1);
        return Err(Stop::new(ExitCode::Configuration, sentence));
    }
    if protocol == Protocol::Consumer && number < VERSION_FOR_KIP_848 {
        tracing::warn!(version, "protocol: consumer is experimental on librdkafka below 2.15");
    }
    Ok(())
}

/// Logs what a client is told, without secrets.
fn tell(client: &'static str, config: &ClientConfig) {
    let settings: Vec<String> =
        shown(config).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    tracing::info!(client, settings = settings.join(" "), "librdkafka's settings");
}

/// How long a start goes on asking.
struct Patience<'a> {
    deadline: Instant,
    stop: &'a StopSignal,
    settings: &'a WorkerSettings,
}

impl Patience<'_> {
    /// Asks until there is an answer or the fault has lasted too long.
    fn ask<T>(&self, mut question: impl FnMut() -> Result<T, Fault>) -> Result<T, Stop> {
        let since = Instant::now();
        loop {
            let fault = match question() {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let over = Instant::now() >= self.deadline || self.stop.is_requested();
            if over || since.elapsed() >= fault.patience() {
                return Err(fault.sentence(self.settings));
            }
            thread::sleep(ASK_AGAIN);
        }
    }
}
