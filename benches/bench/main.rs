//! `make bench`: what a post costs, stage by stage, and the worker beside its peers.
//!
//! Everything is measured on one corpus, checks its answer first, and is compared only with what ran
//! in the same run: the figures of two machines, or of two days, say little about each other.

mod bare;
mod clock;
mod corpus;
mod engine;
mod matcher;
mod models;
mod report;
/// What the tests use too; the bench needs a part of it.
#[allow(dead_code)]
mod support;
mod workers;

use std::{env, path::Path};

use report::Report;

/// The one that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Posts of the corpus.
const POSTS: usize = 10_000;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--bare", brokers, input, output, group] = arguments[..] {
        bare::run(brokers, input, output, group);
    }
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let posts = corpus::posts(POSTS);
    if arguments.contains(&"once") {
        return engine::once(&posts, home);
    }
    if arguments.contains(&"rounds") {
        return engine::rounds(&posts, home);
    }
    let mut report = Report::default();
    // `cargo bench --bench bench -- engine` is for who works on the engine, `-- workers` for who
    // works on the worker, and above `-- once` for who counts instructions, `-- rounds` for who
    // compares two builds.
    if !arguments.contains(&"workers") {
        report.heading("One core, without JSON");
        report.figure("corpus", "corpus_bytes_mean", corpus::bytes_mean(&posts), "bytes/post");
        engine::measure(&posts, home, &mut report);
        report.heading("The models on one core");
        models::measure(&posts, home, &mut report);
        report.heading("The matcher on one core, by the number of keywords");
        matcher::measure(&posts, home, &mut report);
    }
    if !arguments.contains(&"engine") {
        report.heading("Workers on one broker, all on this machine");
        workers::measure(&posts, home, &mut report);
    }
    println!("{}", report.table());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target");
    report.write(&folder.join("bench.json")).expect("the target folder can be written");
}

/// Counts are far below where a float loses digits.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}
