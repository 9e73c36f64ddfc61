//! The partitions a worker holds, shared between the thread that reads and the one that publishes.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::breaker::Breaker;
use crate::{
    config::BreakerSettings,
    delivery::{Epoch, Partition, Position, Positions},
};

/// The publisher is asked to bring some partitions to their end.
#[derive(Debug)]
pub(super) struct Withdrawal {
    /// Which partitions; they are closed already.
    pub(super) partitions: BTreeSet<Partition>,
    /// When to answer even if the broker has not.
    pub(super) deadline: Instant,
    /// The answer.
    pub(super) reply: Sender<Withdrawn>,
}

/// How a withdrawal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Withdrawn {
    /// Everything that was handed over is acknowledged, and the positions say so.
    Settled,
    /// The deadline came first: the next owner reads some records again.
    Late,
}

/// The held partitions and the way to have them brought to their end.
#[derive(Debug)]
pub(super) struct Partitions {
    positions: Mutex<Positions>,
    withdrawals: Sender<Withdrawal>,
    breaker: Breaker,
}

impl Partitions {
    /// No partition yet; the publisher takes the withdrawals.
    pub(super) fn new(breaker: BreakerSettings) -> (Self, Receiver<Withdrawal>) {
        // One rebalance or shutdown at a time, each served before the next begins.
        let (withdrawals, served) = bounded(4);
        let breaker = Breaker::new(breaker);
        (Self { positions: Mutex::default(), withdrawals, breaker }, served)
    }

    /// What holds partitions back that yield only dead letters.
    pub(super) fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// The positions, for a short while.
    pub(super) fn lock(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().expect("no thread panics while it holds positions")
    }

    /// Holds a partition under a new epoch.
    pub(super) fn assign(&self, partition: Partition) -> Epoch {
        self.lock().assign(partition)
    }

    /// Stops handing over records of `partitions` and waits for those that were handed over.
    pub(super) fn withdraw(&self, partitions: BTreeSet<Partition>, deadline: Instant) -> Withdrawn {
        for &partition in &partitions {
            self.lock().close(partition);
        }
        let (reply, answer) = bounded(1);
        let withdrawal = Withdrawal { partitions, deadline, reply };
        if self.withdrawals.send_deadline(withdrawal, deadline).is_err() {
            return Withdrawn::Late;
        }
        // The publisher answers at the deadline at the latest, unless it is gone.
        let grace = std::time::Duration::from_secs(1);
        match answer.recv_deadline(deadline + grace) {
            Ok(withdrawn) => withdrawn,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Withdrawn::Late,
        }
    }

    /// The positions that rose since they were last asked for.
    pub(super) fn risen(&self) -> Vec<(Partition, Position)> {
        self.lock().take()
    }

    /// Forgets partitions: later reports about them count for nothing.
    pub(super) fn revoke(&self, partitions: impl IntoIterator<Item = Partition>) {
        let mut positions = self.lock();
        for partition in partitions {
            positions.revoke(partition);
            self.breaker.forget(partition);
        }
    }
}
