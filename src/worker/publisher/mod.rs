//! The thread that publishes: restores the order of judged chunks, hands them to the producer,
//! counts delivery reports, finishes batches in order.
//!
//! A failed delivery is a fault of the world, not of the record: the producer is built anew and
//! everything from the first unacknowledged record is sent again, until `publish.give_up`. Only
//! size is a fault of the record; it becomes a dead letter with a claim check. Where delivery is
//! exactly once, records are settled by transactions instead of by acknowledgements
//! (`transactions.rs`); everything else is the same.

mod parcel;
mod producer;
mod transactional;
mod transactions;
mod trouble;

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
    transactions::Transactions,
    trouble::Trouble,
};
use super::{
    consumer::{Group, Permit},
    health::Health,
    partitions::{Partitions, Withdrawal, Withdrawn},
    pool::JudgedChunk,
    settings::WorkerSettings,
};
use crate::{
    delivery::{Disposition, Partition, Progress, Sequencer, Slot, Window},
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

pub(super) use transactions::{denied, new_id};

/// The publishing thread.
pub(super) struct Publisher {
    settings: Arc<WorkerSettings>,
    config: ClientConfig,
    producer: Producer,
    /// Where delivery is exactly once.
    transactions: Option<Transactions>,
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

/// The ends of the channels that the publisher holds.
pub(super) struct Ends {
    pub(super) chunks: Receiver<JudgedChunk>,
    pub(super) withdrawals: Receiver<Withdrawal>,
    pub(super) permits: Sender<Permit>,
}

impl Publisher {
    /// A publisher that has not begun; with an id for its transactions they hold the positions of
    /// the group.
    pub(super) fn new(
        settings: &Arc<WorkerSettings>,
        ends: Ends,
        group: Option<(&str, Group)>,
        partitions: &Arc<Partitions>,
        health: &Arc<Health>,
        instruments: &Arc<Instruments>,
    ) -> Result<Self, Stop> {
        let config = match group {
            None => settings.kafka.producer(),
            Some((id, _)) => settings.kafka.transactional_producer(id),
        };
        let producer = new_producer(&config, health)?;
        Ok(Self {
            settings: Arc::clone(settings),
            config,
            producer,
            transactions: group.map(|(_, group)| Transactions::new(settings, group)),
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
            self.settle()?;
            self.finish();
            self.answer_withdrawals();
            self.settle_held();
            self.give_up()?;
        }
        self.leave();
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
        if self.trouble.pauses() {
            return Ok(false);
        }
        for _ in 0..BURST_MAX {
            if !self.send_unsent()? {
                return Ok(false);
            }
            if self.transactions.as_ref().is_some_and(|transactions| !transactions.take_more()) {
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
                self.partitions.breaker().abandoned(place);
                continue;
            }
            let addressees = parcel.addressees(&self.settings.topics);
            let reports = u8::try_from(addressees.clone().count()).ok().and_then(NonZeroU8::new);
            let disposition = parcel.disposition();
            if let Some(transactions) = &mut self.transactions
                && let Err(failure) = transactions.join(&self.producer, slot, parcel.size())
            {
                self.send_again(&[(slot, failure)])?;
                return Ok(false);
            }
            self.unsent.extend(addressees.map(|addressee| (slot, addressee)));
            let reports = reports.expect("a parcel has one to three addressees");
            self.window.hand_over(reports, disposition);
            if self.partitions.breaker().observe(place, disposition, Instant::now()) {
                // What follows of this partition is not handed over.
                self.partitions.lock().close(place.partition);
            }
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
        let is_due = self.transactions.as_ref().is_some_and(Transactions::is_due);
        let reports = if is_due { self.producer.flush(wait) } else { self.producer.poll(wait) };
        if let Some(topic) = self.producer.forbidden() {
            self.trouble.forbidden = Some(topic);
        }
        for Report { slot, result } in reports {
            match result {
                Ok(()) => {
                    self.window.acknowledge(slot);
                    acknowledged = true;
                }
                Err(failure) => failed.push((slot, failure)),
            }
        }
        let settled = acknowledged && self.transactions.is_none();
        let progress = settled && self.trouble.ends(self.window.first_unfinished(), &self.health);
        if !failed.is_empty() {
            self.send_again(&failed)?;
        }
        self.health.awaits(self.awaited(), progress);
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
        let again = if self.transactions.is_some() {
            self.abort()?
        } else {
            self.instruments.producer_rebuilds().inc();
            self.producer = new_producer(&self.config, &self.health)?;
            self.window.rewind()
        };
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
        self.instruments.records_sent_again().inc_by(u64::try_from(again).unwrap_or(u64::MAX));
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
        let settled = match &self.transactions {
            None => Slot(u64::MAX),
            Some(transactions) => transactions.from().unwrap_or(self.window.next_slot()),
        };
        while let Some(finished) = self.window.take_finished_before(settled) {
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
            let settled = match &self.transactions {
                None => !self.window.awaits(&withdrawal.partitions),
                Some(transactions) => transactions.from().is_none(),
            };
            if !settled && Instant::now() < withdrawal.deadline {
                self.open_withdrawals.push(withdrawal);
                continue;
            }
            if self.transactions.is_none() {
                self.reach(&self.window.progress(&withdrawal.partitions));
            }
            let answer = if settled { Withdrawn::Settled } else { Withdrawn::Late };
            // Whoever asked may have waited too long; then nobody listens.
            let _ = withdrawal.reply.send(answer);
        }
    }

    /// Says of which partitions that are held back nothing is left here.
    fn settle_held(&self) {
        let breaker = self.partitions.breaker();
        let settled = |of: &Partition| !self.window.has(*of);
        breaker.unsettled().into_iter().filter(settled).for_each(|of| breaker.settle(of));
    }

    fn reach(&self, progress: &[Progress]) {
        let mut positions = self.partitions.lock();
        for step in progress {
            positions.reach(step.partition, step.epoch, step.position);
        }
    }

    /// Records that were handed over and are not at their end.
    fn awaited(&self) -> usize {
        self.transactions.as_ref().map_or(self.window.waiting(), Transactions::records)
    }

    /// Stops the worker when the broker has not acknowledged the oldest record for too long.
    fn give_up(&mut self) -> Result<(), Stop> {
        let blocked = self.transactions.as_ref().is_some_and(Transactions::is_blocked);
        let blocked = blocked && !self.window.is_empty();
        if self.awaited() == 0 && !blocked && !self.trouble.is_paused() {
            self.trouble.since = None;
            return Ok(());
        }
        let waited = self.trouble.since.get_or_insert_with(Instant::now).elapsed();
        if let Some(topic) = &self.trouble.forbidden
            && waited >= self.settings.give_up.min(self.settings.deadlines.start)
        {
            let sentence = format!(
                "we may not write to the topic {topic}: grant Write on it to us; nothing is lost, \
                 a restart goes on from the last committed position"
            );
            return Err(Stop::new(ExitCode::NoPermission, sentence));
        }
        if waited < self.settings.give_up {
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

fn new_producer(config: &ClientConfig, health: &Arc<Health>) -> Result<Producer, Stop> {
    Producer::new(config, health).map_err(|error| {
        Stop::new(ExitCode::Configuration, format!("the Kafka settings are refused: {error}"))
    })
}
