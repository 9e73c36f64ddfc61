//! The last bundles on disk, and the rollback to one of them.
//!
//! ```text
//! <state>/bundles/<hash>.json       a manifest for each bundle
//! <state>/bundles/files/<blake3>    deciding files, once each, however many bundles share them
//! <state>/bundles/in-force.json     which is in force
//! <state>/rollback.json             which is to be, while a rollback holds
//! ```
//!
//! Every file is written whole or not at all. What is read back is checked against its hash and
//! refused with a sentence where it differs; a store that cannot be written costs the history and
//! nothing else.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::kept::{FORMAT, Kept, KeptLayer, Left, Pin, Why, folder, in_order};
use crate::files::{RuleFolder, read_text};

/// How many bundles are kept, the one in force among them.
pub const BUNDLES_MAX: usize = 20;
/// How long to wait for another process that writes, in turns of [`LOCK_PAUSE`].
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Bundles kept below a state folder.
#[derive(Debug, Clone)]
pub struct Store {
    state: PathBuf,
}

/// The store, or something in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it was when it was written.
    #[error("{}: {what}; it was written by another version, or damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// No kept bundle has this hash.
    #[error("no kept bundle begins with `{0}`; `tidegate bundle list` shows them")]
    Unknown(String),
    /// More than one has.
    #[error("`{0}` is the beginning of {1} kept bundles; say more of the hash")]
    Ambiguous(String, usize),
    /// Another process holds the store.
    #[error("{}: another process is writing there", .0.display())]
    Busy(PathBuf),
}

#[derive(Serialize, Deserialize)]
struct InForce {
    bundle: String,
}

impl Store {
    /// The store below this folder; nothing is read or written yet.
    pub fn below(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    /// The file that holds a rollback.
    pub fn pin_path(&self) -> PathBuf {
        self.state.join("rollback.json")
    }

    /// The rollback that holds, if one does.
    pub fn pin(&self) -> Result<Option<Pin>, StoreError> {
        let pin: Option<Pin> = read_json(&self.pin_path())?;
        match pin {
            Some(pin) if !is_hash(&pin.bundle) => {
                Err(damaged(&self.pin_path(), "it names no bundle's hash"))
            }
            pin => Ok(pin),
        }
    }

    /// Rolls back to a bundle.
    pub fn set_pin(&self, pin: &Pin) -> Result<(), StoreError> {
        write_json(&self.pin_path(), pin)
    }

    /// Ends a rollback; whether there was one.
    pub fn release(&self) -> Result<bool, StoreError> {
        match fs::remove_file(self.pin_path()) {
            Ok(()) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(source) => Err(StoreError::Io { path: self.pin_path(), source }),
        }
    }

    /// Keeps a bundle that came into force, and says how the one before it left.
    pub(super) fn keep(
        &self,
        mut kept: Kept,
        folders: &[RuleFolder],
        left: Option<(&str, Why)>,
    ) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        if let Ok(Some(before)) = self.manifest(&kept.hash) {
            kept.first_in_force = before.first_in_force;
        }
        for (layer, folder) in kept.layers.iter().zip(folders) {
            for (file, source) in layer.files.iter().zip(in_order(folder)) {
                self.keep_file(&file.blake3, &source.text)?;
            }
        }
        write_json(&self.manifest_path(&kept.hash), &kept)?;
        write_json(&self.in_force_path(), &InForce { bundle: kept.hash.clone() })?;
        if let Some((hash, why)) = left.filter(|(hash, _)| *hash != kept.hash)
            && let Ok(Some(old)) = self.manifest(hash)
        {
            let left = Some(Left { at: kept.last_in_force, why });
            write_json(&self.manifest_path(hash), &Kept { left, ..old })?;
        }
        self.prune(&kept.hash)
    }

    /// Every kept bundle, the latest in force first, and the names of manifests that are damaged.
    pub fn list(&self) -> Result<(Vec<Kept>, Vec<StoreError>), StoreError> {
        let (mut list, mut broken) = (Vec::new(), Vec::new());
        for hash in self.hashes()? {
            match self.manifest(&hash) {
                Ok(kept) => list.extend(kept),
                Err(error) => broken.push(error),
            }
        }
        list.sort_by(|a: &Kept, b| (b.last_in_force, &b.hash).cmp(&(a.last_in_force, &a.hash)));
        Ok((list, broken))
    }

    /// The hash of the bundle that a worker put in force last.
    pub fn in_force(&self) -> Result<Option<String>, StoreError> {
        Ok(read_json::<InForce>(&self.in_force_path())?.map(|in_force| in_force.bundle))
    }

    /// The one kept bundle whose hash begins so.
    pub fn find(&self, prefix: &str) -> Result<Kept, StoreError> {
        let unknown = || StoreError::Unknown(prefix.to_owned());
        let hashes = self.hashes()?;
        let fitting: Vec<&String> =
            hashes.iter().filter(|hash| !prefix.is_empty() && hash.starts_with(prefix)).collect();
        match fitting[..] {
            [] => Err(unknown()),
            [hash] => self.manifest(hash)?.ok_or_else(unknown),
            _ => Err(StoreError::Ambiguous(prefix.to_owned(), fitting.len())),
        }
    }

