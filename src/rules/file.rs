//! A rule pack as it was typed, with the place of everything.
//!
//! Reading checks form only: keys, words, numbers. What needs the other files (categories, lists,
//! unique ids) is checked when packs are compiled.

use std::{ops::Range, sync::Arc};

use jiff::civil::Date;

use super::{
    blast::{BlastRadius, earlier},
    combination::CombinationFile,
    expectation::{LanguageTag, Mismatch},
    expiry::{self, ExpiryFile},
    given::Given,
    variants::{self, Variant},
};
use crate::{
    condition::{self, ConditionFile},
    diagnostic::{Diagnostics, SourceFile},
    post::{Field, Surface},
    signal::{Category, Severity, Status},
    text::View,
    yaml::{Keys, Node, NodeKind, Reader, parse},
};

/// Longest entry, in bytes.
const ENTRY_BYTES_MAX: usize = 4096;

/// One pack.
#[derive(Debug)]
pub struct PackFile {
    /// The file it stands in.
    pub file: Arc<SourceFile>,
    /// The name, first half of every rule's id.
    pub name: String,
    /// The name's place.
    pub name_range: Range<usize>,
    /// Lists by the name that entries use.
    pub lists: Vec<ListReference>,
    /// Spellings that literals share.
    pub variants: Vec<Variant>,
    /// Decent phrases for every rule that is not mandatory.
    pub allow: Vec<EntryFile>,
    /// The rules, in order.
    pub rules: Vec<RuleFile>,
}

/// A list file that a pack uses.
#[derive(Debug, Clone)]
pub struct ListReference {
    /// The name entries use.
    pub name: String,
    /// The path, relative to the file that names it.
    pub path: String,
    /// The file that names it: the pack's, or one that changes the pack.
    pub from: Arc<SourceFile>,
    /// The path's place.
    pub range: Range<usize>,
    /// From when on it acts as shadow.
    pub expires: Option<ExpiryFile>,
    /// `shrink: accepted`: it may be much shorter than before.
    pub may_shrink: bool,
}

/// One rule.
#[derive(Debug)]
pub struct RuleFile {
    /// The whole id, `pack/name`.
    pub id: String,
    /// The id's place, which stands for the rule in messages.
    pub range: Range<usize>,
    /// One line for people.
    pub title: Option<String>,
    /// The kind of harm; nothing where the file does not say it, which is an error.
    pub category: Option<Category>,
    /// The category's place.
    pub category_range: Range<usize>,
    /// How bad.
    pub severity: Severity,
    /// How far the rule has come.
    pub status: Status,
    /// Where it is expected; empty: anywhere.
    pub languages: Vec<LanguageTag>,
    /// What follows where a find stands in another language.
    pub mismatch: Mismatch,
    /// Where it looks; empty: everywhere.
    pub surfaces: Vec<Surface>,
    /// What it finds.
    pub any: Vec<EntryFile>,
    /// What it asks for beside one find.
    pub combination: CombinationFile,
    /// What cancels a find that lies inside.
    pub unless: Vec<EntryFile>,
    /// What it asks of the post beside its words.
    pub when: Option<ConditionFile>,
    /// From when on it acts as shadow.
    pub expires: Option<ExpiryFile>,
    /// How much of decent posts it may hit, where that is more than usual; its end is in `expires`.
    pub blast_radius: Option<BlastRadius>,
    /// Texts it must hit.
    pub hit: Vec<Example>,
    /// Texts it must miss.
    pub miss: Vec<Example>,
    /// Texts it ought to hit one day.
    pub todo: Vec<Example>,
}

impl RuleFile {
    /// Every entry, whatever it is for.
    pub(super) fn every_entry(&self) -> impl Iterator<Item = &EntryFile> {
        let CombinationFile { all, none, near, .. } = &self.combination;
        let near = near.iter().flat_map(|near| &near.entries);
        self.any.iter().chain(&self.unless).chain(all.iter().flatten()).chain(none).chain(near)
    }
}

