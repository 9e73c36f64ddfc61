//! The kinds of harm that rules, models and policies speak of, as data.
//!
//! The file says for each category what it means, what others call it, and what no policy may do with
//! it. Nothing here knows rules, models or regions. A file with any mistake gives no taxonomy.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    decision::Action,
    diagnostic::{Diagnostics, SourceFile},
    signal::Category,
    yaml::{Keys, Node, Reader, parse},
};

/// Every code of taxonomy files with its meaning in one line.
pub const CODES: &[(&str, &str)] = &[
    (ID_INVALID, "an id has the wrong form or is there twice"),
    (NAME_UNKNOWN, "a name refers to nothing in this file"),
    (NOTHING, "the file has no categories"),
];
const ID_INVALID: &str = "T001";
const NAME_UNKNOWN: &str = "T002";
const NOTHING: &str = "T003";

/// Most categories and sub-categories together: they are metric labels.
const CATEGORIES_MAX: usize = 500;

/// All categories, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxonomy {
    items: BTreeMap<Category, Item>,
    umbrellas: BTreeMap<Category, String>,
    labels: BTreeMap<String, Category>,
}

/// What the file says about one category, with what it has from its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// One line for the person who has to decide.
    pub definition: String,
    /// Nothing but the rule's own exceptions may weaken it.
    pub mandatory: bool,
    /// It acts only through a policy row of the place.
    pub rows_only: bool,
    /// The strictest action that a policy may take.
    pub max_action: Action,
    /// Umbrella scores that speak for it.
    pub umbrellas: Vec<Category>,
    /// What others call it.
    pub names: Names,
}

/// A category's names in the vocabularies of others. A sub-category has its parent's where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Category of the European Union's Transparency Database, without `STATEMENT_CATEGORY_`.
    pub dsa_category: Option<String>,
    /// Keywords of the same database, without `KEYWORD_`.
    pub dsa_keywords: Vec<String>,
    /// `OpenAI`'s moderation categories.
    pub openai: Vec<String>,
    /// Attributes of the Perspective API.
    pub perspective: Vec<String>,
    /// Categories of Azure AI Content Safety.
    pub azure: Vec<String>,
}

impl Taxonomy {
    /// Reads the file; nothing, and diagnostics, when anything in it is wrong.
    pub fn compile(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<Self> {
        let mut found = Diagnostics::default();
        let taxonomy = parse(file, &mut found).and_then(|root| {
            let reader = Reader::new(file, &mut found);
            let mut it = Self::empty();
            it.read(&reader, &root)?;
            Some(it)
        });
        let refused = found.has_errors();
        for diagnostic in found.sorted() {
            out.push(diagnostic.clone());
        }
        taxonomy.filter(|_| !refused)
    }

    /// Whether there is a category of this path. Umbrellas are none.
    pub fn contains(&self, category: &Category) -> bool {
        self.items.contains_key(category)
    }

    /// What the file says about a category.
    pub fn item(&self, category: &Category) -> Option<&Item> {
        self.items.get(category)
    }

    /// One line that says what a category or umbrella means.
    pub fn definition(&self, category: &Category) -> Option<&str> {
        let umbrella = || self.umbrellas.get(category);
        self.items.get(category).map(|item| &item.definition).or_else(umbrella).map(String::as_str)
    }

    /// Whether nothing may weaken it.
    pub fn is_mandatory(&self, category: &Category) -> bool {
        self.items.get(category).is_some_and(|item| item.mandatory)
    }

    /// Whether this is a score that is no category, such as `toxic`.
    pub fn is_umbrella(&self, category: &Category) -> bool {
        self.umbrellas.contains_key(category)
    }

    /// The strictest action that a policy may take on a category or umbrella.
    pub fn max_action(&self, category: &Category) -> Action {
        if self.is_umbrella(category) {
            return Action::Review;
        }
        self.items.get(category).map_or(Action::Block, |item| item.max_action)
    }

    /// The category or umbrella that a model's label speaks of.
    pub fn of_model_label(&self, label: &str) -> Option<&Category> {
        self.labels.get(label)
    }

    /// Every category with what the file says about it, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&Category, &Item)> {
        self.items.iter()
    }

