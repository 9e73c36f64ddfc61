//! Reads values out of the tree and collects what is wrong with them.

use std::{cell::RefCell, ops::Range, str::FromStr, sync::Arc};

use super::node::{Entry, Node, NodeKind};
use crate::diagnostic::{Diagnostic, Diagnostics, Location, SourceFile, nearest};

/// Reads one file. Its methods take shared borrows, so that a reader can be handed around freely.
#[derive(Debug)]
pub struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    out: RefCell<&'a mut Diagnostics>,
}

impl<'a> Reader<'a> {
    /// A reader of `file` that reports to `out`.
    pub fn new(file: &'a Arc<SourceFile>, out: &'a mut Diagnostics) -> Self {
        Self { file, out: RefCell::new(out) }
    }

    /// The file.
    pub fn file(&self) -> &'a Arc<SourceFile> {
        self.file
    }

    /// A place in the file.
    pub fn location(&self, range: &Range<usize>) -> Location {
        Location { file: Arc::clone(self.file), range: range.clone() }
    }

    /// Reports an error.
    pub fn error(&self, range: &Range<usize>, code: &'static str, message: impl Into<String>) {
        self.push(Diagnostic::error(code, self.location(range), message));
    }

    /// Reports an error with a way to mend it.
    pub fn error_help(
        &self,
        range: &Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic::error(code, self.location(range), message).help(help));
    }

    /// Reports a warning.
    pub fn warning(&self, range: &Range<usize>, code: &'static str, message: impl Into<String>) {
        self.push(Diagnostic::warning(code, self.location(range), message));
    }

    /// Reports anything.
    pub fn push(&self, diagnostic: Diagnostic) {
        self.out.borrow_mut().push(diagnostic);
    }

    /// The keys of a mapping.
    pub fn keys<'n>(&self, node: &'n Node) -> Option<Keys<'n>> {
        let NodeKind::Mapping(entries) = &node.kind else {
            self.error(&node.range, "Y010", "keys with values are expected here");
            return None;
        };
        Some(Keys { entries, range: node.range.clone(), asked: Vec::new() })
    }

    /// The items of a list; a single value stands for a list of one.
    pub fn items<'n>(&self, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            NodeKind::Sequence(items) => items,
            _ => std::slice::from_ref(node),
        }
    }

    /// A scalar as it was written.
    pub fn text<'n>(&self, node: &'n Node) -> Option<&'n str> {
        let NodeKind::Scalar { text, .. } = &node.kind else {
            self.error(&node.range, "Y011", "a single value is expected here");
            return None;
        };
        Some(text)
    }

    /// A scalar that must not be empty.
    pub fn filled<'n>(&self, node: &'n Node) -> Option<&'n str> {
        let text = self.text(node)?;
        if text.trim().is_empty() {
            self.error(&node.range, "Y012", "a value is missing here");
            return None;
        }
        Some(text)
    }

    /// The scalars of a list, or a single one.
    pub fn texts<'n>(&self, node: &'n Node) -> Vec<&'n str> {
        self.items(node).iter().filter_map(|item| self.filled(item)).collect()
    }

    /// `true` or `false`.
    pub fn boolean(&self, node: &Node) -> Option<bool> {
        match self.text(node)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.error(&node.range, "Y013", "`true` or `false` is expected here");
                None
            }
        }
    }

    /// Anything that can be read off a word; `what` names it for the message.
    pub fn parsed<T: FromStr>(&self, node: &Node, what: &str) -> Option<T> {
        let value = self.filled(node)?.parse().ok();
        if value.is_none() {
            self.error(&node.range, "Y013", format!("{what} is expected here"));
        }
        value
    }

    /// One of a closed set of words.
    pub fn choice<T: Copy>(
        &self,
        node: &Node,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let word = self.filled(node)?;
        let found = all.iter().copied().find(|&value| name(value) == word);
        if found.is_none() {
            let names: Vec<&str> = all.iter().map(|&value| name(value)).collect();
            let help = match nearest(word, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of: {}", names.join(", ")),
            };
            self.error_help(&node.range, "Y014", format!("`{word}` is not known here"), help);
        }
        found
    }

    /// Reports every key that nobody asked for.
    pub fn finish(&self, keys: &Keys<'_>) {
        for entry in keys.entries.iter().filter(|entry| !keys.asked.contains(&&*entry.key)) {
            let help = match nearest(&entry.key, keys.asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", keys.asked.join(", ")),
            };
            let message = format!("the key `{}` is not known here", entry.key);
            self.error_help(&entry.key_range, "Y015", message, help);
        }
    }
}

/// The keys of one mapping. Asking for a key makes it known; [`Reader::finish`] reports the others.
#[derive(Debug)]
pub struct Keys<'n> {
    entries: &'n [Entry],
    /// The mapping's bytes.
    pub range: Range<usize>,
    asked: Vec<&'static str>,
}

impl<'n> Keys<'n> {
    /// The value of a key, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The value of a key that must be there.
    pub fn require(&mut self, key: &'static str, reader: &Reader<'_>) -> Option<&'n Node> {
        let value = self.take(key);
        if value.is_none() {
            // The first line of the mapping is enough to find it.
            let first = self.entries.first().map_or(self.range.clone(), |e| e.key_range.clone());
            reader.error(&first, "Y016", format!("the key `{key}` is missing"));
        }
        value
    }

    /// Every entry, for mappings whose keys are names of things.
    pub fn entries(&self) -> &'n [Entry] {
        self.entries
    }
}
