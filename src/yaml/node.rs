//! The tree and the parser that makes it.

use std::{ops::Range, sync::Arc};

use granit_parser::{Event, Parser, ScalarStyle};

use crate::diagnostic::{Diagnostic, Diagnostics, Location, SourceFile};

/// Largest file, in bytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting.
const DEPTH_MAX: usize = 32;
/// Most nodes of a file.
const NODES_MAX: usize = 500_000;

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its bytes in the file.
    pub range: Range<usize>,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A scalar as its writer wrote it.
    Scalar {
        /// The text, escapes resolved.
        text: String,
        /// Written without quotes.
        plain: bool,
        /// A comment follows on the same line.
        comment_follows: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values, in the order of the file, each key once.
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The key's bytes in the file.
    pub key_range: Range<usize>,
    /// The value.
    pub value: Node,
}

/// Parses a file of one document; nothing, and a diagnostic, when it is no YAML.
pub fn parse(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<Node> {
    if file.text.len() > FILE_BYTES_MAX {
        let help = format!("a file may have {FILE_BYTES_MAX} bytes; split it");
        out.push(problem(file, 0..0, "Y002", "the file is too large").help(help));
        return None;
    }
    let mut builder = Builder { file, parser: Parser::new_from_str(&file.text), nodes: 0, last: 0 };
    let document = builder.document();
    document.map_err(|diagnostic| out.push(*diagnostic)).ok()
}

struct Builder<'a> {
    file: &'a Arc<SourceFile>,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    nodes: usize,
    /// End of the last event, for problems that the parser does not place.
    last: usize,
}

/// A diagnostic is boxed: it is large, and almost never there.
type Built<T> = Result<T, Box<Diagnostic>>;

impl<'a> Builder<'a> {
    fn document(&mut self) -> Built<Node> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, range) => {
                    return self.refuse(range, "Y003", "the file is empty");
                }
                (event, range) => {
                    let root = self.node(event, range, 0)?;
                    return self.end().map(|()| root);
                }
            }
        }
    }

    /// Reads on to the end of the stream: one document a file.
    fn end(&mut self) -> Built<()> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentEnd, _) => {}
                (_, range) => {
                    return self.refuse(range, "Y003", "a second document starts here");
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, range: Range<usize>, depth: usize) -> Built<Node> {
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return self.refuse(range, "Y002", "the file is nested too deeply or too large");
        }
        if event.anchor_id().is_some_and(|id| id > 0) || event.is_alias() || event.tag().is_some() {
            return self.refuse(range, "Y004", "anchors, aliases and tags are not used here");
        }
        match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                let comment_follows = self.comment_follows(range.end);
                let kind = NodeKind::Scalar { text: text.into_owned(), plain, comment_follows };
                Ok(Node { range, kind })
            }
            Event::SequenceStart(..) => self.sequence(range.start, depth),
            Event::MappingStart(..) => self.mapping(range.start, depth),
            _ => self.refuse(range, "Y001", "a value is expected here"),
        }
    }

    fn sequence(&mut self, start: usize, depth: usize) -> Built<Node> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, range) => {
                    let end = range.end.max(start);
                    return Ok(Node { range: start..end, kind: NodeKind::Sequence(items) });
                }
                (event, range) => items.push(self.node(event, range, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, start: usize, depth: usize) -> Built<Node> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, range) => {
                    let end = range.end.max(start);
                    return Ok(Node { range: start..end, kind: NodeKind::Mapping(entries) });
                }
                (Event::Scalar(key, ..), key_range) => {
                    if entries.iter().any(|entry| entry.key == key) {
                        let message = format!("the key `{key}` is there twice");
                        return self.refuse(key_range, "Y005", &message);
                    }
                    let key = key.into_owned();
                    let (event, range) = self.next()?;
                    let value = self.node(event, range, depth + 1)?;
                    entries.push(Entry { key, key_range, value });
                }
                (_, range) => return self.refuse(range, "Y001", "a key must be a plain word"),
            }
        }
    }

    /// The next event with its bytes.
    fn next(&mut self) -> Built<(Event<'a>, Range<usize>)> {
        match self.parser.next_event() {
            None => Ok((Event::StreamEnd, self.last..self.last)),
            Some(Ok((event, span))) => {
                let range = span.byte_range().unwrap_or(self.last..self.last);
                self.last = range.end;
                Ok((event, range))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(self.last);
                let message = format!("this is not valid YAML: {}", error.info());
                self.refuse(at..at, "Y001", &message)
            }
        }
    }

    /// Whether an unquoted scalar that ends at `end` is followed by ` #` on its line.
    fn comment_follows(&self, end: usize) -> bool {
        let line = self.file.text[end..].split('\n').next().unwrap_or_default();
        line.trim_start().starts_with('#')
    }

    fn refuse<T>(&self, range: Range<usize>, code: &'static str, message: &str) -> Built<T> {
        Err(Box::new(problem(self.file, range, code, message)))
    }
}

fn problem(
    file: &Arc<SourceFile>,
    range: Range<usize>,
    code: &'static str,
    message: &str,
) -> Diagnostic {
    Diagnostic::error(code, Location { file: Arc::clone(file), range }, message)
}
