//! From folders to a bundle, through every gate.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{Bundle, BundleSettings, Models, PolicyTestReport, policy_examples};
use crate::{
    classify::Model,
    condition::Declared,
    decision::Versions,
    diagnostic::{Diagnostic, Diagnostics, Location, SourceFile},
    files::RuleFolder,
    hash::ValueHasher,
    policy::{Known, PolicySet, Reach},
    rules::{
        Corpus, ExampleReport, Layered, ListFiles, PackFile, Ruleset, Vocabulary, Weakened, Which,
        blast_radius, check_examples, compile, parse_pack,
    },
    signal::{Category, RuleId, Status},
    taxonomy::Taxonomy,
};

/// What a bundle is made of.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The shipped folder, then overlays; later ones win.
    pub folders: &'a [RuleFolder],
    /// Whether the packs of the first folder take part.
    pub shipped_rules: bool,
    /// Where models come from; nothing: no model is routed.
    pub models: Option<&'a dyn ModelSource>,
}

/// Opens model folders.
pub trait ModelSource {
    /// Loads and verifies the model of this name, or says in one sentence why not.
    fn load(&self, name: &str) -> Result<Arc<dyn Model>, String>;
}

/// A bundle with what was noticed while it was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The bundle.
    pub bundle: Bundle,
    /// Counts for people.
    pub report: Report,
    /// Warnings.
    pub warnings: Diagnostics,
    /// Drafts, with which no post is scanned: explanations tell what they would find.
    pub drafts: Ruleset,
    /// The packs as they were written, changes made: what tools show.
    pub packs: Layered,
}

impl Loaded {
    /// Adds what expires soon, or has expired, at `now` to the warnings.
    pub fn warn_of_expiry(&mut self, now: Timestamp) {
        self.bundle.rules.expiring(now).for_each(|expiring| self.warnings.push(expiring));
        self.warnings.relocate(|location| self.packs.origin(location));
    }
}

/// What a bundle holds and which tests it passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rules by status, in the order of [`Status::ALL`].
    pub rules: [usize; 4],
    /// Literals and regexes looked for.
    pub entries: usize,
    /// The rules' own tests.
    pub examples: ExampleReport,
    /// The policies' own tests.
    pub policy_tests: PolicyTestReport,
    /// Lines of benign corpora.
    pub benign_lines: usize,
    /// Benign lines hit, by rule.
    pub benign_hits: BTreeMap<RuleId, usize>,
    /// What each enforced rule leads to.
    pub reach: BTreeMap<RuleId, Reach>,
    /// Rules of mandatory categories that somebody weakened.
    pub weakened: Vec<Weakened>,
}

/// Loads a bundle, or says everything that stands in its way.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, Diagnostics> {
    let mut out = Diagnostics::default();
    let (report, drafts, packs) = Default::default();
    let mut loader = Loader { sources, out: &mut out, report, drafts, packs };
    let bundle = loader.run();
    let Loader { report, drafts, packs, .. } = loader;
    out.relocate(|location| packs.origin(location));
    match bundle {
        Some(bundle) if !out.has_errors() => {
            Ok(Loaded { bundle, report, warnings: out, drafts, packs })
        }
        _ => Err(out),
    }
}

struct Loader<'a> {
    sources: &'a Sources<'a>,
    out: &'a mut Diagnostics,
    report: Report,
    drafts: Ruleset,
    packs: Layered,
}

