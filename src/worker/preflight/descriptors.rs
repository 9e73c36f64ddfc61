//! How many files and connections the system lets this process have open.

use rustix::process::{Resource, getrlimit};

use crate::stop::{ExitCode, Stop};

/// A worker has some thirty open with one broker, and two more for each further one. With fewer it
/// would start, lose a connection at some time, and never get another.
const NEEDED: u64 = 64;

/// Refuses a limit with which no worker can go on working.
pub(super) fn check() -> Result<(), Stop> {
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < NEEDED => Err(Stop::new(ExitCode::Configuration, too_few(limit))),
        _ => Ok(()),
    }
}

fn too_few(limit: u64) -> String {
    format!(
        "too few open files are allowed: {limit}, and a worker needs {NEEDED} at least; raise the \
         limit with `ulimit -n 1024` or `LimitNOFILE=1024`"
    )
}
