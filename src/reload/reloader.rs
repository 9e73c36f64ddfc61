//! The thread that keeps the bundle in force at what its files say.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    Hangup, Settings,
    fingerprint::Fingerprint,
    kept::{Kept, Pin, Why},
    settle::Settle,
    status::{Pinned, Refused, Status, overrides_view},
    store::{Store, StoreError},
    watched::{Watched, read_overrides},
};
use crate::{
    bundle::{Bundle, Live, Loaded, ModelSource, Report, Sources, load},
    classify::Model,
    diagnostic::{Diagnostic, Diagnostics},
    files::{ReadError, RuleFolder},
    overrides::KnownRules,
    telemetry::{Instruments, Reload},
};

/// How often the thread looks whether it is told to end or to reload.
const TICK: Duration = Duration::from_millis(100);

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A rules folder cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A gate did not let it pass.
    #[error("the bundle was refused")]
    Bundle(Diagnostics),
    /// What was kept cannot be used.
    #[error("the rollback cannot be followed: {0}")]
    Store(#[from] StoreError),
    /// A kept bundle needs models that are not there.
    #[error("the kept bundle was decided with {0}, which is not what lies in the models folder")]
    OtherModel(String),
}

/// A bundle in force with everything that is needed to follow its files.
pub struct Reloader {
    watched: Watched,
    settings: Settings,
    store: Store,
    live: Arc<Live>,
    status: Arc<Status>,
    instruments: Arc<Instruments>,
    started: Instant,
    next_look: Duration,
    bundle_files: Settle,
    emergency_files: Settle,
    pin: Option<Pin>,
    /// What the files looked like when the rollback came into force.
    pinned_look: Fingerprint,
}

/// A running thread; it ends when this is dropped, after what it is doing.
#[derive(Debug)]
pub struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A bundle that has passed every gate.
struct Candidate {
    loaded: Loaded,
    folders: Vec<RuleFolder>,
    shipped_rules: bool,
}

/// What became of an attempt to build one.
enum Attempt {
    /// It may come into force.
    Ready(Box<Candidate>),
    /// The rollback holds, and its bundle is in force.
    Held,
    /// The files changed while they were read; they are read again once they are left alone.
    Restless,
}

impl Reloader {
    /// Loads the bundle: the one that a rollback names, else what the folders hold. Emergency files
    /// are read too; a wrong one is reported and stands in nobody's way.
    pub fn open(
        watched: Watched,
        settings: Settings,
        instruments: Arc<Instruments>,
    ) -> Result<(Self, Report), Refusal> {
        let store = Store::below(&settings.state);
        let emergency = watched.look_at_emergency();
        let seen = look(&watched, &settings, &store);
        let pin = store.pin()?;
        let candidate = match &pin {
            Some(pin) => kept_candidate(&watched, &store, &store.find(&pin.bundle)?)?,
            None => candidate(&watched, watched.read()?)?,
        };
        let now = Timestamp::now();
        let Candidate { loaded: Loaded { bundle, report, .. }, folders, shipped_rules } = candidate;
        let kept = Kept::new(&bundle, &report, (&folders, shipped_rules), now);
        log_weakened(&report);
        let mut reloader = Self {
            status: Arc::new(Status::new(&kept.hash, now)),
            live: Arc::new(Live::new(Arc::new(bundle))),
            bundle_files: Settle::new(settings.settle, seen),
            emergency_files: Settle::new(settings.settle, emergency),
            started: Instant::now(),
            next_look: Duration::ZERO,
            pinned_look: seen,
            pin: None,
            watched,
            settings,
            store,
            instruments,
        };
        reloader.instruments.reload_success().set(now.as_second());
        reloader.instruments.set_bundle(&kept.hash);
        reloader.set_pin(pin, seen);
        let before = reloader.store.in_force().ok().flatten();
        reloader.keep(kept, &folders, before.as_deref().map(|hash| (hash, Why::Replaced)));
        reloader.read_emergency();
        Ok((reloader, report))
    }

    /// What is in force, for doors.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// What operators see.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Follows the files on a thread of its own from now on.
    pub fn start(mut self, hangup: Hangup) -> Running {
        let end = Arc::new(AtomicBool::new(false));
        let running = Running(Arc::clone(&end));
        let pause = TICK.min(self.settings.every);
        let body = move || {
            while !end.load(Ordering::Acquire) {
                self.turn(hangup.take());
                thread::sleep(pause);
            }
        };
        let thread = thread::Builder::new().name("reload".into()).spawn(body);
        thread.expect("the system starts threads");
        running
    }

