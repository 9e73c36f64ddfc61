//! Arguments in, exit code out.

use std::{
    io::{self, Write as _},
    panic,
    process::ExitCode,
};

use clap::Parser;
use tidegate::cli::{Cli, Exit};

/// Posts are many small texts: this allocator takes a tenth off the cost of one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A panic's own words may quote the text of a post; its place says enough.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        // A log that takes nothing must not make a caught panic the end of the process.
        let _ = writeln!(io::stderr(), "tidegate: a bug: panic at {place}");
    }));
    match panic::catch_unwind(|| Cli::parse().run()) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => {
            // Who cannot be told still gets the exit code.
            let _ = writeln!(anstream::stderr(), "tidegate: {failure}");
            failure.exit.into()
        }
        Err(_) => Exit::Internal.into(),
    }
}
