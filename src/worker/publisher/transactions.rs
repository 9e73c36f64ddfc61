//! Exactly once: decisions and positions become visible together, one transaction after the other.
//!
//! A failure never leaves a transaction half done. It is aborted, and its records, which are still
//! in the window, are sent again in the next one. A commit that is not answered may have happened:
//! the producer is built anew under the same id, which makes the broker end the old transaction
//! either way and refuse what is still on the way from it; then the positions tell which way it
//! went. Whether we may commit at all is the group's to say: positions go with our membership, and
//! are refused once the partitions may be somebody else's.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    time::{Duration, Instant},
};

use rdkafka::types::RDKafkaErrorCode;

use super::{
    Publisher,
    producer::{Failure, Producer},
    transactional::{NotCommitted, NotReady},
};
use crate::{
    delivery::{Progress, Slot, Transaction, was_committed},
    stop::{ExitCode, Stop},
    telemetry::TransactionEnd,
    worker::{consumer::Group, settings::WorkerSettings},
};

/// One wait for a producer to become ready; withdrawals are served between two of them.
const READY_STEP: Duration = Duration::from_millis(500);

/// A transaction whose records are not acknowledged after this time may be broken.
const SILENCE: Duration = Duration::from_millis(500);

/// The transactions of one publisher.
pub(super) struct Transactions {
    group: Group,
    current: Transaction,
    /// The producer may begin transactions.
    ready: bool,
    /// The current one may be committed or not.
    in_doubt: bool,
    /// How long the broker is waited for when a transaction ends.
    wait: Duration,
    /// One that holds so many whole batches takes no more: half of what may be in flight, so that
    /// the other half is read and judged meanwhile, and nobody waits for what cannot come.
    batches_max: usize,
}

impl Transactions {
    /// None was begun yet, and the producer was just built.
    pub(super) fn new(settings: &WorkerSettings, group: Group) -> Self {
        Self {
            group,
            current: Transaction::new(settings.transaction),
            ready: false,
            in_doubt: false,
            wait: settings.kafka.commit_wait(),
            batches_max: (settings.batches_in_flight.get() / 2).max(1),
        }
    }

    /// Whether a record may be handed over.
    pub(super) fn take_more(&self) -> bool {
        self.ready && !self.in_doubt && self.current.takes_more(Instant::now())
    }

    /// Whether the current one ends as soon as all of it is acknowledged.
    pub(super) fn is_due(&self) -> bool {
        self.current.is_due(Instant::now())
    }

    /// Takes a record into the current transaction, or into a new one.
    pub(super) fn join(
        &mut self,
        producer: &Producer,
        slot: Slot,
        bytes: usize,
    ) -> Result<(), Failure> {
        if self.current.from().is_none() {
            producer.begin().map_err(Failure::Broken)?;
            self.current.open(slot, Instant::now());
        }
        self.current.add(bytes);
        Ok(())
    }

    /// The first record whose end is open; none when every record that was handed over is at its
    /// end.
    pub(super) fn from(&self) -> Option<Slot> {
        self.current.from()
    }

    /// Records of the current one.
    pub(super) fn records(&self) -> usize {
        self.current.records()
    }

    /// Whether something must happen at the broker before anything can be sent.
    pub(super) fn is_blocked(&self) -> bool {
        !self.ready || self.in_doubt
    }
}

/// A name for the transactions of one worker that no other worker ever has. Nothing but its
/// beginning is known beforehand, so that is what is granted.
pub(in crate::worker) fn new_id(group: &str) -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{group}-{:016x}{:016x}", random(), random())
}

