//! `tidegate rules import`: word lists and rules of other tools become a pack that acts on nobody yet.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{
    PartArgs,
    exit::{Exit, Failure},
    sources,
};
use crate::{
    files::{RuleFolder, read_text},
    import::{Format, Imported, PackHead, import, pack},
    rules::{ListFiles, written_words},
};

/// Largest file that is imported, in bytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// What the files are
    #[arg(long, value_enum)]
    from: From,
    /// The files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The pack's name; otherwise the first file's
    #[arg(long, value_name = "NAME")]
    pack: Option<String>,
    /// The category of every rule
    #[arg(long, value_name = "CATEGORY")]
    category: String,
    /// The severity of every rule
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=4))]
    severity: u8,
    /// The status of every rule
    #[arg(long, value_enum, default_value = "shadow")]
    status: ImportStatus,
    /// Where the words are expected, such as en,zh
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',')]
    languages: Vec<String>,
    /// Where the pack goes; nothing: standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    parts: PartArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// One word or phrase a line
    Plain,
    /// A list of LDNOOBW, one word a line
    Ldnoobw,
    /// Watched words of Discourse, as CSV
    Discourse,
    /// Keyword rules of Reddit's `AutoModerator`
    Automod,
}

/// Imported rules act on nobody before somebody has written their tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ImportStatus {
    /// Only its own tests see it
    Draft,
    /// Posts are scanned, nothing follows
    Shadow,
}

pub(super) fn run(args: &ImportArgs) -> Result<Exit, Failure> {
    let format = match args.from {
        From::Plain | From::Ldnoobw => Format::Lines,
        From::Discourse => Format::Discourse,
        From::Automod => Format::Automod,
    };
    let mut imported = Imported::default();
    for path in &args.files {
        let file = read_text(path).map_err(|error| sources::unreadable(&error))?;
        if file.text.len() > FILE_BYTES_MAX {
            let message = format!("{}: {FILE_BYTES_MAX} bytes are allowed", path.display());
            return Err(Failure::new(Exit::BadData, message));
        }
        import(format, &file, &mut imported);
    }
    let known = known_entries(&args.parts)?;
    let repeated = imported.leave_out(&known);
    for note in &imported.notes {
        anstream::eprintln!("{note}");
    }
    if repeated > 0 {
        anstream::eprintln!("left out, for another rule has them or they repeat: {repeated}");
    }
    if imported.rules.is_empty() {
        return Err(Failure::new(Exit::BadData, "nothing is left to import"));
    }
    let head = PackHead {
        name: args.pack.clone().unwrap_or_else(|| name_of(&args.files[0])),
        category: args.category.clone(),
        severity: args.severity,
        status: if args.status == ImportStatus::Draft { "draft" } else { "shadow" },
        languages: args.languages.clone(),
    };
    let text = pack(&head, &imported);
    match &args.out {
        None => anstream::print!("{text}"),
        Some(path) => fs::write(path, text)
            .map_err(|error| Failure::new(Exit::Io, format!("{}: {error}", path.display())))?,
    }
    Ok(Exit::Done)
}

/// What the packs in force look for already, as bare words.
fn known_entries(parts: &PartArgs) -> Result<BTreeSet<String>, Failure> {
    let watched = sources::watched(parts)?;
    let folders = watched.read().map_err(|error| sources::unreadable(&error))?;
    let used: Vec<RuleFolder> =
        folders.into_iter().skip(usize::from(!watched.shipped_rules)).collect();
    let lists = ListFiles::new(used.iter().flat_map(|folder| folder.lists.clone()));
    let packs: Vec<_> = used.iter().flat_map(|folder| folder.packs.clone()).collect();
    Ok(written_words(&packs, &lists))
}

/// A pack's name made of a file's.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let letter = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(letter).take(60).collect();
    format!("imported-{}", name.trim_matches('-'))
}
