//! YAML as a tree that knows where everything stands.
//!
//! Files that people write are read through this tree and not through a derived deserializer, for two
//! reasons: *all* mistakes of a file are reported at once, each with its place, and scalars are taken
//! as they were written (a keyword `no`, `007` or `null` is a word, not a boolean, a number, nothing).
//! Anchors, aliases and tags are refused: no file here needs them, and they are how YAML bombs work.

mod layout;
#[cfg(test)]
mod layout_tests;
mod node;
mod reader;

pub use layout::{format, format_list};
pub use node::{Entry, Node, NodeKind, parse};
pub use reader::{Keys, Reader};
