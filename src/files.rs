//! Reads the folders that hold rules, policies and models. The only place, beside the configuration,
//! that touches the disk for them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::diagnostic::SourceFile;

/// Largest file that is read, in bytes; larger ones are no rule files.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The file of a rules folder that weakens rules for a while.
pub const EMERGENCY: &str = "emergency.yaml";
/// Most files of one folder.
const FILES_MAX: usize = 10_000;

/// One rules folder as it was read: the shipped one, or an overlay.
#[derive(Debug, Default)]
pub struct RuleFolder {
    /// Where it lies; paths in hashes and lists are relative to it.
    pub root: PathBuf,
    /// `bundle.yaml`.
    pub bundle: Option<Arc<SourceFile>>,
    /// `taxonomy.yaml`.
    pub taxonomy: Option<Arc<SourceFile>>,
    /// `packs/*.yaml` and `packs/<language>/*.yaml`.
    pub packs: Vec<Arc<SourceFile>>,
    /// `lists/*`.
    pub lists: Vec<Arc<SourceFile>>,
    /// `policies/*.yaml`.
    pub policies: Vec<Arc<SourceFile>>,
    /// `corpora/*.txt`.
    pub corpora: Vec<Arc<SourceFile>>,
    /// What lies in it and would be left out in silence, as paths.
    pub strange: Vec<String>,
}

/// A folder or file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct ReadError {
    /// What was to be read.
    pub path: PathBuf,
    /// Why it was not.
    pub reason: String,
}

impl RuleFolder {
    /// Reads a rules folder; a missing part is empty, a missing folder an error.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        if !folder.is_dir() {
            return Err(failed(folder, "there is no such folder"));
        }
        Ok(Self {
            root: folder.to_owned(),
            bundle: read_optional(&folder.join("bundle.yaml"))?,
            taxonomy: read_optional(&folder.join("taxonomy.yaml"))?,
            packs: read_packs(&folder.join("packs"))?,
            lists: read_all(&folder.join("lists"), None)?,
            policies: read_all(&folder.join("policies"), Some("yaml"))?,
            corpora: read_all(&folder.join("corpora"), Some("txt"))?,
            strange: strange(folder)?,
        })
    }

    /// The same; a folder with nothing in it that a bundle could be made of is an error too.
    pub fn read_filled(folder: &Path) -> Result<Self, ReadError> {
        let read = Self::read(folder)?;
        if read.is_empty() {
            let reason =
                "nothing to load; a rules folder has packs/, policies/ or bundle.yaml in it";
            return Err(failed(folder, reason));
        }
        Ok(read)
    }

    /// The files that decide, corpora left out, sorted by path.
    pub fn deciding(&self) -> Vec<&Arc<SourceFile>> {
        let single = self.bundle.iter().chain(&self.taxonomy);
        let many = self.packs.iter().chain(&self.lists).chain(&self.policies);
        let mut files: Vec<_> = single.chain(many).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// A file's path below the folder.
    pub fn relative<'f>(&self, file: &'f SourceFile) -> &'f str {
        let root = self.root.display().to_string();
        file.path.strip_prefix(&root).unwrap_or(&file.path).trim_start_matches('/')
    }

    /// Whether there is nothing in it that a bundle could be made of.
    pub fn is_empty(&self) -> bool {
        self.deciding().is_empty()
    }
}

/// Names that a rules folder may hold.
const KNOWN: [&str; 8] = [
    "bundle.yaml",
    "taxonomy.yaml",
    "packs",
    "lists",
    "policies",
    "corpora",
    EMERGENCY,
    "README.md",
];

/// Files and folders with names that nobody looks for: a mistyped one must not be ignored.
fn strange(folder: &Path) -> Result<Vec<String>, ReadError> {
    let mut strange: Vec<PathBuf> = entries(folder)?
        .into_iter()
        .filter(|path| !path.file_name().is_some_and(|n| KNOWN.iter().any(|known| n == *known)))
        .collect();
    strange.extend(others(&folder.join("policies"), "yaml")?);
    strange.extend(others(&folder.join("corpora"), "txt")?);
    let packs = pack_folders(&folder.join("packs"))?;
    for part in &packs {
        strange.extend(others(part, "yaml")?.into_iter().filter(|path| !packs.contains(path)));
    }
    Ok(strange.iter().map(|path| path.display().to_string()).collect())
}