/// One thing to look for.
#[derive(Debug)]
pub struct EntryFile {
    /// How it matches.
    pub kind: EntryKind,
    /// What, as written; a list's name for [`EntryKind::List`].
    pub text: String,
    /// Its place.
    pub range: Range<usize>,
    /// What narrows it.
    pub options: EntryOptions,
}

/// How an entry matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A literal with a boundary at each edge.
    Word,
    /// A literal anywhere.
    Text,
    /// A literal at the start of a word.
    Prefix,
    /// A literal at the end of a word.
    Suffix,
    /// The whole field, trimmed.
    Exact,
    /// A regular expression.
    Regex,
    /// A host name with its subdomains.
    Domain,
    /// Every line of a list file.
    List,
}

impl EntryKind {
    /// The key that writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Text => "text",
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::Exact => "exact",
            Self::Regex => "regex",
            Self::Domain => "domain",
            Self::List => "list",
        }
    }
}

/// What narrows an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EntryOptions {
    /// The strongest folding allowed.
    pub view: Option<View>,
    /// Only in these fields; empty: in all but links.
    pub fields: Vec<Field>,
    /// The original must have the case of the entry.
    pub case: bool,
    /// Not directly after one of these.
    pub not_after: Vec<String>,
    /// Not directly before one of these.
    pub not_before: Vec<String>,
    /// From when on it acts as shadow.
    pub expires: Option<Date>,
}

/// A text with which a rule is tried.
#[derive(Debug, Clone)]
pub struct Example {
    /// The text.
    pub text: String,
    /// The language the author declares.
    pub language: Option<LanguageTag>,
    /// What is known of the post; without it every condition holds.
    pub given: Option<Box<Given>>,
    /// Its place.
    pub range: Range<usize>,
}