impl Publisher {
    /// Does what the current transaction lacks, if delivery is exactly once.
    pub(super) fn settle(&mut self) -> Result<(), Stop> {
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        if !transactions.ready {
            return self.become_ready();
        }
        if transactions.in_doubt {
            self.resolve();
            return Ok(());
        }
        if !self.open_withdrawals.is_empty()
            || self.window.batches_handed_over() >= transactions.batches_max
        {
            transactions.current.close();
        }
        if transactions.is_due() && self.window.waiting() == 0 && self.unsent.is_empty() {
            return self.commit();
        }
        let silent = transactions.current.age(Instant::now()).is_some_and(|age| age >= SILENCE);
        match transactions.from() {
            Some(from) if silent && self.window.waiting() > 0 => self.look_after(from),
            _ => Ok(()),
        }
    }

    /// Looks whether the current transaction is still one that can be committed.
    fn look_after(&mut self, from: Slot) -> Result<(), Stop> {
        match self.producer.broken() {
            Some(code) => self.send_again(&[(from, Failure::Broken(code))]),
            None => Ok(()),
        }
    }

    /// Asks what broke the current transaction: the reports say only that its records went with it.
    fn learn_cause(&mut self) {
        let Some(code) = self.producer.broken() else { return };
        self.trouble.last = Some(Failure::Broken(code));
        if code == RDKafkaErrorCode::TopicAuthorizationFailed {
            let topics = &self.settings.topics;
            let written: Vec<&str> = topics.all().filter(|&topic| topic != topics.posts).collect();
            self.trouble.forbidden = Some(written.join(" or "));
        }
    }

    /// Aborts what is open at the end of the worker: nobody has to wait for its time to run out.
    pub(super) fn leave(&mut self) {
        if let Some(transactions) = &self.transactions
            && !transactions.is_blocked()
            && transactions.from().is_some()
        {
            self.producer.abort(transactions.wait);
            self.instruments.transactions(TransactionEnd::Aborted).inc();
        }
    }

    /// Aborts the current transaction; its records are to be sent again. Returns how many.
    pub(super) fn abort(&mut self) -> Result<usize, Stop> {
        let Some(transactions) = &self.transactions else { return Ok(0) };
        let (is_open, wait) = (transactions.from().is_some(), transactions.wait);
        if is_open {
            self.learn_cause();
        }
        if !is_open || !self.producer.abort(wait) {
            self.rebuild()?;
        }
        Ok(self.undo())
    }

    fn become_ready(&mut self) -> Result<(), Stop> {
        if self.trouble.pauses() {
            return Ok(());
        }
        match self.producer.become_ready(READY_STEP) {
            Ok(()) => {
                let transactions = self.transactions.as_mut().expect("delivery is exactly once");
                transactions.ready = true;
                Ok(())
            }
            Err(NotReady::Later) => Ok(()),
            Err(NotReady::Denied) => Err(denied(&self.settings.kafka.group)),
            Err(NotReady::Broken(code)) => {
                self.trouble.last = Some(Failure::Broken(code));
                self.trouble.pause();
                self.rebuild()
            }
        }
    }

    fn commit(&mut self) -> Result<(), Stop> {
        let Some(transactions) = &self.transactions else { return Ok(()) };
        let progress = self.progress();
        // First who we are, then whether it is still ours: in the other order a rebalance between
        // the two would let us commit for somebody else.
        let member = transactions.group.member();
        let (Some(member), true) = (member, self.held(&progress).len() == progress.len()) else {
            tracing::warn!(
                records = transactions.records(),
                "partitions were taken away: the transaction with their records is aborted"
            );
            return self.abort().map(drop);
        };
        let topic = &self.settings.topics.posts;
        match self.producer.commit(topic, &progress, &member, transactions.wait) {
            Ok(()) => self.committed(&progress),
            Err(NotCommitted::Refused(code)) => {
                tracing::warn!(%code, "a transaction was refused: its records are sent again");
                self.trouble.last = Some(Failure::Broken(code));
                self.trouble.pause();
                self.take_back()?;
            }
            Err(NotCommitted::Unanswered(code)) => {
                tracing::warn!(%code, "a commit was not answered: the positions will tell");
                self.trouble.last = Some(Failure::Broken(code));
                self.doubt()?;
            }
        }
        Ok(())
    }

