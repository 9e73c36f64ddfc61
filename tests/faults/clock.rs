//! A clock that a worker asks in the place of the machine's own: it can be set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The time of day as one worker sees it. Time that passes is measured by another clock, which stays
/// true.
pub(crate) struct Clock {
    shim: PathBuf,
    offset: PathBuf,
}

impl Clock {
    /// A clock that is right, kept in this folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let clock = Self { shim: folder.join("clock.so"), offset: folder.join("clock") };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/clock.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([&clock.shim, &source])
            .arg("-ldl")
            .status()
            .unwrap_or_else(|error| panic!("a C compiler is needed (make setup): {error}"));
        assert!(built.success(), "{} does not compile", source.display());
        clock.shows(0);
        clock
    }

    /// Sets the clock so many days before or behind the right time.
    pub(crate) fn shows(&self, days: i64) {
        let seconds = (days * 24 * 60 * 60).to_string();
        // Whoever asks meanwhile must not read half a number.
        let next = self.offset.with_extension("next");
        fs::write(&next, seconds).expect("the scratch folder can be written");
        fs::rename(next, &self.offset).expect("the scratch folder can be written");
    }

    /// Has a command ask this clock.
    pub(crate) fn is_asked_by(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.shim).env("CLOCK_OFFSET_FILE", &self.offset);
    }
}
