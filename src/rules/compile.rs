//! Packs and lists become a ruleset, whole or not at all.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use super::{
    entry::{Entry, Role, counts},
    file::{EntryFile, EntryKind, PackFile, RuleFile},
    list::{LIST_ENTRIES_MAX, ListFiles, lines},
    literals::{Literals, Target, densest_end},
    patterns::{self, Checked, Pattern, Problem, Uncalled},
    ruleset::{Rule, Ruleset, ViewMatchers},
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Location, SourceFile, nearest},
    hash::ValueHasher,
    signal::{Category, RuleFacts, RuleId, Status},
    text::{SYLLABLES_MIN, View, phonetic_literals, standard_literal_among_kana, syllables},
};

/// Most patterns that may end at one place of a text, so that overlapping finds stay few.
const ENDS_MAX: usize = 64;
/// Letters a `text` entry of a spacing script needs to be more than noise.
const TEXT_LETTERS_MIN: usize = 6;

/// Which rules go into the ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that posts are scanned with: shadow and enforced ones.
    Scanned,
    /// Drafts, which only their own tests see.
    Drafts,
}

impl Which {
    fn has(self, status: Status) -> bool {
        match self {
            Self::Scanned => matches!(status, Status::Shadow | Status::Enforced),
            Self::Drafts => status == Status::Draft,
        }
    }
}

/// Compiles packs. `categories` are the paths of the taxonomy.
pub fn compile(
    packs: &[PackFile],
    lists: &ListFiles,
    categories: &[&str],
    which: Which,
    out: &mut Diagnostics,
) -> Ruleset {
    let (patterns, made, regexes) = Default::default();
    let mut compiler = Compiler { lists, categories, out, patterns, made, regexes };
    compiler.unique(packs);
    for pack in packs {
        // Every rule is checked where posts are scanned; drafts beside it are only compiled.
        let checks = |rule: &&RuleFile| which == Which::Scanned || which.has(rule.status);
        for rule in pack.rules.iter().filter(checks) {
            compiler.rule(pack, rule, which.has(rule.status));
        }
    }
    compiler.finish()
}

/// Literal patterns with what they are for, by view.
#[derive(Default)]
struct ByView {
    raw: BTreeMap<String, Vec<Target>>,
    standard: BTreeMap<String, Vec<Target>>,
    skeleton: BTreeMap<String, Vec<Target>>,
    phonetic: BTreeMap<String, Vec<Target>>,
    uncalled_raw: Vec<usize>,
    uncalled_standard: Vec<usize>,
}

struct Compiler<'a> {
    lists: &'a ListFiles,
    categories: &'a [&'a str],
    out: &'a mut Diagnostics,
    patterns: ByView,
    made: Ruleset,
    /// Regexes by what is written and whether it is for the raw view: decent phrases are often the same
    /// in all rules of a pack.
    regexes: BTreeMap<(String, bool), Result<Checked, Problem>>,
}

/// A rule with its place in the ruleset; none when it is only checked.
struct RulePlace<'a> {
    pack: &'a PackFile,
    written: &'a RuleFile,
    place: Option<usize>,
}

/// An entry with the file it stands in: a pack or a list.
struct Placed<'a> {
    file: &'a Arc<SourceFile>,
    entry: &'a EntryFile,
}