    /// A commit was refused. A broker that died meanwhile may have carried it out all the same; then
    /// it does not let the transaction be aborted either.
    fn take_back(&mut self) -> Result<(), Stop> {
        let wait = self.transactions.as_ref().map(|transactions| transactions.wait);
        if wait.is_some_and(|wait| self.producer.abort(wait)) {
            self.undo();
            return Ok(());
        }
        self.doubt()
    }

    /// Nobody knows whether the current transaction was committed.
    fn doubt(&mut self) -> Result<(), Stop> {
        self.rebuild()?;
        if let Some(transactions) = &mut self.transactions {
            transactions.in_doubt = true;
        }
        Ok(())
    }

    /// Asks the positions what became of the transaction in doubt. The producer is ready, so the
    /// broker has ended it.
    fn resolve(&mut self) {
        if self.trouble.pauses() {
            return;
        }
        let Some(transactions) = &self.transactions else { return };
        let progress = self.progress();
        let held = self.held(&progress);
        if held.is_empty() {
            // Whoever owns the partitions now goes on where the broker's answer is.
            self.undo();
            return;
        }
        let asked = held.iter().map(|step| step.partition);
        match transactions.group.committed(asked, transactions.wait) {
            Ok(committed) if was_committed(&held, &committed) => {
                tracing::info!("the commit without an answer was one");
                self.committed(&progress);
            }
            Ok(_) => {
                tracing::info!("the commit without an answer was none: sending again");
                self.undo();
            }
            Err(error) => {
                tracing::warn!(%error, "the positions are not known yet");
                self.trouble.pause();
            }
        }
    }

    /// The current transaction is committed.
    fn committed(&mut self, progress: &[Progress]) {
        self.reach(progress);
        let Some(transactions) = &mut self.transactions else { return };
        transactions.in_doubt = false;
        if let Some(open) = transactions.current.end(Instant::now()) {
            self.instruments.transaction_duration().observe(open.as_secs_f64());
        }
        self.instruments.transactions(TransactionEnd::Committed).inc();
        let is_progress = self.trouble.ends(self.window.next_slot(), &self.health);
        self.health.awaits(0, is_progress);
    }

    /// The current transaction is no more: goes back to its first record.
    fn undo(&mut self) -> usize {
        let Some(transactions) = &mut self.transactions else { return 0 };
        transactions.in_doubt = false;
        self.unsent.clear();
        let Some(from) = transactions.current.from() else { return 0 };
        transactions.current.end(Instant::now());
        let again = self.window.rewind_to(from);
        self.instruments.transactions(TransactionEnd::Aborted).inc();
        again
    }

    /// A new producer with the same id takes the place of the present one.
    fn rebuild(&mut self) -> Result<(), Stop> {
        self.instruments.producer_rebuilds().inc();
        self.producer = super::new_producer(&self.config, &self.health)?;
        if let Some(transactions) = &mut self.transactions {
            transactions.ready = false;
        }
        Ok(())
    }

    /// How far the current transaction brings each partition.
    fn progress(&self) -> Vec<Progress> {
        let from = self.transactions.as_ref().and_then(Transactions::from);
        from.map_or_else(Vec::new, |from| self.window.progress_from(from))
    }

    /// Those of these partitions that are still ours.
    fn held(&self, progress: &[Progress]) -> Vec<Progress> {
        let positions = self.partitions.lock();
        let held = |step: &&Progress| positions.is_held(step.partition, step.epoch);
        progress.iter().filter(held).copied().collect()
    }
}

/// The sentence for a transactional id that is not granted.
pub(in crate::worker) fn denied(group: &str) -> Stop {
    Stop::new(
        ExitCode::NoPermission,
        format!(
            "we may not write transactions: grant the transactional ids that begin with {group}- \
             to us (Write and Describe), or set delivery: at_least_once"
        ),
    )
}