    /// The umbrella scores.
    pub fn umbrellas(&self) -> impl Iterator<Item = &Category> {
        self.umbrellas.keys()
    }

    /// Every path a file may name, umbrellas at the end: for suggestions.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.items.keys().chain(self.umbrellas.keys()).map(Category::as_str)
    }

    fn empty() -> Self {
        Self { items: BTreeMap::new(), umbrellas: BTreeMap::new(), labels: BTreeMap::new() }
    }

    fn read(&mut self, reader: &Reader<'_>, root: &Node) -> Option<()> {
        let mut keys = reader.keys(root)?;
        let umbrellas = keys.take("umbrellas");
        let labels = keys.take("model_labels");
        let categories = keys.require("categories", reader);
        reader.finish(&keys);
        if let Some(node) = umbrellas {
            self.read_umbrellas(reader, node);
        }
        for node in reader.items(categories?) {
            self.read_category(reader, node);
        }
        if self.items.is_empty() || self.items.len() > CATEGORIES_MAX {
            let message = format!("a taxonomy has 1 to {CATEGORIES_MAX} categories");
            reader.error(&root.range, NOTHING, message);
        }
        if let Some(node) = labels {
            self.read_labels(reader, node);
        }
        Some(())
    }

    fn read_umbrellas(&mut self, reader: &Reader<'_>, node: &Node) {
        for node in reader.items(node) {
            let Some(mut keys) = reader.keys(node) else { continue };
            let id = keys.require("id", reader).and_then(|node| read_id(reader, node));
            let definition = required_text(reader, &mut keys, "definition");
            reader.finish(&keys);
            if let (Some(id), Some(definition)) = (id, definition) {
                self.umbrellas.insert(Category::new(id), definition);
            }
        }
    }

    fn read_category(&mut self, reader: &Reader<'_>, node: &Node) -> Option<()> {
        let mut keys = reader.keys(node)?;
        let rows_only = flag(reader, &mut keys, "rows_only");
        let umbrellas = keys.take("umbrella").map(|node| self.read_umbrella_names(reader, node));
        let subcategories = keys.take("subcategories");
        let item = read_item(reader, &mut keys);
        reader.finish(&keys);
        let (id, mut item) = item?;
        item.rows_only = rows_only;
        item.umbrellas = umbrellas.unwrap_or_default();
        self.insert(reader, node, id, item.clone());
        for node in subcategories.map_or(&[][..], |node| reader.items(node)) {
            let Some(mut keys) = reader.keys(node) else { continue };
            let sub = read_item(reader, &mut keys);
            reader.finish(&keys);
            let Some((sub_id, sub)) = sub else { continue };
            self.insert(reader, node, &format!("{id}/{sub_id}"), inherit(&item, sub));
        }
        Some(())
    }

    fn read_umbrella_names(&self, reader: &Reader<'_>, node: &Node) -> Vec<Category> {
        let mut found = Vec::new();
        for node in reader.items(node) {
            let Some(name) = reader.filled(node) else { continue };
            let umbrella = Category::new(name);
            if self.is_umbrella(&umbrella) {
                found.push(umbrella);
            } else {
                let message = format!("there is no umbrella `{name}`");
                let help = "umbrellas are listed under `umbrellas` at the top of this file";
                reader.error_help(&node.range, NAME_UNKNOWN, message, help);
            }
        }
        found
    }

    fn read_labels(&mut self, reader: &Reader<'_>, node: &Node) {
        let Some(keys) = reader.keys(node) else { return };
        for entry in keys.entries() {
            let Some(path) = reader.filled(&entry.value) else { continue };
            let target = Category::new(path);
            if self.contains(&target) || self.is_umbrella(&target) {
                self.labels.insert(entry.key.clone(), target);
            } else {
                let message = format!("there is no category or umbrella `{path}`");
                reader.error(&entry.value.range, NAME_UNKNOWN, message);
            }
        }
    }

    fn insert(&mut self, reader: &Reader<'_>, node: &Node, path: &str, item: Item) {
        let path = Category::new(path);
        if self.is_umbrella(&path) || self.items.insert(path.clone(), item).is_some() {
            let message = format!("the category `{}` is there twice", path.as_str());
            reader.error(&node.range, ID_INVALID, message);
        }
    }
}