/// Reads a pack. What could be read is returned even beside errors, so that later checks can go on.
pub fn parse_pack(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<PackFile> {
    let root = parse(file, out)?;
    read_pack(file, &root, out)
}

/// The same of a file that was parsed before.
pub(super) fn read_pack(
    file: &Arc<SourceFile>,
    root: &Node,
    out: &mut Diagnostics,
) -> Option<PackFile> {
    let reader = Reader::new(file, out);
    let mut keys = reader.keys(root)?;
    let name = keys.require("pack", &reader);
    keys.take("owner").map(|node| reader.filled(node));
    let lists = keys.take("lists").map(|node| list_references(&reader, node)).unwrap_or_default();
    let variants = keys.take("variants").map(|n| variants::read(&reader, n)).unwrap_or_default();
    let allow = keys.take("allow").map(|node| entries(&reader, node)).unwrap_or_default();
    let rules = keys.require("rules", &reader);
    reader.finish(&keys);
    let name_node = name?;
    let name = reader.filled(name_node)?;
    if !is_name(name) {
        reader.error(
            &name_node.range,
            "R002",
            "a pack's name has lower-case letters, digits, - and _",
        );
    }
    let rules = reader.items(rules?).iter().filter_map(|node| rule(&reader, name, node)).collect();
    let (name, name_range) = (name.to_owned(), name_node.range.clone());
    Some(PackFile { file: Arc::clone(file), name, name_range, lists, variants, allow, rules })
}

pub(super) fn list_references(reader: &Reader<'_>, node: &Node) -> Vec<ListReference> {
    let Some(keys) = reader.keys(node) else { return Vec::new() };
    let mut lists = Vec::new();
    for entry in keys.entries() {
        let Some(mut keys) = reader.keys(&entry.value) else { continue };
        let path = keys.require("file", reader);
        keys.take("source").map(|node| reader.filled(node));
        let expires = keys.take("expires").and_then(|node| expiry::read(reader, node));
        let shrink = keys.take("shrink").and_then(|n| reader.choice(n, &[()], |()| "accepted"));
        reader.finish(&keys);
        if let Some(node) = path
            && let Some(path) = reader.filled(node)
        {
            let (name, path) = (entry.key.clone(), path.to_owned());
            lists.push(ListReference {
                name,
                path,
                from: Arc::clone(reader.file()),
                range: node.range.clone(),
                expires,
                may_shrink: shrink.is_some(),
            });
        }
    }
    lists
}

fn rule(reader: &Reader<'_>, pack: &str, node: &Node) -> Option<RuleFile> {
    let mut keys = reader.keys(node)?;
    let id = keys.require("id", reader);
    let title = keys.take("title").and_then(|node| reader.filled(node)).map(str::to_owned);
    keys.take("note").map(|node| reader.filled(node));
    let category = keys.require("category", reader);
    let severity = keys.require("severity", reader).and_then(|node| severity(reader, node));
    let status = keys.take("status");
    let status = status.map(|node| reader.choice(node, &Status::ALL, Status::as_str));
    let languages = keys.take("languages").map(|node| languages(reader, node)).unwrap_or_default();
    let mismatch = keys.take("mismatch");
    let mismatch = mismatch.and_then(|n| reader.choice(n, &Mismatch::ALL, Mismatch::as_str));
    let surfaces = keys.take("surfaces").map(|node| surfaces(reader, node)).unwrap_or_default();
    let any = keys.take("any").map(|node| entries(reader, node)).unwrap_or_default();
    let combination = CombinationFile::read(reader, &mut keys);
    let unless = keys.take("unless").map(|node| entries(reader, node)).unwrap_or_default();
    let when = keys.take("when").and_then(|node| condition::read(reader, node));
    let expires = keys.take("expires").and_then(|node| expiry::read(reader, node));
    let blast_radius = keys.take("blast_radius").and_then(|node| BlastRadius::read(reader, node));
    let expires = earlier(expires, blast_radius.as_ref().map(|radius| radius.until.clone()));
    let [hit, miss, todo] = ["hit", "miss", "todo"].map(|key| examples(reader, &mut keys, key));
    reader.finish(&keys);

    let id_node = id?;
    let id = reader.filled(id_node)?;
    if !is_name(id) {
        reader.error(&id_node.range, "R002", "a rule's id has lower-case letters, digits, - and _");
    }
    // What was wrong above is reported; the rest of the rule is read on, so that all is said at once.
    let category_range = category.map_or_else(|| id_node.range.clone(), |node| node.range.clone());
    let category = category.and_then(|node| reader.filled(node)).map(Category::new);
    Some(RuleFile {
        id: format!("{pack}/{id}"),
        range: id_node.range.clone(),
        title,
        category,
        category_range,
        severity: severity.unwrap_or_default(),
        status: status.flatten().unwrap_or(Status::Shadow),
        languages,
        mismatch: mismatch.unwrap_or_default(),
        surfaces,
        any,
        combination,
        unless,
        when,
        expires,
        blast_radius,
        hit,
        miss,
        todo,
    })
}

fn severity(reader: &Reader<'_>, node: &Node) -> Option<Severity> {
    let severity = reader.parsed::<u8>(node, "a severity from 0 to 4")?;
    let valid = Severity::new(severity);
    if valid.is_none() {
        let help = "0 signal only, 1 mild, 2 clear, 3 serious, 4 critical";
        reader.error_help(&node.range, "R003", "a severity is a number from 0 to 4", help);
    }
    valid
}

fn languages(reader: &Reader<'_>, node: &Node) -> Vec<LanguageTag> {
    let language = |item: &Node| {
        let language = LanguageTag::new(reader.filled(item)?);
        if language.is_none() {
            let message = "a language is a code such as en, pt-BR or zh-Hant";
            reader.error(&item.range, "R004", message);
        }
        language
    };
    reader.items(node).iter().filter_map(language).collect()
}

fn surfaces(reader: &Reader<'_>, node: &Node) -> Vec<Surface> {
    let surface = |item| reader.choice(item, &Surface::ALL, Surface::as_str);
    reader.items(node).iter().filter_map(surface).collect()
}

pub(super) fn entries(reader: &Reader<'_>, node: &Node) -> Vec<EntryFile> {
    reader.items(node).iter().filter_map(|item| entry(reader, item)).collect()
}

pub(super) fn entry(reader: &Reader<'_>, node: &Node) -> Option<EntryFile> {
    let (kind, value, options) = match &node.kind {
        NodeKind::Mapping(_) => keyed_entry(reader, node)?,
        _ => (EntryKind::Word, node, EntryOptions::default()),
    };
    let text = reader.filled(value)?;
    if text.len() > ENTRY_BYTES_MAX {
        let message = format!("an entry may have {ENTRY_BYTES_MAX} bytes");
        reader.error(&value.range, "R005", message);
        return None;
    }
    if let NodeKind::Scalar { plain: true, comment_follows: true, .. } = value.kind {
        let help = "quote the entry, so that it is plain what belongs to it";
        reader.error_help(&value.range, "R006", "a comment follows an unquoted entry", help);
    }
    Some(EntryFile { kind, text: text.to_owned(), range: value.range.clone(), options })
}

/// An entry written as `{regex: …, view: …}`.
fn keyed_entry<'n>(
    reader: &Reader<'_>,
    node: &'n Node,
) -> Option<(EntryKind, &'n Node, EntryOptions)> {
    use EntryKind::{Domain, Exact, List, Prefix, Regex, Suffix, Text, Word};
    let mut keys = reader.keys(node)?;
    let mut written = Vec::new();
    for kind in [Word, Text, Prefix, Suffix, Exact, Regex, Domain, List] {
        written.extend(keys.take(kind.as_str()).map(|value| (kind, value)));
    }
    let options = EntryOptions {
        view: keys.take("view").and_then(|n| reader.choice(n, &View::ALL, View::as_str)),
        fields: keys.take("fields").map(|n| fields(reader, n)).unwrap_or_default(),
        case: keys.take("case").and_then(|n| reader.boolean(n)).unwrap_or_default(),
        not_after: strings(reader, keys.take("not_after")),
        not_before: strings(reader, keys.take("not_before")),
        expires: keys.take("expires").and_then(|n| expiry::read(reader, n)).map(|e| e.date),
    };
    reader.finish(&keys);
    let [(kind, value)] = written[..] else {
        let help = "write exactly one of word, text, prefix, suffix, exact, regex, domain, list";
        reader.error_help(&node.range, "R007", "it is not clear how this entry matches", help);
        return None;
    };
    let folded_far = options.view >= Some(View::Skeleton);
    if folded_far && matches!(kind, EntryKind::Regex | EntryKind::Domain) {
        let help = "write `view: raw`, or leave it out for the standard view";
        let message = format!("a {} is looked for in the raw or the standard view", kind.as_str());
        reader.error_help(&node.range, "R008", message, help);
    }
    Some((kind, value, options))
}

