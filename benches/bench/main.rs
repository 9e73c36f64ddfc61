//! `make bench`: what a post costs, stage by stage, and the worker beside its peers.
//!
//! Everything is measured on one corpus, checks its answer first, and is compared only with what ran
//! in the same run: the figures of two machines, or of two days, say little about each other.

mod clock;
mod corpus;
mod engine;
mod report;

use std::{env, path::Path};

use report::Report;

/// Posts of the corpus that one core is measured on.
const ENGINE_POSTS: usize = 10_000;

fn main() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let posts = corpus::posts(ENGINE_POSTS);
    let mut report = Report::default();
    report.heading("One core");
    report.figure("corpus", "corpus_bytes_mean", corpus::bytes_mean(&posts), "bytes/post");
    engine::measure(&posts, home, &mut report);
    println!("{}", report.table());
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| home.join("target"), Into::into);
    report.write(&target.join("bench.json")).expect("the target folder can be written");
}

/// Counts are far below where a float loses digits.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}