    /// Looks at the files when it is time, and reads what is due.
    pub(super) fn turn(&mut self, forced: bool) {
        let now = self.started.elapsed();
        if !forced && now < self.next_look {
            return;
        }
        self.next_look = now + self.settings.every;
        let emergency = self.watched.look_at_emergency();
        if self.emergency_files.is_due(emergency, now) || forced {
            self.emergency_files.tried(emergency);
            self.read_emergency();
        }
        let seen = look(&self.watched, &self.settings, &self.store);
        if self.bundle_files.is_due(seen, now) || forced {
            self.reload(seen);
        }
        let expiring = self.live.now().bundle.rules().expiring(Timestamp::now()).count();
        self.instruments.bundle_expiring().set(i64::try_from(expiring).unwrap_or(i64::MAX));
    }

    /// One attempt; whatever it does, something is in force afterwards.
    fn reload(&mut self, seen: Fingerprint) {
        // A loader that panics over strange files must not cost the next reload.
        let attempt = catch_unwind(AssertUnwindSafe(|| self.attempt(seen)));
        match attempt {
            Ok(Ok(Attempt::Restless)) => return,
            Ok(Ok(Attempt::Held)) => self.note_waiting(seen),
            Ok(Ok(Attempt::Ready(candidate))) => self.accept(*candidate, seen),
            Ok(Err(refusal)) => {
                if self.pin.is_some() && matches!(self.store.pin(), Ok(None)) {
                    // The rollback was released, and what the folders hold cannot follow it.
                    self.set_pin(None, seen);
                }
                self.refuse(&refusal.into_diagnostics());
            }
            Err(_) => {
                let mut out = Diagnostics::default();
                let message = "the loader failed over these files: this is a bug, please report it";
                out.push(Diagnostic::global("B024", message));
                self.refuse(&out);
            }
        }
        self.bundle_files.tried(seen);
    }

    fn attempt(&self, seen: Fingerprint) -> Result<Attempt, Refusal> {
        let in_force = self.live.now().bundle;
        let candidate = if let Some(pin) = self.store.pin()? {
            if self.pin.as_ref() == Some(&pin) && in_force.versions().bundle == pin.bundle {
                return Ok(Attempt::Held);
            }
            kept_candidate(&self.watched, &self.store, &self.store.find(&pin.bundle)?)?
        } else {
            let folders = self.watched.read()?;
            if look(&self.watched, &self.settings, &self.store) != seen {
                return Ok(Attempt::Restless);
            }
            let candidate = candidate(&self.watched, folders)?;
            keeps_its_lists(&candidate.loaded, &in_force)?;
            candidate
        };
        has_rules(&candidate.loaded, &in_force)?;
        opens(&candidate.loaded.bundle, &in_force)?;
        Ok(Attempt::Ready(Box::new(candidate)))
    }

    /// Puts a candidate in force, unless it is in force already.
    fn accept(&mut self, mut candidate: Candidate, seen: Fingerprint) {
        let now = Timestamp::now();
        candidate.loaded.warn_of_expiry(now);
        let Candidate { loaded: Loaded { bundle, report, warnings, .. }, folders, shipped_rules } =
            candidate;
        let was_pinned = self.pin.is_some();
        // It was read a moment ago; what came since then is seen at the next look.
        let pin = self.store.pin().ok().flatten();
        let pin = pin.filter(|pin| pin.bundle == bundle.versions().bundle);
        let why = match (&pin, was_pinned) {
            (Some(_), _) => Why::RolledBack,
            (None, true) => Why::Released,
            (None, false) => Why::Replaced,
        };
        self.set_pin(pin, seen);
        self.instruments.bundle_refused().set(0);
        self.instruments.reload_success().set(now.as_second());
        let old = self.live.now().bundle.versions().bundle.clone();
        let kept = Kept::new(&bundle, &report, (&folders, shipped_rules), now);
        if kept.hash == old {
            self.instruments.reloads(Reload::Unchanged).inc();
            self.status.change(|view| view.refused = None);
            tracing::info!(bundle = old, "the bundle is the one in force");
            return;
        }
        self.instruments.set_bundle(&kept.hash);
        self.instruments.reloads(Reload::Applied).inc();
        self.status.change(|view| {
            view.in_force.clone_from(&kept.hash);
            view.since = now;
            view.refused = None;
        });
        let (warnings, rules) = (warnings.len(), kept.rules);
        tracing::info!(bundle = kept.hash, before = old, rules, warnings, why = why.as_str(),
            models = ?bundle.versions().models, "another bundle is in force");
        log_weakened(&report);
        self.live.replace(Arc::new(bundle));
        self.keep(kept, &folders, Some((&old, why)));
        // The rules that overrides may name are others now.
        if self.emergency_files.was_tried(self.watched.look_at_emergency()) {
            self.read_emergency();
        }
    }