/// The entries of a folder, if it is there, without this extension.
fn others(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, ReadError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let other = |path: &PathBuf| path.extension().is_none_or(|e| e != extension);
    Ok(entries(folder)?.into_iter().filter(other).collect())
}

/// The entries of a folder, hidden ones left out, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let explain = |error: io::Error| failed(folder, &error.to_string());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(explain)? {
        let path = entry.map_err(explain)?.path();
        if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads the emergency file of a rules folder, if it has one; it is no part of the bundle.
pub fn read_emergency(folder: &Path) -> Result<Option<Arc<SourceFile>>, ReadError> {
    if !folder.is_dir() {
        return Err(failed(folder, "there is no such folder"));
    }
    let path = folder.join(EMERGENCY);
    // A link to nowhere is there and cannot be read: it must not count as an empty file.
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => read_text(&path).map(Some),
    }
}

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<Arc<SourceFile>, ReadError> {
    let bytes = read_bytes(path)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        failed(path, &format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok(Arc::new(SourceFile { path: path.display().to_string(), text }))
}

/// Reads a file of any kind, within the limit.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let explain = |error: io::Error| failed(path, &error.to_string());
    let size = fs::metadata(path).map_err(explain)?.len();
    if size > FILE_BYTES_MAX {
        return Err(failed(path, &format!("{size} bytes, {FILE_BYTES_MAX} are allowed")));
    }
    fs::read(path).map_err(explain)
}

fn read_optional(path: &Path) -> Result<Option<Arc<SourceFile>>, ReadError> {
    if path.exists() { read_text(path).map(Some) } else { Ok(None) }
}

/// The packs of the folder itself, then those of each folder in it, such as one for a language.
fn read_packs(folder: &Path) -> Result<Vec<Arc<SourceFile>>, ReadError> {
    let mut packs = Vec::new();
    for part in pack_folders(folder)? {
        packs.extend(read_all(&part, Some("yaml"))?);
    }
    Ok(packs)
}

/// `packs` and the folders in it; none deeper.
fn pack_folders(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let mut folders = vec![folder.to_owned()];
    if folder.is_dir() {
        folders.extend(entries(folder)?.into_iter().filter(|path| path.is_dir()));
    }
    Ok(folders)
}

/// The files of a folder with this extension, hidden ones left out, sorted by name.
fn read_all(folder: &Path, extension: Option<&str>) -> Result<Vec<Arc<SourceFile>>, ReadError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let fits = |path: &PathBuf| {
        extension.is_none_or(|wanted| path.extension().is_some_and(|e| e == wanted))
    };
    let paths: Vec<PathBuf> =
        entries(folder)?.into_iter().filter(|path| fits(path) && path.is_file()).collect();
    if paths.len() > FILES_MAX {
        return Err(failed(folder, &format!("{} files, {FILES_MAX} are allowed", paths.len())));
    }
    paths.iter().map(|path| read_text(path)).collect()
}

fn failed(path: &Path, reason: &str) -> ReadError {
    ReadError { path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_lie_in_folders_of_their_own_and_nothing_is_passed_over_in_silence() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let files =
            ["packs/hate.yaml", "packs/es/hate.yaml", "packs/es/spam.yml", "packs/x/y/z.yaml"];
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
            fs::write(path, "pack: x\n").expect("it is writable");
        }
        let read = RuleFolder::read(folder.path()).expect("it is readable");
        let packs: Vec<&str> = read.packs.iter().map(|file| read.relative(file)).collect();
        assert_eq!(packs, ["packs/hate.yaml", "packs/es/hate.yaml"]);
        let root = folder.path().display().to_string();
        let strange: Vec<&str> =
            read.strange.iter().map(|path| path.strip_prefix(&root).expect("below it")).collect();
        assert_eq!(strange, ["/packs/es/spam.yml", "/packs/x/y"]);
    }
}