    /// The rules folders of a kept bundle as they were when it was loaded.
    pub fn folders(&self, kept: &Kept) -> Result<Vec<RuleFolder>, StoreError> {
        let restore = |layer: &KeptLayer| {
            let texts: Vec<String> =
                layer.files.iter().map(|file| self.text(&file.blake3)).collect::<Result<_, _>>()?;
            let strange = || damaged(&self.manifest_path(&kept.hash), "it lists a strange path");
            folder(layer, texts).ok_or_else(strange)
        };
        kept.layers.iter().map(restore).collect()
    }

    fn bundles(&self) -> PathBuf {
        self.state.join("bundles")
    }

    fn manifest_path(&self, hash: &str) -> PathBuf {
        self.bundles().join(format!("{hash}.json"))
    }

    fn in_force_path(&self) -> PathBuf {
        self.bundles().join("in-force.json")
    }

    fn file_path(&self, hash: &str) -> PathBuf {
        self.bundles().join("files").join(hash)
    }

    /// The hashes of every manifest.
    fn hashes(&self) -> Result<Vec<String>, StoreError> {
        let names = names(&self.bundles())?;
        let hash = |name: String| name.strip_suffix(".json").map(str::to_owned);
        Ok(names.into_iter().filter_map(hash).filter(|hash| is_hash(hash)).collect())
    }

    fn manifest(&self, hash: &str) -> Result<Option<Kept>, StoreError> {
        let path = self.manifest_path(hash);
        let kept: Option<Kept> = read_json(&path)?;
        match kept {
            Some(kept) if kept.format != FORMAT || kept.hash != hash => {
                Err(damaged(&path, "it is not the manifest that its name says"))
            }
            kept => Ok(kept),
        }
    }

    fn text(&self, hash: &str) -> Result<String, StoreError> {
        let path = self.file_path(hash);
        if !is_hash(hash) {
            return Err(damaged(&path, "a kept file has a hash for its name"));
        }
        let read = read_text(&path).map_err(|error| damaged(&path, &error.reason))?;
        if blake3::hash(read.text.as_bytes()).to_hex().as_str() != hash {
            return Err(damaged(&path, "its content is not what its name says"));
        }
        Ok(read.text.clone())
    }

    /// Writes a file unless it is there and whole.
    fn keep_file(&self, hash: &str, text: &str) -> Result<(), StoreError> {
        if self.text(hash).is_ok() {
            return Ok(());
        }
        write(&self.file_path(hash), text.as_bytes())
    }

    /// Forgets all but the last bundles; the one in force and the one of a rollback stay.
    fn prune(&self, in_force: &str) -> Result<(), StoreError> {
        let pinned = self.pin().ok().flatten().map(|pin| pin.bundle);
        let (list, broken) = self.list()?;
        let stays = |(place, kept): &(usize, Kept)| {
            *place < BUNDLES_MAX || kept.hash == in_force || Some(&kept.hash) == pinned.as_ref()
        };
        let (stay, go): (Vec<_>, Vec<_>) = list.into_iter().enumerate().partition(stays);
        for (_, kept) in go {
            remove(&self.manifest_path(&kept.hash))?;
        }
        if !broken.is_empty() {
            // Which files a damaged manifest names is not known: they stay.
            return Ok(());
        }
        let files = stay.iter().flat_map(|(_, kept)| kept.layers.iter().flat_map(|l| &l.files));
        let named: BTreeSet<&str> = files.map(|file| file.blake3.as_str()).collect();
        let folder = self.bundles().join("files");
        for name in names(&folder)?.into_iter().filter(|name| !named.contains(name.as_str())) {
            remove(&folder.join(name))?;
        }
        Ok(())
    }

    /// Keeps other processes from writing as long as the file lives.
    fn lock(&self) -> Result<File, StoreError> {
        let path = self.bundles().join("lock");
        let io = |source| StoreError::Io { path: path.clone(), source };
        fs::create_dir_all(self.bundles().join("files")).map_err(io)?;
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Err(fs::TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                // Not every file system has locks; a single worker does without.
                Ok(()) | Err(fs::TryLockError::Error(_)) => return Ok(file),
            }
        }
        Err(StoreError::Busy(path))
    }
}

/// Whether a text can be the name of a kept file: nothing else may become a part of a path.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The names in a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let io = |source| StoreError::Io { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        entries => entries.map_err(io)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(io)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Whether there is nothing at a path, which a file in the place of its folder means too.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_file(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    match fs::symlink_metadata(path) {
        Err(error) if is_absent(&error) => return Ok(None),
        Err(source) => return Err(StoreError::Io { path: path.to_owned(), source }),
        Ok(_) => {}
    }
    let text = read_text(path).map_err(|error| damaged(path, &error.reason))?;
    let value = serde_json::from_str(&text.text);
    value.map(Some).map_err(|error| damaged(path, &error.to_string()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec_pretty(value).expect("plain values serialise");
    text.push(b'\n');
    write(path, &text)
}

/// Writes a file beside its place and puts it there: readers find the old one or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    let folder = path.parent().expect("every file of the store lies in a folder");
    fs::create_dir_all(folder).map_err(io)?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let fresh = folder.join(format!(".{}-{number}.tmp", std::process::id()));
    let written = File::create(&fresh)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&fresh, path));
    written.map_err(|error| {
        // What is left of it is in nobody's way; the first error is the one to tell.
        let _ = fs::remove_file(&fresh);
        io(error)
    })
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), what: what.to_owned() }
}