    fn refuse(&self, diagnostics: &Diagnostics) {
        let refused = Refused::new(diagnostics, Timestamp::now());
        self.instruments.reloads(Reload::Refused).inc();
        self.instruments.bundle_refused().set(1);
        tracing::error!(report = refused.lines(), "the bundle was refused: the old one stays");
        self.status.change(|view| view.refused = Some(refused));
    }

    /// The rollback holds: files that changed since it came wait for its release.
    fn note_waiting(&self, seen: Fingerprint) {
        let changed = seen != self.pinned_look;
        self.instruments.bundle_refused().set(0);
        self.status.change(|view| {
            view.refused = None;
            if let Some(pinned) = &mut view.pinned {
                let since = pinned.changes_wait_since.or_else(|| Some(Timestamp::now()));
                pinned.changes_wait_since = since.filter(|_| changed);
            }
        });
        if changed {
            tracing::warn!("files changed; a rollback holds, so they wait for its release");
        }
    }

    fn set_pin(&mut self, pin: Option<Pin>, seen: Fingerprint) {
        self.instruments.bundle_pinned().set(i64::from(pin.is_some()));
        let shown = pin.as_ref().map(|pin| Pinned { since: pin.since, changes_wait_since: None });
        self.status.change(|view| view.pinned = shown);
        self.pin = pin;
        self.pinned_look = seen;
    }

    /// Keeps a bundle for a rollback; without a place to keep it, posts are decided all the same.
    fn keep(&self, kept: Kept, folders: &[RuleFolder], left: Option<(&str, Why)>) {
        let trouble = self.store.keep(kept, folders, left).err().map(|error| error.to_string());
        if let Some(trouble) = &trouble {
            tracing::warn!(trouble, "the bundle is in force and not kept for a rollback");
        }
        self.status.change(|view| view.history_trouble = trouble);
    }

    /// Reads the emergency files; the last good ones hold where anything is wrong.
    fn read_emergency(&self) {
        let now = self.live.now();
        let bundle = &now.bundle;
        let known = KnownRules { rules: bundle.rules().known(), taxonomy: bundle.taxonomy() };
        let mut out = Diagnostics::default();
        let read = read_overrides(self.watched.emergency_folders(), Some(known), &mut out);
        self.instruments.emergency_refused().set(i64::from(read.is_none()));
        let Some(overrides) = read else {
            let refused = Refused::new(&out, Timestamp::now());
            let report = refused.lines();
            tracing::error!(report, "the emergency files were refused: the last good ones hold");
            self.status.change(|view| view.emergency.refused = Some(refused));
            return;
        };
        let count = i64::try_from(overrides.len()).unwrap_or(i64::MAX);
        self.instruments.emergency_overrides().set(count);
        self.status.change(|view| {
            view.emergency.overrides = overrides_view(&overrides);
            view.emergency.refused = None;
        });
        if *now.overrides == overrides {
            return;
        }
        for one in overrides.iter() {
            let (rule, at_most) = (one.rule.as_str(), one.at_most.as_str());
            let (from, until, by, reason) = (one.from, one.until, &one.by, &one.reason);
            tracing::warn!(rule, at_most, %from, %until, by, reason, "an emergency override holds");
        }
        if overrides.is_empty() {
            tracing::info!("no emergency override holds any longer");
        }
        self.live.set_overrides(Arc::new(overrides));
    }
}

