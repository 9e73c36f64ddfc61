//! Arguments in, exit code out.

use std::{panic, process::ExitCode};

use clap::Parser;
use tidegate::cli::{Cli, Exit};

/// Posts are many small texts: this allocator takes a tenth off the cost of one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A panic's own words may quote the text of a post; its place says enough.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("tidegate: a bug: panic at {place}");
    }));
    match panic::catch_unwind(|| Cli::parse().run()) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => {
            anstream::eprintln!("tidegate: {failure}");
            failure.exit.into()
        }
        Err(_) => Exit::Internal.into(),
    }
}
