//! Whether files have changed, told by looking at them.
//!
//! Looking is the whole method: nothing is asked of the system's notifications. Those miss what comes
//! over a network or through another mount, lose the file that an editor renames over, and stay with
//! the old folder when Kubernetes swaps the `..data` link of a mounted volume. A look follows links
//! and takes identity, size and both times of each file; some hundred files cost about a millisecond.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::hash::ValueHasher;

/// Most files and folders of one look: what is beyond is no rules folder.
const ENTRIES_MAX: usize = 50_000;
/// Deepest folder below a root; links in a circle end here.
const DEPTH_MAX: usize = 6;

/// What files looked like at one moment. Equal ones mean that nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Looks at files and folders; what is not there, or cannot be read, is a look as well. Hidden
    /// files, and those with the name `ignored` directly in a root, do not count.
    pub(super) fn of(roots: &[PathBuf], ignored: Option<&str>) -> Self {
        let mut look = Look { hasher: ValueHasher::default(), entries: 0 };
        for root in roots {
            look.at(root, 0, ignored);
        }
        Self(look.hasher.short())
    }
}

struct Look {
    hasher: ValueHasher,
    entries: usize,
}

impl Look {
    fn at(&mut self, path: &Path, depth: usize, ignored: Option<&str>) {
        self.entries += 1;
        self.text(&path.display().to_string());
        match fs::metadata(path) {
            Err(error) => self.text(&error.kind().to_string()),
            Ok(metadata) if metadata.is_dir() => {
                self.text("folder");
                if depth < DEPTH_MAX && self.entries < ENTRIES_MAX {
                    self.inside(path, depth, ignored);
                }
            }
            Ok(metadata) => {
                // The time of the last change of the inode also tells a file that was put in
                // another's place with its old times kept.
                let times = [
                    metadata.mtime(),
                    metadata.mtime_nsec(),
                    metadata.ctime(),
                    metadata.ctime_nsec(),
                ];
                let numbers = [metadata.dev(), metadata.ino(), metadata.len()];
                let times = times.map(i64::cast_unsigned);
                for number in numbers.into_iter().chain(times) {
                    self.hasher = std::mem::take(&mut self.hasher).integer(number);
                }
            }
        }
    }

    fn inside(&mut self, folder: &Path, depth: usize, ignored: Option<&str>) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.text(&error.kind().to_string()),
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|p| counts(p))
            .collect();
        paths.sort();
        for path in paths {
            let is_ignored =
                ignored.is_some_and(|name| path.file_name().is_some_and(|n| n == name));
            if !is_ignored {
                self.at(&path, depth + 1, None);
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.hasher = std::mem::take(&mut self.hasher).bytes(text);
    }
}

/// Hidden files are those of editors, and Kubernetes' own links behind the visible ones.
fn counts(path: &Path) -> bool {
    !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    type Change = (&'static str, bool, fn(&Path));

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("it has one")).expect("it is writable");
        fs::write(path, text).expect("it is writable");
    }

    /// A folder as Kubernetes mounts one: visible links over `..data`, which is a link itself.
    fn volume(folder: &Path, release: &str) {
        write(&folder.join(release).join("bundle.yaml"), "regions: [DE]");
        let data = folder.join("..data");
        let fresh = folder.join("..data_tmp");
        symlink(release, &fresh).expect("it is writable");
        fs::rename(&fresh, &data).expect("a link can be put over another");
        if !folder.join("bundle.yaml").exists() {
            symlink("..data/bundle.yaml", folder.join("bundle.yaml")).expect("it is writable");
        }
    }

    #[test]
    fn every_way_to_change_a_file_is_seen_and_what_is_no_change_is_not() {
        let changes: &[Change] = &[
            ("nothing", false, |_| {}),
            ("the same size", true, |f| write(&f.join("packs/a.yaml"), "pack: b")),
            ("a new file", true, |f| write(&f.join("packs/new.yaml"), "pack: new")),
            ("a removed file", true, |f| fs::remove_file(f.join("packs/a.yaml")).expect("there")),
            ("renamed over", true, |f| {
                write(&f.join(".a.yaml.swp"), "pack: a");
                fs::rename(f.join(".a.yaml.swp"), f.join("packs/a.yaml")).expect("it is writable");
            }),
            ("a hidden file", false, |f| write(&f.join("packs/.a.yaml.swp"), "pack")),
            ("the ignored file", false, |f| write(&f.join("emergency.yaml"), "overrides: []")),
            ("the folder is gone", true, |f| fs::remove_dir_all(f).expect("it is there")),
            ("another release is linked", true, |f| volume(f, "..2026_2")),
        ];
        for (name, differs, change) in changes {
            let scratch = tempfile::tempdir().expect("a scratch folder");
            let root = scratch.path().join("rules");
            write(&root.join("packs/a.yaml"), "pack: a");
            volume(&root, "..2026_1");
            let look = || Fingerprint::of(std::slice::from_ref(&root), Some("emergency.yaml"));
            let before = look();
            change(&root);
            assert_eq!(look() != before, *differs, "{name}");
        }
    }

    #[test]
    fn links_in_a_circle_end() {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        symlink(scratch.path(), scratch.path().join("again")).expect("it is writable");
        let root = [scratch.path().to_owned()];
        assert_eq!(Fingerprint::of(&root, None), Fingerprint::of(&root, None));
    }
}
