//! The thread that publishes: restores the order of judged chunks, hands them to the producer,
//! counts delivery reports, finishes batches in order.
//!
//! A failed delivery is a fault of the world, not of the record: the producer is built anew and
//! everything from the first unacknowledged record is sent again, until `publish.give_up`. Only
//! size is a fault of the record; it becomes a dead letter with a claim check.

mod parcel;
mod producer;

use std::{
    collections::{BTreeSet, VecDeque},
    num::NonZeroU8,
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use rdkafka::ClientConfig;

use self::{
    parcel::{Addressee, Parcel, Smaller},
    producer::{Failure, Producer, Report, Sent},
};
use super::{
    consumer::Permit,
    health::Health,
    partitions::{Partitions, Withdrawal, Withdrawn},
    pool::JudgedChunk,
    settings::WorkerSettings,
};
use crate::{
    delivery::{Disposition, Progress, Sequencer, Slot, Window},
    stop::{ExitCode, Stop},
    telemetry::{Instruments, Stage},
};

/// One turn of the producer's events. Its poll always takes the whole time it is given, so this is
/// the delay of a judged chunk while reports are awaited.
const POLL: Duration = Duration::from_millis(1);
/// How long the thread rests when nothing is awaited.
const REST: Duration = Duration::from_millis(50);
/// Records handed over between two polls, under one lock of the positions.
const BURST_MAX: usize = 256;
/// The first and the longest pause before sending again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// The publishing thread.
pub(super) struct Publisher {
    settings: Arc<WorkerSettings>,
    config: ClientConfig,
    producer: Producer,
    chunks: Receiver<JudgedChunk>,
    withdrawals: Receiver<Withdrawal>,
    permits: Sender<Permit>,
    partitions: Arc<Partitions>,
    health: Arc<Health>,
    instruments: Arc<Instruments>,
    sequencer: Sequencer<JudgedChunk>,
    window: Window<Parcel>,
    /// When each batch of the window arrived.
    arrivals: VecDeque<Instant>,
    entering: Option<Instant>,
    /// What the producer has not taken yet of the records that were handed over.
    unsent: VecDeque<(Slot, Addressee)>,
    open_withdrawals: Vec<Withdrawal>,
    trouble: Trouble,
    /// No more chunks will come.
    ended: bool,
}

/// What stands between us and the broker.
#[derive(Debug)]
struct Trouble {
    /// Since then records are awaited and the oldest of them did not change.
    since: Option<Instant>,
    /// The oldest unfinished record when the trouble ended last. Progress behind it is none: one
    /// record that fails for good has all the others sent again and acknowledged again.
    oldest: Slot,
    last: Option<Failure>,
    /// Nothing is sent before.
    resume: Option<Instant>,
    pause: Duration,
    /// Records before this slot are sent one at a time, to find the one that is too large.
    alone_before: Slot,
}

/// The ends of the channels that the publisher holds.
pub(super) struct Ends {
    pub(super) chunks: Receiver<JudgedChunk>,
    pub(super) withdrawals: Receiver<Withdrawal>,
    pub(super) permits: Sender<Permit>,
}

impl Publisher {
    /// A publisher that has not begun.
    pub(super) fn new(
        settings: &Arc<WorkerSettings>,
        ends: Ends,
        partitions: &Arc<Partitions>,
        health: &Arc<Health>,
        instruments: &Arc<Instruments>,
    ) -> Result<Self, Stop> {
        let config = settings.kafka.producer();
        let producer = new_producer(&config, health)?;
        Ok(Self {
            settings: Arc::clone(settings),
            config,
            producer,
            chunks: ends.chunks,
            withdrawals: ends.withdrawals,
            permits: ends.permits,
            partitions: Arc::clone(partitions),
            health: Arc::clone(health),
            instruments: Arc::clone(instruments),
            sequencer: Sequencer::default(),
            window: Window::default(),
            arrivals: VecDeque::new(),
            entering: None,
            unsent: VecDeque::new(),
            open_withdrawals: Vec::new(),
            trouble: Trouble::none(),
            ended: false,
        })
    }

    /// Publishes until no more chunks come. What is still with the producer then has been waited
    /// for by the reading thread, as long as its deadline allowed.
    pub(super) fn run(mut self) -> Result<(), Stop> {
        while !self.ended {
            self.receive();
            let more = self.hand_over()?;
            self.collect(more)?;
            self.finish();
            self.answer_withdrawals();
            self.give_up()?;
        }
        Ok(())
    }

    /// Takes what has arrived; rests only while nothing is in flight.
    fn receive(&mut self) {
        if self.window.is_empty() && self.open_withdrawals.is_empty() {
            crossbeam_channel::select! {
                recv(self.chunks) -> chunk => match chunk {
                    Ok(chunk) => self.accept(chunk),
                    Err(_) => self.ended = true,
                },
                recv(self.withdrawals) -> withdrawal => self.open_withdrawals.extend(withdrawal),
                default(REST) => {}
            }
        }
        loop {
            match self.chunks.try_recv() {
                Ok(chunk) => self.accept(chunk),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.ended = true;
                    break;
                }
            }
        }
        self.open_withdrawals.extend(self.withdrawals.try_iter());
    }

    /// Takes one judged chunk, and everything that waited for it.
    fn accept(&mut self, chunk: JudgedChunk) {
        self.sequencer.insert(chunk.number, chunk);
        while let Some(chunk) = self.sequencer.pop() {
            self.entering.get_or_insert_with(Instant::now);
            for (record, judgement) in chunk.records {
                let place = record.place;
                let parcel = Parcel::new(record, judgement, &chunk.bundle, &self.settings);
                self.window.push(place, parcel);
            }
            if chunk.ends_batch {
                self.window.end_batch();
                self.arrivals.extend(self.entering.take());
            }
        }
    }

    /// Hands over in input order as much as the producer takes; true when a poll is all it lacks.
    fn hand_over(&mut self) -> Result<bool, Stop> {
        if self.trouble.resume.is_some_and(|resume| Instant::now() < resume) {
            return Ok(false);
        }
        self.trouble.resume = None;
        for _ in 0..BURST_MAX {
            if !self.send_unsent()? {
                return Ok(false);
            }
            let nothing_awaited = self.window.waiting() == 0;
            let Some((slot, place, parcel)) = self.window.peek() else { return Ok(false) };
            // The first one after them waits too, so that the last of them is alone as well.
            if slot <= self.trouble.alone_before && !nothing_awaited {
                return Ok(false);
            }
            if !self.partitions.lock().is_open(place.partition, place.epoch) {
                self.window.abandon();
                continue;
            }
            let addressees = parcel.addressees(&self.settings.topics);
            let reports = u8::try_from(addressees.clone().count()).ok().and_then(NonZeroU8::new);
            let disposition = parcel.disposition();
            self.unsent.extend(addressees.map(|addressee| (slot, addressee)));
            let reports = reports.expect("a parcel has one to three addressees");
            self.window.hand_over(reports, disposition);
        }
        Ok(true)
    }

    /// Gives the producer what was handed over; false when it takes no more for now.
    fn send_unsent(&mut self) -> Result<bool, Stop> {
        while let Some(&(slot, addressee)) = self.unsent.front() {
            let parcel = self.window.item(slot);
            match self.producer.send(slot, parcel.outgoing(addressee, &self.settings.topics)) {
                Sent::Taken => {
                    self.unsent.pop_front();
                }
                Sent::Full => return Ok(false),
                Sent::Refused(Failure::TooLarge) => {
                    // Every copy of a record has the same size, so none of them was taken.
                    self.unsent.clear();
                    self.window.take_back();
                    self.shrink(slot)?;
                }
                Sent::Refused(failure @ Failure::Broken(_)) => {
                    self.send_again(&[(slot, failure)])?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Serves the producer and counts its reports.
    fn collect(&mut self, more_to_send: bool) -> Result<(), Stop> {
        let wait = if more_to_send || self.window.is_empty() { Duration::ZERO } else { POLL };
        let mut failed = Vec::new();
        let mut acknowledged = false;
        for Report { slot, result } in self.producer.poll(wait) {
            match result {
                Ok(()) => {
                    self.window.acknowledge(slot);
                    acknowledged = true;
                }
                Err(failure) => failed.push((slot, failure)),
            }
        }
        let progress =
            acknowledged && self.trouble.ends(self.window.first_unfinished(), &self.health);
        if !failed.is_empty() {
            self.send_again(&failed)?;
        }
        self.health.awaits(self.window.waiting(), progress);
        Ok(())
    }

    /// Deliveries failed: goes back to the first record that is not acknowledged.
    fn send_again(&mut self, failed: &[(Slot, Failure)]) -> Result<(), Stop> {
        // A set, because each copy of a record has a report of its own.
        let mut too_large = BTreeSet::new();
        let mut broken = false;
        for &(slot, failure) in failed {
            match failure {
                Failure::TooLarge => {
                    too_large.insert(slot);
                }
                Failure::Broken(_) => {
                    self.trouble.last = Some(failure);
                    broken = true;
                }
            }
        }
        let again = self.window.rewind();
        self.unsent.clear();
        for &slot in too_large.range(..self.trouble.alone_before) {
            self.shrink(slot)?;
        }
        // A refusal for size blames everything in the same request: find the culprit alone.
        let after = too_large.last().map_or(Slot(0), |slot| Slot(slot.0 + 1));
        self.trouble.alone_before = self.trouble.alone_before.max(after);
        if broken {
            self.trouble.pause();
        }
        let failure = failed.first().map(|&(_, failure)| failure);
        tracing::warn!(records = again, ?failure, "deliveries failed: sending again");
        self.instruments.producer_rebuilds().inc();
        self.instruments.records_sent_again().inc_by(u64::try_from(again).unwrap_or(u64::MAX));
        self.producer = new_producer(&self.config, &self.health)?;
        Ok(())
    }

    /// Puts something smaller in the place of a record that was refused for its size.
    fn shrink(&mut self, slot: Slot) -> Result<(), Stop> {
        let settings = Arc::clone(&self.settings);
        let parcel = self.window.item_mut(slot);
        let place = parcel.place();
        match parcel.shrink(&settings) {
            Smaller::DeadLetter => {
                tracing::warn!(
                    partition = place.partition.0,
                    offset = place.offset.0,
                    "the decision is larger than the topic takes: a dead letter says so instead"
                );
                Ok(())
            }
            Smaller::ClaimCheck => {
                tracing::warn!(
                    partition = place.partition.0,
                    offset = place.offset.0,
                    "the dead letter is larger than the topic takes: only a claim check is left"
                );
                Ok(())
            }
            Smaller::Impossible => {
                let topic = &settings.topics.dead_letters;
                let sentence = format!(
                    "{topic} does not even take a claim check: raise its \
                    max.message.bytes to 16384 or more"
                );
                Err(Stop::new(ExitCode::Configuration, sentence))
            }
        }
    }

    /// Lets finished batches go, in order.
    fn finish(&mut self) {
        while let Some(finished) = self.window.take_finished() {
            self.reach(&finished.progress);
            for (parcel, disposition) in &finished.records {
                self.instruments.records(*disposition).inc();
                if let (Disposition::DeadLettered, Some(code)) = (disposition, parcel.error_code())
                {
                    self.instruments.dead_letters(code).inc();
                }
            }
            if let Some(arrival) = self.arrivals.pop_front() {
                self.instruments.stage(Stage::Publish).observe(arrival.elapsed().as_secs_f64());
            }
            // The channel has room for every permit there is; a reader that is gone needs none.
            let _ = self.permits.try_send(Permit);
        }
        self.instruments.in_flight().set(i64::try_from(self.window.len()).unwrap_or(i64::MAX));
    }

    /// Answers whoever gives partitions back, once their records are at their end.
    fn answer_withdrawals(&mut self) {
        for withdrawal in std::mem::take(&mut self.open_withdrawals) {
            let settled = !self.window.awaits(&withdrawal.partitions);
            if !settled && Instant::now() < withdrawal.deadline {
                self.open_withdrawals.push(withdrawal);
                continue;
            }
            self.reach(&self.window.progress(&withdrawal.partitions));
            let answer = if settled { Withdrawn::Settled } else { Withdrawn::Late };
            // Whoever asked may have waited too long; then nobody listens.
            let _ = withdrawal.reply.send(answer);
        }
    }

    fn reach(&self, progress: &[Progress]) {
        let mut positions = self.partitions.lock();
        for step in progress {
            positions.reach(step.partition, step.epoch, step.position);
        }
    }

    /// Stops the worker when the broker has not acknowledged the oldest record for too long.
    fn give_up(&mut self) -> Result<(), Stop> {
        if self.window.waiting() == 0 && self.trouble.resume.is_none() {
            self.trouble.since = None;
            return Ok(());
        }
        let since = *self.trouble.since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.settings.give_up {
            return Ok(());
        }
        let cause = match self.trouble.last {
            Some(Failure::Broken(code)) => format!(" (last error: {code})"),
            Some(Failure::TooLarge) | None => String::new(),
        };
        let waited = self.settings.give_up.as_secs();
        Err(Stop::new(
            ExitCode::TemporaryFailure,
            format!(
                "Kafka did not acknowledge the oldest decision within {waited} s{cause}: the \
                 worker stops; nothing is lost, a restart goes on from the last committed position"
            ),
        ))
    }
}

impl Trouble {
    /// All is well.
    fn none() -> Self {
        Self {
            since: None,
            oldest: Slot(0),
            last: None,
            resume: None,
            pause: PAUSES.0,
            alone_before: Slot(0),
        }
    }

    /// Records were acknowledged and now `oldest` is the first that is not: true when that is
    /// progress, which ends the trouble.
    fn ends(&mut self, oldest: Slot, health: &Health) -> bool {
        if oldest <= self.oldest {
            return false;
        }
        self.oldest = oldest;
        if self.last.take().is_some() {
            tracing::info!("deliveries succeed again");
        }
        health.trouble(None);
        self.since = None;
        self.pause = PAUSES.0;
        true
    }

    /// Sends nothing for a while, longer each time.
    fn pause(&mut self) {
        self.resume = Some(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(PAUSES.1);
    }
}

fn new_producer(config: &ClientConfig, health: &Arc<Health>) -> Result<Producer, Stop> {
    Producer::new(config, health).map_err(|error| {
        Stop::new(ExitCode::Configuration, format!("the Kafka settings are refused: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_that_always_fails_does_not_hide_behind_others_that_are_sent_again() {
        let health = Health::new(Duration::from_secs(1));
        let mut trouble = Trouble::none();
        assert!(trouble.ends(Slot(3), &health), "everything before the bad record");
        let since = Instant::now();
        trouble.since = Some(since);
        trouble.pause();
        for _ in 0..3 {
            assert!(!trouble.ends(Slot(3), &health), "only others were acknowledged, once more");
        }
        assert_eq!(trouble.since, Some(since), "the time to give up comes nearer");
        assert!(trouble.pause > PAUSES.0, "the pauses grow");
        assert!(trouble.ends(Slot(4), &health), "the record itself");
        assert_eq!((trouble.since, trouble.pause), (None, PAUSES.0));
    }
}