impl Refusal {
    fn into_diagnostics(self) -> Diagnostics {
        let (code, help) = match self {
            Self::Bundle(diagnostics) => return diagnostics,
            Self::Read(_) => ("B020", "the folder comes back by itself, or was moved"),
            Self::Store(_) => {
                ("B021", "`tidegate bundle rollback --release` returns to the folders")
            }
            Self::OtherModel(_) => ("B022", "put that model back, or release the rollback"),
        };
        let mut out = Diagnostics::default();
        out.push(Diagnostic::global(code, self.to_string()).help(help));
        out
    }
}

/// Somebody answers for each rule that nothing should weaken.
fn log_weakened(report: &Report) {
    for one in &report.weakened {
        let (rule, by, reason, until) = (&one.rule, &one.by, &one.reason, &one.until);
        tracing::warn!(rule, by, reason, until, "a mandatory rule is weakened");
    }
}

/// What the files look like; without watching, only a rollback is looked at.
fn look(watched: &Watched, settings: &Settings, store: &Store) -> Fingerprint {
    let pin: PathBuf = store.pin_path();
    if settings.watch { watched.look(pin) } else { Fingerprint::of(&[pin], None) }
}

fn candidate(watched: &Watched, folders: Vec<RuleFolder>) -> Result<Candidate, Refusal> {
    let loaded = watched.build(&folders).map_err(Refusal::Bundle)?;
    Ok(Candidate { loaded, folders, shipped_rules: watched.shipped_rules })
}

fn kept_candidate(watched: &Watched, store: &Store, kept: &Kept) -> Result<Candidate, Refusal> {
    let (loaded, folders) = build_kept(watched, store, kept)?;
    Ok(Candidate { loaded, folders, shipped_rules: kept.shipped_rules })
}

/// Builds a kept bundle: its files pass every gate again but the benign corpora, which are not kept,
/// and its models must be those of the models folder.
pub fn build_kept(
    watched: &Watched,
    store: &Store,
    kept: &Kept,
) -> Result<(Loaded, Vec<RuleFolder>), Refusal> {
    let folders = store.folders(kept)?;
    let models = watched.models.as_ref().filter(|_| !kept.models.is_empty());
    let sources = Sources {
        folders: &folders,
        shipped_rules: kept.shipped_rules,
        models: models.map(|(_, models)| &**models as &dyn ModelSource),
    };
    let loaded = load(&sources).map_err(Refusal::Bundle)?;
    if loaded.bundle.versions().bundle == kept.hash {
        return Ok((loaded, folders));
    }
    let models: Vec<String> = kept
        .models
        .iter()
        .map(|model| format!("{}@{} ({:.12})", model.name, model.version, model.sha256))
        .collect();
    Err(Refusal::OtherModel(models.join(", ")))
}

/// A folder of packs that was removed by mistake leaves a bundle that allows everything and passes
/// every gate: such a one comes into force at a start alone.
fn has_rules(loaded: &Loaded, in_force: &Bundle) -> Result<(), Refusal> {
    let scanned = |bundle: &Bundle| bundle.rules().scanned().next().is_some();
    if scanned(&loaded.bundle) || !scanned(in_force) {
        return Ok(());
    }
    let mut out = Diagnostics::default();
    let message = "the folders hold no rule that is scanned any longer";
    let help = "where that is meant, restart: a running worker keeps the rules it has";
    out.push(Diagnostic::global("B025", message).help(help));
    Err(Refusal::Bundle(out))
}

/// A list that lost many of its entries since the bundle in force was loaded is refused.
fn keeps_its_lists(loaded: &Loaded, in_force: &Bundle) -> Result<(), Refusal> {
    let mut out = Diagnostics::default();
    let shrunk = loaded.bundle.rules().shrunk_since(in_force.rules());
    shrunk.for_each(|shrunk| out.push(shrunk));
    if out.has_errors() { Err(Refusal::Bundle(out)) } else { Ok(()) }
}

/// A model that is not in force already must open before it may come into force.
fn opens(bundle: &Bundle, in_force: &Bundle) -> Result<(), Refusal> {
    let mut out = Diagnostics::default();
    let open = |model: &&Arc<dyn Model>| {
        in_force.all_models().any(|old| old.identity() == model.identity())
    };
    for model in bundle.all_models().filter(|model| !open(model)) {
        if let Err(error) = model.open() {
            out.push(Diagnostic::global("B023", error.to_string()));
        }
    }
    if out.has_errors() { Err(Refusal::Bundle(out)) } else { Ok(()) }
}