impl Loader<'_> {
    fn run(&mut self) -> Option<Bundle> {
        for path in self.sources.folders.iter().flat_map(|folder| &folder.strange) {
            let help = "a rules folder holds bundle.yaml, taxonomy.yaml, packs/, lists/, policies/ \
                        and corpora/; packs may lie in folders below packs/";
            let message = format!("{path} would be ignored: nobody looks for that name");
            self.out.push(Diagnostic::global("B007", message).help(help));
        }
        let settings = self.settings();
        let taxonomy = self.taxonomy()?;
        let packs = self.packs(&taxonomy);
        let rules = self.rules(&packs, &taxonomy, &settings.extra);
        let models = self.models(&settings, &taxonomy);
        let evidence = models.evidence();
        let left_out = self.left_out();
        let known = Known {
            taxonomy: &taxonomy,
            rules: rules.known(),
            left_out: &left_out,
            model: evidence.as_ref(),
            extra: &settings.extra,
        };
        let files: Vec<_> = self.folders().flat_map(|folder| folder.policies.clone()).collect();
        let policies = PolicySet::compile(&files, &known, self.out);
        let versions = Arc::new(self.versions(&rules, &models));
        let policies = policies?;
        self.reach(&packs, &rules, &policies);
        if self.out.has_errors() {
            return None;
        }
        let bundle = Bundle { rules, policies, taxonomy, models, settings, versions };
        let shipped = self.sources.folders.first().filter(|_| !self.sources.shipped_rules);
        let untested = shipped.map_or(&[][..], |folder| &folder.policies);
        self.report.policy_tests = policy_examples::run(&bundle, untested, self.out);
        Some(bundle)
    }

    fn folders(&self) -> impl Iterator<Item = &RuleFolder> + use<'_> {
        self.sources.folders.iter()
    }

    /// The folders whose packs and lists take part.
    fn rule_folders(&self) -> impl Iterator<Item = &RuleFolder> + use<'_> {
        let left_out = usize::from(!self.sources.shipped_rules);
        self.sources.folders.iter().skip(left_out)
    }

    fn settings(&mut self) -> BundleSettings {
        let mut settings = BundleSettings::default();
        for file in self.sources.folders.iter().filter_map(|folder| folder.bundle.as_ref()) {
            settings.merge(file, self.out);
        }
        settings
    }

    fn taxonomy(&mut self) -> Option<Taxonomy> {
        let file = self.sources.folders.iter().rev().find_map(|folder| folder.taxonomy.as_ref());
        let Some(file) = file else {
            let help = "the shipped folder `rules` has one; does --home point beside it?";
            self.out.push(Diagnostic::global("B003", "there is no taxonomy.yaml").help(help));
            return None;
        };
        Taxonomy::compile(file, self.out)
    }

    fn packs(&mut self, taxonomy: &Taxonomy) -> Vec<PackFile> {
        let files: Vec<_> = self.rule_folders().map(|folder| folder.packs.clone()).collect();
        let mandatory = |category: &str| taxonomy.is_mandatory(&Category::new(category));
        self.packs = Layered::read(&files, &mandatory, self.out);
        self.report.weakened = self.packs.weakened().to_vec();
        self.packs.packs(self.out)
    }

    /// Shipped rules that take no part: shipped policies may still name them.
    fn left_out(&self) -> BTreeSet<RuleId> {
        let shipped = self.sources.folders.first().filter(|_| !self.sources.shipped_rules);
        let files = shipped.map_or(&[][..], |folder| &folder.packs);
        // What is wrong in a pack that is left out does not matter.
        let packs = files.iter().filter_map(|file| parse_pack(file, &mut Diagnostics::default()));
        packs.flat_map(|pack| pack.rules).map(|rule| RuleId::new(&rule.id)).collect()
    }

    fn rules(&mut self, packs: &[PackFile], taxonomy: &Taxonomy, extra: &Declared) -> Ruleset {
        let lists = ListFiles::new(self.rule_folders().flat_map(|folder| folder.lists.clone()));
        let categories: Vec<&str> = taxonomy.paths().collect();
        let is_mandatory = |path: &&&str| taxonomy.is_mandatory(&Category::new(path));
        let mandatory: Vec<&str> = categories.iter().filter(is_mandatory).copied().collect();
        let vocabulary = Vocabulary { categories: &categories, mandatory: &mandatory, extra };
        let rules = compile(packs, &lists, &vocabulary, Which::Scanned, self.out);
        for facts in rules.known() {
            let place = Status::ALL.iter().position(|&status| status == facts.status);
            self.report.rules[place.expect("every status is in ALL")] += 1;
        }
        self.report.entries = rules.entry_count();
        if self.out.has_errors() {
            // Tests of rules that did not compile would only repeat what is wrong with them.
            return rules;
        }
        // What is wrong with a draft was said above: every rule is checked, scanned or not.
        self.drafts =
            compile(packs, &lists, &vocabulary, Which::Drafts, &mut Diagnostics::default());
        self.report.examples = check_examples(packs, &rules, &self.drafts, self.out);
        let files: Vec<_> = self.folders().flat_map(|folder| folder.corpora.clone()).collect();
        let corpora: Vec<Corpus> = files.iter().map(|f| Corpus::parse(f, self.out)).collect();
        self.report.benign_lines = corpora.iter().map(Corpus::len).sum();
        self.report.benign_hits = blast_radius(&rules, &corpora, self.out);
        rules
    }

    fn models(&mut self, settings: &BundleSettings, taxonomy: &Taxonomy) -> Models {
        match self.sources.models {
            Some(source) => Models::load(source, settings, taxonomy, self.out),
            None => Models::default(),
        }
    }

    /// What each enforced rule leads to, and a warning for one that leads nowhere.
    fn reach(&mut self, packs: &[PackFile], rules: &Ruleset, policies: &PolicySet) {
        for facts in rules.scanned().filter(|facts| facts.status == Status::Enforced) {
            let reach = policies.reach(facts);
            if reach.is_nothing()
                && facts.severity.level() > 0
                && let Some(location) = rule_location(packs, &facts.id)
            {
                let message = format!("{} is enforced and leads to no action", facts.id.as_str());
                let help = "name it or its category in a policy, or run it as shadow";
                self.out.push(Diagnostic::warning("R060", location, message).help(help));
            }
            self.report.reach.insert(facts.id.clone(), reach);
        }
    }

    fn versions(&self, rules: &Ruleset, models: &Models) -> Versions {
        let mut bundle = ValueHasher::default();
        let mut policies = ValueHasher::default();
        for (layer, folder) in (0_u64..).zip(self.folders()) {
            for file in folder.deciding() {
                let relative = folder.relative(file);
                let left_out = layer == 0 && !self.sources.shipped_rules && is_rule_file(relative);
                if left_out {
                    continue;
                }
                bundle.integer(layer).bytes(relative).bytes(&file.text);
                if relative.starts_with("policies/") {
                    policies.integer(layer).bytes(relative).bytes(&file.text);
                }
            }
        }
        for model in models.deciding() {
            bundle.bytes(&model.sha256);
        }
        Versions {
            engine: crate::engine::VERSION,
            bundle: bundle.hex(),
            rules: rules.hash().to_owned(),
            policies: policies.hex(),
            models: models.deciding().map(|m| format!("{}@{}", m.name, m.version)).collect(),
        }
    }
}

fn is_rule_file(relative: &str) -> bool {
    relative.starts_with("packs/") || relative.starts_with("lists/")
}

fn rule_location(packs: &[PackFile], id: &RuleId) -> Option<Location> {
    let find = |pack: &PackFile| -> Option<(Arc<SourceFile>, std::ops::Range<usize>)> {
        let rule = pack.rules.iter().find(|rule| rule.id == id.as_str())?;
        Some((Arc::clone(&pack.file), rule.range.clone()))
    };
    packs.iter().find_map(find).map(|(file, range)| Location { file, range })
}