impl Compiler<'_> {
    /// Refuses a second pack or rule of the same name.
    fn unique(&mut self, packs: &[PackFile]) {
        let mut seen: BTreeMap<&str, Location> = BTreeMap::new();
        let named = packs.iter().flat_map(|pack| {
            let rules = pack.rules.iter().map(|rule| (rule.id.as_str(), &rule.range));
            let all = std::iter::once((pack.name.as_str(), &pack.name_range)).chain(rules);
            all.map(|(name, range)| (name, at(&pack.file, range)))
        });
        for (name, location) in named {
            match seen.entry(name) {
                btree_map::Entry::Vacant(free) => {
                    free.insert(location);
                }
                btree_map::Entry::Occupied(first) => {
                    let (line, _) = first.get().line_column();
                    let help = format!("the first stands in {}:{line}", first.get().file.path);
                    let message = format!("`{name}` is there twice");
                    self.out.push(Diagnostic::error("R001", location, message).help(help));
                }
            }
        }
    }

    fn rule(&mut self, pack: &PackFile, written: &RuleFile, scanned: bool) {
        self.check_category(pack, written);
        let rule = RulePlace { pack, written, place: scanned.then_some(self.made.rules.len()) };
        let mut hash = RuleHash::new(written);
        let found: usize =
            written.any.iter().map(|e| self.entry(&rule, Role::Finds, e, &mut hash)).sum();
        for entry in &written.unless {
            self.entry(&rule, Role::Excepts, entry, &mut hash);
        }
        if written.min == 0 || written.min > found {
            let message = format!("`min` asks for {} entries, the rule has {found}", written.min);
            self.out.push(Diagnostic::error("R035", at(&pack.file, &written.range), message));
        }
        let facts = Arc::new(RuleFacts {
            id: RuleId::new(&written.id),
            hash: hash.finish(),
            category: written.category.clone().unwrap_or_else(|| Category::new("")),
            severity: written.severity,
            status: written.status,
        });
        self.made.known.push(Arc::clone(&facts));
        if scanned {
            self.made.rules.push(Rule {
                facts,
                languages: written.languages.clone(),
                surfaces: written.surfaces.clone(),
                min: written.min,
            });
        }
    }

    fn check_category(&mut self, pack: &PackFile, rule: &RuleFile) {
        let Some(path) = rule.category.as_ref().map(Category::as_str) else { return };
        if self.categories.contains(&path) {
            return;
        }
        let help = match nearest(path, self.categories.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "see rules/taxonomy.yaml for the categories".to_owned(),
        };
        let message = format!("the category `{path}` is not in the taxonomy");
        let location = at(&pack.file, &rule.category_range);
        self.out.push(Diagnostic::error("R010", location, message).help(help));
    }

    /// Checks an entry, keeps it when its rule is scanned, and says how many literals it stands for.
    fn entry(
        &mut self,
        rule: &RulePlace<'_>,
        role: Role,
        entry: &EntryFile,
        hash: &mut RuleHash,
    ) -> usize {
        if entry.kind != EntryKind::List {
            hash.entry(role, entry);
            self.register(rule, role, &Placed { file: &rule.pack.file, entry });
            return 1;
        }
        let Some(list) = self.list(rule.pack, entry) else { return 1 };
        let mut count = 0;
        for (line, range) in lines(&list) {
            count += 1;
            let (text, options) = (line.to_owned(), entry.options.clone());
            let entry = EntryFile { kind: EntryKind::Word, text, range, options };
            hash.entry(role, &entry);
            self.register(rule, role, &Placed { file: &list, entry: &entry });
        }
        if count == 0 || count > LIST_ENTRIES_MAX {
            let message =
                format!("the list has {count} entries; 1 to {LIST_ENTRIES_MAX} are allowed");
            self.out.push(Diagnostic::error("R012", at(&rule.pack.file, &entry.range), message));
        }
        count
    }

    fn list(&mut self, pack: &PackFile, entry: &EntryFile) -> Option<Arc<SourceFile>> {
        let location = || at(&pack.file, &entry.range);
        let Some(reference) = pack.lists.iter().find(|list| list.name == entry.text) else {
            let near = nearest(&entry.text, pack.lists.iter().map(|list| list.name.as_str()));
            let help = near.map_or_else(
                || "declare it under `lists` at the top of the pack".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("the list `{}` is not declared in this pack", entry.text);
            self.out.push(Diagnostic::error("R011", location(), message).help(help));
            return None;
        };
        let found = self.lists.resolve(&pack.file, &reference.path);
        if found.is_none() {
            let message = format!("the list file `{}` does not exist", reference.path);
            let location = at(&pack.file, &reference.range);
            let help = "the path is relative to the pack's file";
            self.out.push(Diagnostic::error("R011", location, message).help(help));
        }
        found.cloned()
    }

    fn register(&mut self, rule: &RulePlace<'_>, role: Role, placed: &Placed<'_>) {
        let index = self.made.entries.len();
        let entry = Entry::new(rule.place.unwrap_or_default(), role, placed.entry);
        let sound = match entry.kind {
            EntryKind::Regex => self.check_regex(index, &entry, placed, rule.place.is_some()),
            _ => self.check_literal(rule, &entry, placed),
        };
        if !sound || rule.place.is_none() {
            return;
        }
        if entry.kind != EntryKind::Regex {
            self.add_literal(index, &entry, placed);
        }
        self.made.entries.push(entry);
    }

    fn check_literal(&mut self, rule: &RulePlace<'_>, entry: &Entry, placed: &Placed<'_>) -> bool {
        let location = || at(placed.file, &placed.entry.range);
        if entry.standard.trim().is_empty() {
            let message = "nothing is left of this entry once it is folded";
            self.out.push(Diagnostic::error("R030", location(), message));
            return false;
        }
        let (letters, signs) = counts(&entry.standard);
        let greedy = entry.role == Role::Finds && entry.kind != EntryKind::Exact;
        if greedy && rule.written.severity.level() >= 2 && letters == 0 && signs == 1 {
            let help = "write two characters or more, or lower the severity";
            let message = "a single character is too greedy at severity 2 and above";
            self.out.push(Diagnostic::error("R031", location(), message).help(help));
        }
        if !self.check_phonetic(entry, placed) {
            return false;
        }
        if entry.kind == EntryKind::Text && signs == 0 && letters < TEXT_LETTERS_MIN {
            let message = "a short `text` entry is found inside other words";
            let help = "leave `text` out to find it as a word";
            self.out.push(Diagnostic::warning("R032", location(), message).help(help));
        }
        true
    }

    fn add_literal(&mut self, index: usize, entry: &Entry, placed: &Placed<'_>) {
        let target = Target::Entry(index);
        let by = &mut self.patterns;
        if entry.view == View::Raw {
            by.raw.entry(placed.entry.text.clone()).or_default().push(target);
            return;
        }
        // Beside kana, Traditional characters are Japanese and stay as they are.
        let among_kana = standard_literal_among_kana(&placed.entry.text);
        for form in std::iter::once(entry.standard.clone()).chain(among_kana) {
            by.standard.entry(form).or_default().push(target);
        }
        if entry.view == View::Phonetic {
            self.add_phonetic(index, entry);
        }
        let by = &mut self.patterns;
        if entry.view >= View::Skeleton && !entry.skeleton.text.is_empty() {
            let bare = entry.skeleton.unsqueezed();
            if bare.is_ascii() && !entry.standard.is_ascii() {
                by.standard.entry(bare).or_default().push(Target::Bare(index));
            }
            by.skeleton.entry(entry.skeleton.text.clone()).or_default().push(target);
            for joined in &entry.skeleton.joined {
                by.skeleton.entry(joined.text.clone()).or_default().push(Target::Joined(index));
            }
        }
    }

    /// Adds what an entry sounds like.
    fn add_phonetic(&mut self, index: usize, entry: &Entry) {
        for form in phonetic_literals(&entry.standard) {
            self.patterns.phonetic.entry(form).or_default().push(Target::Entry(index));
        }
    }

    /// Refuses to look for the sound of what is short, or has no sound that is known.
    fn check_phonetic(&mut self, entry: &Entry, placed: &Placed<'_>) -> bool {
        if entry.view != View::Phonetic || is_long_enough(&entry.standard) {
            return true;
        }
        let message = format!("the phonetic view needs {SYLLABLES_MIN} Han characters or more");
        let help = "leave `view` out: two syllables sound like too many decent words";
        let location = at(placed.file, &placed.entry.range);
        self.out.push(Diagnostic::error("R039", location, message).help(help));
        false
    }

    fn check_regex(
        &mut self,
        index: usize,
        entry: &Entry,
        placed: &Placed<'_>,
        scanned: bool,
    ) -> bool {
        let location = at(placed.file, &placed.entry.range);
        let key = (placed.entry.text.clone(), entry.view == View::Raw);
        let check = || patterns::check(&placed.entry.text, entry.view);
        let checked = match self.regexes.entry(key).or_insert_with(check).clone() {
            Ok(checked) => checked,
            Err(problem) => {
                let diagnostic = Diagnostic::error(problem.code, location, problem.message);
                self.out.push(diagnostic.help(problem.help));
                return false;
            }
        };
        let uncalled = checked.triggers.is_empty();
        if uncalled {
            let message = "the regex runs on every text: it needs no literal of two characters";
            self.out.push(Diagnostic::warning("R024", location, message));
        }
        if !scanned {
            return true;
        }
        let place = self.made.patterns.len();
        self.made.patterns.push(Pattern { entry: index, regex: checked.regex });
        let by = &mut self.patterns;
        let (literals, always) = match entry.view {
            View::Raw => (&mut by.raw, &mut by.uncalled_raw),
            _ => (&mut by.standard, &mut by.uncalled_standard),
        };
        always.extend(uncalled.then_some(place));
        for trigger in checked.triggers {
            literals.entry(trigger).or_default().push(Target::Trigger(place));
        }
        true
    }

    fn finish(mut self) -> Ruleset {
        let mut hasher = ValueHasher::default();
        for facts in &self.made.known {
            hasher.bytes(&*facts.hash);
        }
        self.made.hash = hasher.hex();
        for patterns in [&self.patterns.standard, &self.patterns.skeleton] {
            if let Some((pattern, ends)) = densest_end(patterns).filter(|&(_, n)| n > ENDS_MAX) {
                let message = format!("{ends} entries end where `{pattern}` ends, {ENDS_MAX} may");
                self.out.push(Diagnostic::global("R033", message).help("remove nested entries"));
            }
        }
        if self.out.has_errors() {
            return self.made;
        }
        let by = std::mem::take(&mut self.patterns);
        let raw = self.matchers(by.raw, by.uncalled_raw);
        let standard = self.matchers(by.standard, by.uncalled_standard);
        let skeleton = self.matchers(by.skeleton, Vec::new()).literals;
        let phonetic = self.matchers(by.phonetic, Vec::new()).literals;
        Ruleset { raw, standard, skeleton, phonetic, ..self.made }
    }

    fn matchers(
        &mut self,
        literals: BTreeMap<String, Vec<Target>>,
        uncalled: Vec<usize>,
    ) -> ViewMatchers {
        let built = Literals::build(literals).map_err(|error| error.to_string());
        let uncalled = Uncalled::build(&self.made.patterns, uncalled).map_err(|e| e.to_string());
        match (built, uncalled) {
            (Ok(literals), Ok(uncalled)) => ViewMatchers { literals, uncalled },
            (Err(reason), _) | (_, Err(reason)) => {
                let message = format!("the rules are too large to compile: {reason}");
                self.out.push(Diagnostic::global("R034", message));
                ViewMatchers::default()
            }
        }
    }
}

/// The hash of an effective rule: everything that can change what it finds or how it counts.
struct RuleHash(ValueHasher);

impl RuleHash {
    fn new(rule: &RuleFile) -> Self {
        let mut hasher = ValueHasher::default();
        hasher
            .bytes(&rule.id)
            .bytes(rule.category.as_ref().map_or("", Category::as_str))
            .integer(rule.severity.level().into())
            .bytes(rule.status.as_str())
            .bytes(rule.min.to_string())
            .bytes(format!("{:?} {:?}", rule.languages, rule.surfaces));
        Self(hasher)
    }

    fn entry(&mut self, role: Role, entry: &EntryFile) {
        let how = format!("{role:?} {:?} {:?}", entry.kind, entry.options);
        self.0.bytes(how).bytes(&entry.text);
    }

    fn finish(self) -> Arc<str> {
        self.0.hex()[..16].into()
    }
}

/// Whether a literal has enough syllables to be looked for by its sound.
fn is_long_enough(standard: &str) -> bool {
    syllables(standard).is_some_and(|count| count >= SYLLABLES_MIN)
}

fn at(file: &Arc<SourceFile>, range: &std::ops::Range<usize>) -> Location {
    Location { file: Arc::clone(file), range: range.clone() }
}