/// A sub-category has from its parent what it does not say itself, and is never freer.
fn inherit(parent: &Item, own: Item) -> Item {
    let list =
        |own: Vec<String>, parent: &Vec<String>| if own.is_empty() { parent.clone() } else { own };
    let has_dsa = own.names.dsa_category.is_some();
    let names = Names {
        dsa_keywords: if has_dsa {
            own.names.dsa_keywords
        } else {
            parent.names.dsa_keywords.clone()
        },
        dsa_category: own.names.dsa_category.or_else(|| parent.names.dsa_category.clone()),
        openai: list(own.names.openai, &parent.names.openai),
        perspective: list(own.names.perspective, &parent.names.perspective),
        azure: list(own.names.azure, &parent.names.azure),
    };
    Item {
        mandatory: own.mandatory || parent.mandatory,
        rows_only: parent.rows_only,
        max_action: own.max_action.min(parent.max_action),
        umbrellas: parent.umbrellas.clone(),
        definition: own.definition,
        names,
    }
}

fn read_item<'n>(reader: &Reader<'_>, keys: &mut Keys<'n>) -> Option<(&'n str, Item)> {
    let id = keys.require("id", reader).and_then(|node| read_id(reader, node));
    let definition = required_text(reader, keys, "definition");
    let mandatory = flag(reader, keys, "mandatory");
    let max_action = keys.take("max_action");
    let max_action = max_action.and_then(|n| reader.choice(n, &Action::ALL, Action::as_str));
    let names = keys.take("names").and_then(|node| read_names(reader, node));
    let item = Item {
        definition: definition?,
        mandatory,
        rows_only: false,
        max_action: max_action.unwrap_or(Action::Block),
        umbrellas: Vec::new(),
        names: names.unwrap_or_default(),
    };
    Some((id?, item))
}