fn fields(reader: &Reader<'_>, node: &Node) -> Vec<Field> {
    let field = |item| reader.choice(item, &Field::ALL, Field::as_str);
    reader.items(node).iter().filter_map(field).collect()
}

fn strings(reader: &Reader<'_>, node: Option<&Node>) -> Vec<String> {
    let texts = node.map(|node| reader.texts(node)).unwrap_or_default();
    texts.into_iter().map(str::to_owned).collect()
}

fn examples(reader: &Reader<'_>, keys: &mut Keys<'_>, key: &'static str) -> Vec<Example> {
    let Some(node) = keys.take(key) else { return Vec::new() };
    reader.items(node).iter().filter_map(|item| example(reader, item)).collect()
}

fn example(reader: &Reader<'_>, node: &Node) -> Option<Example> {
    let NodeKind::Mapping(_) = node.kind else {
        let text = reader.text(node)?.to_owned();
        return Some(Example { text, language: None, given: None, range: node.range.clone() });
    };
    let mut keys = reader.keys(node)?;
    let text = keys.require("text", reader);
    let language = keys.take("language").map(|n| languages(reader, n)).unwrap_or_default();
    let given = Given::read(reader, &mut keys).map(Box::new);
    reader.finish(&keys);
    let (node, language) = (text?, language.first().copied());
    let text = reader.text(node)?.to_owned();
    Some(Example { text, language, given, range: node.range.clone() })
}

/// Ids and names: `off-platform-contact`, `scam_fraud`.
fn is_name(name: &str) -> bool {
    let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    !name.is_empty() && name.len() <= 80 && name.bytes().all(valid)
}
