//! The CPU pool: judges chunks of records on every core, in any order.
//!
//! Chunks are numbered where they are cut, so that the publisher restores their order. Both
//! channels hold every chunk that can be in flight: a thread of the pool never waits to hand on.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use super::{
    health::Health,
    judge::{Judge, JudgeFactory, Judgement},
};
use crate::{
    delivery::Record,
    stop::{ExitCode, Stop},
    telemetry::{Instruments, Stage},
};

/// Most records of a chunk: small enough to spread one batch over the cores, large enough to fill
/// a micro-batch of the classifier.
pub(super) const CHUNK_RECORDS_MAX: usize = 64;

/// A part of a batch, to be judged.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Counted from 0 over the life of the worker, in the order of reading.
    pub(super) number: u64,
    /// At most [`CHUNK_RECORDS_MAX`].
    pub(super) records: Vec<Record>,
    /// Whether the batch ends here.
    pub(super) ends_batch: bool,
}

/// A chunk with a judgement for each of its records.
pub(super) struct JudgedChunk {
    pub(super) number: u64,
    pub(super) records: Vec<(Record, Judgement)>,
    pub(super) ends_batch: bool,
    pub(super) bundle: Arc<str>,
}

/// Cuts a batch into chunks and numbers them.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    next: u64,
}

impl Cutter {
    /// The chunks of a batch that is not empty.
    pub(super) fn cut(&mut self, records: Vec<Record>) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = Vec::with_capacity(records.len() / CHUNK_RECORDS_MAX + 1);
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let part = records.by_ref().take(CHUNK_RECORDS_MAX).collect();
            chunks.push(Chunk { number: self.next, records: part, ends_batch: false });
            self.next += 1;
        }
        if let Some(last) = chunks.last_mut() {
            last.ends_batch = true;
        }
        chunks
    }
}

/// One thread of the pool.
pub(super) struct PoolThread {
    pub(super) judges: Arc<dyn JudgeFactory>,
    pub(super) judge: Box<dyn Judge>,
    pub(super) generation: u64,
    pub(super) chunks: Receiver<Chunk>,
    pub(super) judged: Sender<JudgedChunk>,
    pub(super) health: Arc<Health>,
    pub(super) instruments: Arc<Instruments>,
}

impl PoolThread {
    /// Judges until no more chunks come.
    pub(super) fn run(mut self) -> Result<(), Stop> {
        while let Ok(chunk) = self.chunks.recv() {
            self.follow_bundle();
            let timer = self.instruments.stage(Stage::Judge).start_timer();
            let judged = judge_chunk(&mut *self.judge, chunk)?;
            timer.observe_duration();
            self.health.chunk_judged();
            if self.judged.send(judged).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Lets the judge follow when another bundle came into force; the old one stays where that fails.
    fn follow_bundle(&mut self) {
        let generation = self.judges.generation();
        if generation == self.generation {
            return;
        }
        self.generation = generation;
        if let Err(error) = self.judge.follow() {
            tracing::error!(%error, "the new bundle cannot judge: the old one stays");
        }
    }
}

fn judge_chunk(judge: &mut dyn Judge, chunk: Chunk) -> Result<JudgedChunk, Stop> {
    let judgements = judge.judge(&chunk.records);
    if judgements.len() != chunk.records.len() {
        let (got, want) = (judgements.len(), chunk.records.len());
        let sentence = format!("a judge gave {got} judgements for {want} records: this is a bug");
        return Err(Stop::new(ExitCode::Software, sentence));
    }
    Ok(JudgedChunk {
        number: chunk.number,
        records: chunk.records.into_iter().zip(judgements).collect(),
        ends_batch: chunk.ends_batch,
        bundle: judge.bundle(),
    })
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_RECORDS_MAX, Cutter};
    use crate::delivery::{Offset, Partition, Place, Positions, Record};

    #[test]
    fn a_batch_is_cut_without_loss_and_only_its_last_chunk_ends_it() {
        let epoch = Positions::default().assign(Partition(0));
        let record = |offset| Record {
            place: Place { partition: Partition(0), offset: Offset(offset), epoch },
            timestamp: None,
            key: None,
            value: None,
            headers: vec![],
        };
        let mut cutter = Cutter::default();
        for (batch, sizes) in [(130, vec![64, 64, 2]), (1, vec![1]), (64, vec![64])] {
            let chunks = cutter.cut((0..batch).map(record).collect());
            let lengths: Vec<_> = chunks.iter().map(|chunk| chunk.records.len()).collect();
            assert_eq!(lengths, sizes);
            assert!(lengths.iter().all(|&len| len <= CHUNK_RECORDS_MAX));
            let offsets = chunks.iter().flat_map(|c| c.records.iter().map(|r| r.place.offset.0));
            assert!(offsets.eq(0..batch));
            let ends: Vec<_> = chunks.iter().map(|chunk| chunk.ends_batch).collect();
            assert!(ends.iter().rev().skip(1).all(|&end| !end) && ends.last() == Some(&true));
        }
        assert_eq!(cutter.next, 5, "numbered without gaps over batches");
    }
}