fn read_names(reader: &Reader<'_>, node: &Node) -> Option<Names> {
    let texts = |node: Option<&Node>| -> Vec<String> {
        node.map(|node| reader.texts(node).into_iter().map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let mut keys = reader.keys(node)?;
    let mut names = Names::default();
    if let Some(mut dsa) = keys.take("dsa").and_then(|node| reader.keys(node)) {
        names.dsa_category = required_text(reader, &mut dsa, "category");
        names.dsa_keywords = texts(dsa.take("keywords"));
        reader.finish(&dsa);
    }
    names.openai = texts(keys.take("openai"));
    names.perspective = texts(keys.take("perspective"));
    names.azure = texts(keys.take("azure"));
    reader.finish(&keys);
    Some(names)
}

fn read_id<'n>(reader: &Reader<'_>, node: &'n Node) -> Option<&'n str> {
    let id = reader.filled(node)?;
    let starts = id.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Some(id);
    }
    let help = "lower-case letters, digits and `_`, a letter first, such as `self_harm`";
    reader.error_help(&node.range, ID_INVALID, format!("`{id}` is no id of a category"), help);
    None
}

fn required_text(reader: &Reader<'_>, keys: &mut Keys<'_>, key: &'static str) -> Option<String> {
    keys.require(key, reader).and_then(|node| reader.filled(node)).map(str::to_owned)
}

fn flag(reader: &Reader<'_>, keys: &mut Keys<'_>, key: &'static str) -> bool {
    keys.take(key).and_then(|node| reader.boolean(node)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(text: &str) -> (Option<Taxonomy>, Vec<String>) {
        let file = Arc::new(SourceFile { path: "taxonomy.yaml".into(), text: text.into() });
        let mut out = Diagnostics::default();
        let taxonomy = Taxonomy::compile(&file, &mut out);
        let told = out.sorted().into_iter().map(|d| format!("{} {}", d.code, d.message)).collect();
        (taxonomy, told)
    }

    const SMALL: &str = "
umbrellas: [{id: toxic, definition: hostile}]
model_labels: {bad: toxic, slurs: hate/slur}
categories:
  - id: hate
    definition: h
    umbrella: toxic
    max_action: review
    names: {dsa: {category: SPEECH, keywords: [HATE]}, openai: [hate], azure: Hate}
    subcategories:
      - {id: slur, definition: s, mandatory: true, names: {openai: hate/slur}}
  - {id: local_law, definition: l, rows_only: true, mandatory: true, subcategories: [{id: other, definition: o}]}
";

    #[test]
    fn a_subcategory_has_from_its_parent_what_it_does_not_say() {
        let taxonomy = compile(SMALL).0.expect("a right file");
        let [hate, slur, other] = ["hate", "hate/slur", "local_law/other"].map(Category::new);
        let item = taxonomy.item(&slur).expect("it is there");
        assert_eq!(item.names.openai, ["hate/slur"]);
        assert_eq!(item.names.azure, ["Hate"]);
        assert_eq!(item.names.dsa_category.as_deref(), Some("SPEECH"));
        assert_eq!(item.umbrellas, [Category::new("toxic")]);
        assert_eq!(taxonomy.max_action(&slur), Action::Review);
        assert!(taxonomy.is_mandatory(&slur) && !taxonomy.is_mandatory(&hate));
        assert!(taxonomy.is_mandatory(&other));
        assert!(taxonomy.item(&other).is_some_and(|item| item.rows_only));
        assert_eq!(taxonomy.of_model_label("slurs"), Some(&slur));
    }

    #[test]
    fn an_umbrella_is_no_category_and_never_blocks() {
        let taxonomy = compile(SMALL).0.expect("a right file");
        let toxic = Category::new("toxic");
        assert!(taxonomy.is_umbrella(&toxic) && !taxonomy.contains(&toxic));
        assert_eq!(taxonomy.max_action(&toxic), Action::Review);
        assert_eq!(taxonomy.definition(&toxic), Some("hostile"));
        assert_eq!(taxonomy.paths().last(), Some("toxic"));
    }

    #[test]
    fn mistakes_are_told() {
        let cases = [
            ("categories: []", "T003 a taxonomy has 1 to 500 categories"),
            ("umbrellas: []", "Y016 the key `categories` is missing"),
            ("categories: [{id: Hate, definition: h}]", "T001 `Hate` is no id of a category"),
            ("categories: [{id: a}]", "Y016 the key `definition` is missing"),
            (
                "categories: [{id: a, definition: x, umbrella: bad}]",
                "T002 there is no umbrella `bad`",
            ),
            (
                "categories: [{id: a, definition: x}, {id: a, definition: y}]",
                "T001 the category `a` is there twice",
            ),
            (
                "model_labels: {x: b}\ncategories: [{id: a, definition: x}]",
                "T002 there is no category or umbrella `b`",
            ),
            (
                "categories: [{id: a, definition: x, subcategories: [{id: b, definition: y, rows_only: true}]}]",
                "Y015 the key `rows_only` is not known here",
            ),
        ];
        for (text, expected) in cases {
            let (taxonomy, told) = compile(text);
            assert!(taxonomy.is_none(), "{text}");
            assert!(told.contains(&expected.to_owned()), "{text}\n{told:#?}");
        }
    }
}
