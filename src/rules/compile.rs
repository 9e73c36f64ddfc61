//! Packs and lists become a ruleset, whole or not at all.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use super::{
    blast,
    combine::Combination,
    domain::{host, literals},
    entry::{Entry, Role, counts},
    expiry::{self, Expiring},
    file::{EntryFile, EntryKind, ListReference, PackFile, RuleFile},
    list::{LIST_ENTRIES_MAX, ListFiles, lines},
    list_line,
    literals::{Literals, Target, densest_end},
    patterns::{self, Checked, Pattern, Problem, Uncalled},
    rule_hash::RuleHash,
    ruleset::{Rule, Ruleset, ViewMatchers},
    shrink::ListSize,
    variants::expand,
};
use crate::{
    condition::Declared,
    diagnostic::{Diagnostic, Diagnostics, Location, SourceFile, nearest},
    hash::ValueHasher,
    signal::{Category, RuleFacts, RuleId, Status},
    text::{
        SYLLABLES_MIN, SYLLABLES_MIN_NEAR, SyllablePairs, View, phonetic_literals,
        standard_literal_among_kana, syllables,
    },
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

/// What rules may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'a> {
    /// The paths of the taxonomy.
    pub categories: &'a [&'a str],
    /// Those of them that nothing weakens but a rule's own `unless`.
    pub mandatory: &'a [&'a str],
    /// The platform's own keys, for conditions.
    pub extra: &'a Declared,
}

impl Vocabulary<'_> {
    fn is_mandatory(&self, rule: &RuleFile) -> bool {
        let category = rule.category.as_ref().map(Category::as_str);
        category.is_some_and(|category| self.mandatory.contains(&category))
    }

    /// The pack's decent phrases, where they are a rule's too.
    fn allowed<'p>(&self, rule: &RulePlace<'p>) -> &'p [EntryFile] {
        if self.is_mandatory(rule.written) { &[] } else { &rule.pack.allow }
    }
}

/// Compiles packs.
pub fn compile(
    packs: &[PackFile],
    lists: &ListFiles,
    vocabulary: &Vocabulary<'_>,
    which: Which,
    out: &mut Diagnostics,
) -> Ruleset {
    let (patterns, made, regexes) = Default::default();
    let mut compiler = Compiler { lists, vocabulary, out, patterns, made, regexes };
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
    vocabulary: &'a Vocabulary<'a>,
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
    /// What is looked for: the entry's text, its variants spelled out.
    literal: &'a str,
}

