//! A worker inside this process with a judge that is easy to predict.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tidegate::config::{
    BreakerSettings, Topics,
    kafka::{Delivery, KafkaSettings, Protocol, Sasl, Tls},
};
use tidegate::delivery::{BatchLimits, Record, TransactionLimits};
use tidegate::telemetry::Instruments;
use tidegate::wire::dead_letter::{DeadLetter, Stage};
use tidegate::wire::error::{ErrorCode, WireError};
use tidegate::worker::{
    self, AdminSettings, Beside, Copies, Deadlines, Judge, JudgeError, JudgeFactory, Judgement,
    Publication, Stop, StopSignal, WorkerSettings,
};

/// Decisions about values that begin so are larger than any topic takes.
pub(crate) const HUGE: &str = "huge";
/// Values that begin so cannot be decided about.
pub(crate) const BAD: &str = "bad";
/// Values that begin so are copied to reviews.
pub(crate) const DOUBTFUL: &str = "doubtful";

/// Judges as the value says: a decision is the value after its partition and offset.
#[derive(Clone, Copy, Default)]
pub(crate) struct ByValue {
    /// The time it takes for each record.
    pub(crate) pause: Duration,
}

impl JudgeFactory for ByValue {
    fn judge(&self) -> Result<Box<dyn Judge>, JudgeError> {
        Ok(Box::new(*self))
    }

    fn generation(&self) -> u64 {
        0
    }
}

impl Judge for ByValue {
    fn judge(&mut self, records: &[Record]) -> Vec<Judgement> {
        records.iter().map(|record| self.one(record)).collect()
    }

    fn bundle(&self) -> Arc<str> {
        "bundle-of-the-test".into()
    }
}

impl ByValue {
    fn one(&self, record: &Record) -> Judgement {
        if !self.pause.is_zero() {
            thread::sleep(self.pause);
        }
        let Some(value) = &record.value else { return refuse(ErrorCode::Empty) };
        let Ok(text) = std::str::from_utf8(value) else { return refuse(ErrorCode::InvalidUtf8) };
        if text.starts_with(BAD) {
            return refuse(ErrorCode::InvalidJson);
        }
        let place = record.place;
        let mut payload = format!("{}:{}:{text}", place.partition, place.offset).into_bytes();
        if text.starts_with(HUGE) {
            payload.resize(2 << 20, b'x');
        }
        let copies = Copies { reviews: text.starts_with(DOUBTFUL), blocks: false };
        let key = record.key.clone().unwrap_or_default();
        Judgement::Publish(Publication { payload, key, headers: Vec::new(), copies })
    }
}

fn refuse(code: ErrorCode) -> Judgement {
    let error = WireError::new(code, "as the test wants it");
    Judgement::DeadLetter(DeadLetter { error, stage: Stage::Decode })
}

/// Settings for a broker at `address`: short times, small batches.
pub(crate) fn settings(address: &str) -> WorkerSettings {
    // The mock lets a group begin after 3 s; a shorter session would end before that.
    let short = [
        ("session.timeout.ms", "4000"),
        ("heartbeat.interval.ms", "100"),
        ("transaction.timeout.ms", "3000"),
    ];
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    WorkerSettings {
        source: "tests".into(),
        kafka: KafkaSettings {
            brokers: address.to_owned(),
            group: "tidegate".into(),
            protocol: Protocol::Classic,
            delivery: Delivery::AtLeastOnce,
            tls: Tls::default(),
            sasl: Sasl::default(),
            librdkafka: short.into_iter().map(owned).collect::<BTreeMap<_, _>>(),
        },
        topics: Topics {
            posts: "posts".into(),
            decisions: "decisions".into(),
            dead_letters: "dead-letters".into(),
            reviews: Some("reviews".into()),
            blocks: None,
        },
        batch: BatchLimits {
            max_records: 200,
            max_bytes: 1 << 20,
            linger: Duration::from_millis(5),
        },
        batches_in_flight: NonZeroUsize::new(4).expect("four"),
        transaction: TransactionLimits::default(),
        threads: NonZeroUsize::new(2).expect("two"),
        give_up: Duration::from_mins(1),
        dead_letter_bytes: 900 << 10,
        breaker: BreakerSettings::default(),
        admin: AdminSettings { listen: None, token: None },
        beside: Beside::default(),
        deadlines: Deadlines::default(),
    }
}

/// A worker on a thread of this process.
pub(crate) struct Running {
    thread: JoinHandle<Result<(), Stop>>,
    stop: StopSignal,
    pub(crate) instruments: Arc<Instruments>,
}

impl Running {
    /// Starts one.
    pub(crate) fn start(settings: WorkerSettings, judge: ByValue) -> Self {
        let instruments = Arc::new(Instruments::new());
        let stop = StopSignal::manual();
        let (handles, signal) = (Arc::clone(&instruments), stop.clone());
        let thread = thread::spawn(move || worker::run(settings, Arc::new(judge), handles, signal));
        Self { thread, stop, instruments }
    }

    /// Asks it to stop and waits for its end.
    pub(crate) fn stop(self) -> Result<(), Stop> {
        self.stop.request();
        self.end()
    }

    /// Waits until it ends by itself.
    pub(crate) fn end(self) -> Result<(), Stop> {
        self.thread.join().expect("the worker does not panic")
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Letters and digits without any order.
pub(crate) fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from_digit(u32::try_from(state >> 59).expect("five bits"), 36).expect("below 36")
    };
    (0..bytes).map(|_| next()).collect()
}
