//! Values as they were written, each with where it came from: file and environment over defaults.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::settings::{LISTS, PASS_THROUGH, SETTINGS, find, variable};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Location, SourceFile, nearest},
    yaml::{Entry, NodeKind, Reader, parse},
};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The table of defaults.
    Default,
    /// A place in the file.
    File(Location),
    /// An environment variable.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(location) => {
                write!(f, "{}:{}", location.file.path, location.line_column().0)
            }
            Self::Environment(variable) => f.write_str(variable),
        }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The text; the items of a list are joined by newlines.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
}

/// All values by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawConfig(BTreeMap<String, Value>);

impl RawConfig {
    /// Reads a file and an environment over the defaults; what is not known is reported.
    pub fn read(
        file: Option<&Arc<SourceFile>>,
        environment: impl IntoIterator<Item = (String, String)>,
        out: &mut Diagnostics,
    ) -> Self {
        let default = |text: &str| Value { text: text.to_owned(), origin: Origin::Default };
        let mut values: BTreeMap<String, Value> =
            SETTINGS.iter().map(|s| (s.key.to_owned(), default(s.default))).collect();
        if let Some(file) = file
            && !file.text.trim().is_empty()
            && let Some(root) = parse(file, out)
        {
            let reader = Reader::new(file, out);
            if let Some(keys) = reader.keys(&root) {
                FileValues { reader: &reader, values: &mut values }.read("", keys.entries());
            }
        }
        read_environment(environment, &mut values, out);
        Self(values)
    }

    /// The value of a key of the table.
    ///
    /// # Panics
    /// When the table has no such key.
    pub fn get(&self, key: &str) -> &Value {
        self.0.get(key).expect("the key stands in the table of settings")
    }

    /// Every value, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The values that are handed to librdkafka as they are.
    pub fn pass_through(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.iter().filter_map(|(key, value)| Some((key.strip_prefix(PASS_THROUGH)?, value)))
    }
}

struct FileValues<'a> {
    reader: &'a Reader<'a>,
    values: &'a mut BTreeMap<String, Value>,
}

impl FileValues<'_> {
    fn read(&mut self, prefix: &str, entries: &[Entry]) {
        for entry in entries {
            let key = format!("{prefix}{}", entry.key);
            match &entry.value.kind {
                NodeKind::Mapping(inner) if is_section(&key) => {
                    self.read(&format!("{key}."), inner);
                }
                NodeKind::Sequence(_) if LISTS.contains(&key.as_str()) => {
                    let items = self.reader.texts(&entry.value).join("\n");
                    self.put(key, items, entry);
                }
                // An empty value, or the word null, is no value.
                NodeKind::Scalar { text, plain: true, .. } if text.is_empty() || text == "null" => {
                    if find(&key).is_none() && !is_section(&key) {
                        self.unknown(&key, entry);
                    } else if !is_section(&key) {
                        self.put(key, String::new(), entry);
                    }
                }
                NodeKind::Scalar { text, .. } if is_known(&key) => {
                    self.put(key, text.clone(), entry);
                }
                _ if is_known(&key) => {
                    let message = format!("`{key}` takes a single value");
                    self.reader.error(&entry.value.range, "C002", message);
                }
                _ => self.unknown(&key, entry),
            }
        }
    }

    fn put(&mut self, key: String, text: String, entry: &Entry) {
        let origin = Origin::File(self.reader.location(&entry.value.range));
        self.values.insert(key, Value { text, origin });
    }

    fn unknown(&self, key: &str, entry: &Entry) {
        let message = format!("`{key}` is no setting");
        self.reader.error_help(&entry.key_range, "C001", message, suggestion(key));
    }
}

fn read_environment(
    environment: impl IntoIterator<Item = (String, String)>,
    values: &mut BTreeMap<String, Value>,
    out: &mut Diagnostics,
) {
    for (name, text) in environment {
        let Some(path) = name.strip_prefix("TIDEGATE__") else { continue };
        let known = SETTINGS.iter().find(|setting| variable(setting.key) == name);
        let key = match known {
            Some(setting) => setting.key.to_owned(),
            None => path.to_ascii_lowercase().replace("__", "."),
        };
        if !is_known(&key) {
            let message = format!("the environment variable {name} is no setting");
            out.push(Diagnostic::global("C001", message).help(suggestion(&key)));
            continue;
        }
        let text = if LISTS.contains(&key.as_str()) { text.replace(',', "\n") } else { text };
        values.insert(key, Value { text, origin: Origin::Environment(name) });
    }
}

fn is_known(key: &str) -> bool {
    find(key).is_some() || key.strip_prefix(PASS_THROUGH).is_some_and(|name| !name.is_empty())
}

fn is_section(key: &str) -> bool {
    let prefix = format!("{key}.");
    PASS_THROUGH.starts_with(&prefix) || SETTINGS.iter().any(|s| s.key.starts_with(&prefix))
}

fn suggestion(key: &str) -> String {
    match nearest(key, SETTINGS.iter().map(|setting| setting.key)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`tidegate config show` lists every setting".to_owned(),
    }
}