impl Compiler<'_> {
    /// Refuses a second pack or rule of the same name.
    fn unique(&mut self, packs: &[PackFile]) {
        let mut seen: BTreeMap<&str, Location> = BTreeMap::new();
        let retired = |name: &str| {
            let rules = packs.iter().flat_map(|pack| &pack.rules);
            let mut of_name = rules.filter(|rule| rule.id == name);
            of_name.any(|rule| rule.status == Status::Deprecated)
        };
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
                    let reserved =
                        if retired(name) { ", a deprecated rule keeps its id" } else { "" };
                    let path = &first.get().file.path;
                    let help = format!("the first stands in {path}:{line}{reserved}");
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
        self.others(&rule, &mut hash);
        if let Some(when) = &written.when {
            let undeclared = when.undeclared(self.vocabulary.extra, &pack.file);
            undeclared.for_each(|problem| self.out.push(problem));
        }
        let expires = self.expires(&rule);
        if let Some((code, message)) = written.combination.impossible(found)
            && written.status != Status::Deprecated
        {
            self.out.push(Diagnostic::error(code, at(&pack.file, &written.range), message));
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
            let as_shadow = || Arc::new(RuleFacts { status: Status::Shadow, ..(*facts).clone() });
            self.made.rules.push(Rule {
                shadow: expires.then(as_shadow),
                expires: written.expires.as_ref().and_then(|expires| expiry::begins(expires.date)),
                facts,
                benign_max: written.blast_radius.as_ref().map_or(blast::USUAL, |radius| radius.max),
                mismatch: written.mismatch,
                when: written.when.as_ref().map(|when| when.condition.clone()),
                languages: written.languages.clone(),
                surfaces: written.surfaces.clone(),
                combination: Combination::new(&written.combination, found),
            });
        }
    }

    /// Every entry that is not of `any`.
    fn others(&mut self, rule: &RulePlace<'_>, hash: &mut RuleHash) {
        let combination = &rule.written.combination;
        for entry in rule.written.unless.iter().chain(self.vocabulary.allowed(rule)) {
            self.entry(rule, Role::Excepts, entry, hash);
        }
        for (group, entry) in combination.grouped() {
            self.entry(rule, Role::Group(group), entry, hash);
        }
        for entry in &combination.none {
            self.entry(rule, Role::Vetoes, entry, hash);
        }
        for (number, entry) in combination.contexts() {
            self.entry(rule, Role::Near(number), entry, hash);
        }
    }

    fn check_category(&mut self, pack: &PackFile, rule: &RuleFile) {
        let Some(path) = rule.category.as_ref().map(Category::as_str) else { return };
        let categories = self.vocabulary.categories;
        if categories.contains(&path) {
            return;
        }
        let help = match nearest(path, categories.iter().copied()) {
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
            self.written(rule, role, entry, hash);
            return 1;
        }
        let Some((list, reference)) = self.list(rule.pack, entry) else { return 1 };
        let expires = reference.expires.as_ref().map(|expires| expires.date);
        let mut count = 0;
        for (line, range) in lines(&list) {
            count += 1;
            let read = list_line::entry(line, range.clone(), entry).and_then(|mut line| {
                line.options.expires = line.options.expires.or(expires);
                let literal = match line.kind {
                    EntryKind::Domain => host(&line.text)?,
                    _ => line.text.clone(),
                };
                Ok((line, literal))
            });
            let (line, literal) = match read {
                Ok(read) => read,
                Err(problem) => {
                    self.refuse(at(&list, &range), problem);
                    continue;
                }
            };
            hash.entry(role, &line, &literal);
            let placed = Placed { file: &list, entry: &line, literal: &literal };
            self.register(rule, role, &placed, None);
        }
        if !self.made.lists.iter().any(|known| known.path == list.path) {
            let (path, location) = (list.path.clone(), at(&reference.from, &reference.range));
            let may_shrink = reference.may_shrink;
            self.made.lists.push(ListSize { path, entries: count, location, may_shrink });
        }
        if count == 0 || count > LIST_ENTRIES_MAX {
            let message =
                format!("the list has {count} entries; 1 to {LIST_ENTRIES_MAX} are allowed");
            self.out.push(Diagnostic::error("R012", at(&rule.pack.file, &entry.range), message));
        }
        count
    }

    /// An entry that stands in the pack, with every literal that its variants make of it.
    fn written(
        &mut self,
        rule: &RulePlace<'_>,
        role: Role,
        entry: &EntryFile,
        hash: &mut RuleHash,
    ) {
        let file = &rule.pack.file;
        let literals = match entry.kind {
            EntryKind::Regex => Ok(vec![entry.text.clone()]),
            EntryKind::Domain => host(&entry.text).map(|host| vec![host]),
            _ => expand(&rule.pack.variants, &entry.text),
        };
        let literals = match literals {
            Ok(literals) => literals,
            Err(problem) => return self.refuse(at(file, &entry.range), problem),
        };
        let (first, told) = (self.made.entries.len(), self.out.len());
        for literal in &literals {
            hash.entry(role, entry, literal);
            self.register(rule, role, &Placed { file, entry, literal }, Some(first));
            // What is wrong with one literal is often wrong with its neighbours too.
            if self.out.len() > told {
                break;
            }
        }
    }

    fn refuse(&mut self, location: Location, problem: Problem) {
        let diagnostic = Diagnostic::error(problem.code, location, problem.message);
        self.out.push(diagnostic.help(problem.help));
    }

    fn list<'p>(
        &mut self,
        pack: &'p PackFile,
        entry: &EntryFile,
    ) -> Option<(Arc<SourceFile>, &'p ListReference)> {
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
        let found = self.lists.resolve(&reference.from, &reference.path);
        if found.is_none() {
            let message = format!("the list file `{}` does not exist", reference.path);
            let location = at(&reference.from, &reference.range);
            let help = "the path is relative to the pack's file";
            self.out.push(Diagnostic::error("R011", location, message).help(help));
        }
        Some((Arc::clone(found?), reference))
    }

    /// Whether a rule, one of its entries or one of its lists expires. Each is told; of a mandatory
    /// rule none may.
    fn expires(&mut self, rule: &RulePlace<'_>) -> bool {
        let (pack, written) = (rule.pack, rule.written);
        let allowed = self.vocabulary.allowed(rule);
        let entries = || written.every_entry().chain(allowed);
        let named = |list: &&ListReference| {
            entries().any(|entry| entry.kind == EntryKind::List && entry.text == list.name)
        };
        let of_rule = written.expires.iter().map(|expires| {
            let what = format!("the rule {}", written.id);
            (what, expires.date, at(&pack.file, &expires.range))
        });
        let of_lists = pack.lists.iter().filter(named).filter_map(|list| {
            let expires = list.expires.as_ref()?;
            let what = format!("the list `{}`", list.name);
            Some((what, expires.date, at(&list.from, &expires.range)))
        });
        let of_entries = entries().filter_map(|entry| {
            let what = format!("the entry `{}` of {}", entry.text, written.id);
            Some((what, entry.options.expires?, at(&pack.file, &entry.range)))
        });
        let all: Vec<_> = of_rule.chain(of_lists).chain(of_entries).collect();
        let any = !all.is_empty();
        for (what, date, location) in all {
            if self.vocabulary.is_mandatory(written) {
                let message = format!("{what} expires, and its category is mandatory");
                let help = "what is mandatory holds until somebody takes it out";
                self.out.push(Diagnostic::error("R080", location, message).help(help));
            } else if rule.place.is_some()
                && !self.made.expiring.iter().any(|known| known.location == location)
            {
                self.made.expiring.push(Expiring { what, date, location });
            }
        }
        any
    }

    /// Checks a literal or regex and keeps it. `first` is the place of the first literal of its entry.
    fn register(
        &mut self,
        rule: &RulePlace<'_>,
        role: Role,
        placed: &Placed<'_>,
        first: Option<usize>,
    ) {
        let index = self.made.entries.len();
        let rule_place = rule.place.unwrap_or_default();
        let mut entry = Entry::new(rule_place, role, placed.entry, placed.literal);
        entry.first = first.unwrap_or(index);
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
        let greedy = entry.role.is_evidence() && entry.kind != EntryKind::Exact;
        if greedy && rule.written.severity.level() >= 2 && letters == 0 && signs == 1 {
            let help = "write two characters or more, or lower the severity";
            let message = "a single character is too greedy at severity 2 and above";
            self.out.push(Diagnostic::error("R031", location(), message).help(help));
        }
        let has_near = rule.written.combination.near.is_some();
        if !self.check_phonetic(entry, placed, has_near) {
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
            by.raw.entry(placed.literal.to_owned()).or_default().push(target);
            return;
        }
        // Beside kana, Traditional characters are Japanese and stay as they are.
        let among_kana = standard_literal_among_kana(placed.literal);
        for form in std::iter::once(entry.standard.clone()).chain(among_kana) {
            by.standard.entry(form).or_default().push(target);
        }
        if entry.kind == EntryKind::Domain {
            for form in literals(&entry.standard).skip(1) {
                by.standard.entry(form).or_default().push(target);
            }
        }
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
        if entry.view == View::Phonetic {
            self.add_phonetic(index, entry);
        }
    }

    /// Adds what an entry sounds like.
    fn add_phonetic(&mut self, index: usize, entry: &Entry) {
        for form in phonetic_literals(&entry.standard) {
            self.patterns.phonetic.entry(form).or_default().push(Target::Entry(index));
        }
    }

    /// Refuses to look for the sound of what is short, or has no sound that is known.
    fn check_phonetic(&mut self, entry: &Entry, placed: &Placed<'_>, has_near: bool) -> bool {
        let enough = if has_near { SYLLABLES_MIN_NEAR } else { SYLLABLES_MIN };
        let is_long_enough = || syllables(&entry.standard).is_some_and(|count| count >= enough);
        if entry.view != View::Phonetic || is_long_enough() {
            return true;
        }
        let message = format!("the phonetic view needs {enough} Han characters or more here");
        let help = if has_near {
            "leave `view` out: one syllable sounds like too many decent words"
        } else {
            "leave `view` out, or say what must stand `near`: two syllables sound like too many \
             decent words"
        };
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
                self.refuse(location, problem);
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
        let by = &self.patterns;
        for patterns in [&by.raw, &by.standard, &by.skeleton] {
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
        let mut beginnings = SyllablePairs::default();
        by.phonetic.keys().for_each(|literal| beginnings.add_beginning(literal));
        let beginnings = (!by.phonetic.is_empty()).then_some(beginnings);
        let phonetic = self.matchers(by.phonetic, Vec::new()).literals;
        Ruleset { raw, standard, skeleton, phonetic, beginnings, ..self.made }
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

fn at(file: &Arc<SourceFile>, range: &std::ops::Range<usize>) -> Location {
    Location { file: Arc::clone(file), range: range.clone() }
}
