//! `tidegate rules fmt`: one layout for rule, policy and list files.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::{
    exit::{Exit, Failure},
    report, sources,
};
use crate::{
    diagnostic::{Diagnostics, SourceFile},
    files::read_text,
    yaml::{format, format_list},
};

/// Deepest folder that is looked into below the one that was named.
const DEPTH_MAX: usize = 8;

#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    /// Files, or folders with files; nothing: the folder `rules`; -: standard input to standard output
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and end with 1 where there is one
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &FmtArgs) -> Result<Exit, Failure> {
    if args.files == [Path::new("-")] {
        return from_stdin();
    }
    let named =
        if args.files.is_empty() { vec![PathBuf::from("rules")] } else { args.files.clone() };
    let mut files = Vec::new();
    for path in &named {
        collect(path, 0, &mut files)?;
    }
    let (mut problems, mut changed) = (Diagnostics::default(), 0);
    for path in &files {
        let file = read_text(path).map_err(|error| sources::unreadable(&error))?;
        let Some(text) = laid_out(&file, &mut problems) else { continue };
        if text == file.text {
            continue;
        }
        changed += 1;
        anstream::println!("{}", path.display());
        if !args.check {
            let failed =
                |error: io::Error| Failure::new(Exit::Io, format!("{}: {error}", path.display()));
            replace(path, &text).map_err(failed)?;
        }
    }
    if problems.has_errors() {
        return Err(Failure::new(Exit::BadData, report::for_people(&problems)));
    }
    Ok(if args.check && changed > 0 { Exit::Findings } else { Exit::Done })
}

fn from_stdin() -> Result<Exit, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Failure::new(Exit::BadData, format!("standard input: {error}")))?;
    let file = Arc::new(SourceFile { path: "standard input".to_owned(), text });
    let mut problems = Diagnostics::default();
    let Some(text) = laid_out(&file, &mut problems) else {
        return Err(Failure::new(Exit::BadData, report::for_people(&problems)));
    };
    print!("{text}");
    Ok(Exit::Done)
}

/// A file in its layout; lists are no YAML.
fn laid_out(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<String> {
    let is_list = Path::new(&file.path).extension().is_some_and(|extension| extension == "txt");
    if is_list { Some(format_list(&file.text)) } else { format(file, out) }
}

/// The files of a folder that people write, hidden ones and corpora left out, sorted.
fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let failed =
        |error: io::Error| Failure::new(Exit::NoInput, format!("{}: {error}", path.display()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let written = entry.extension().is_some_and(|e| e == "yaml" || e == "txt");
        let hidden = name.starts_with('.') || name == "corpora";
        if !hidden && (written || entry.is_dir() && depth < DEPTH_MAX) {
            collect(&entry, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Puts a text in a file's place at once: a running worker never reads half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let fresh = path.with_file_name(format!(".{name}.fmt"));
    fs::write(&fresh, text)?;
    fs::set_permissions(&fresh, fs::metadata(path)?.permissions())?;
    fs::rename(&fresh, path)
}
