//! What packs look for, as words: for tools that add to them.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    file::{EntryKind, parse_pack},
    list::{ListFiles, lines},
    patterns,
};
use crate::{
    diagnostic::{Diagnostics, SourceFile},
    text::View,
};

/// The bare words of packs, their lists' among them. Packs that cannot be read have none.
pub fn written_words(packs: &[Arc<SourceFile>], lists: &ListFiles) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for pack in packs.iter().filter_map(|file| parse_pack(file, &mut Diagnostics::default())) {
        for entry in pack.rules.iter().flat_map(|rule| &rule.any) {
            match entry.kind {
                EntryKind::Word => drop(words.insert(entry.text.clone())),
                EntryKind::List => {
                    let named = pack.lists.iter().find(|list| list.name == entry.text);
                    let file = named.and_then(|list| lists.resolve(&list.from, &list.path));
                    let entries = file.into_iter().flat_map(|file| lines(file));
                    words.extend(entries.map(|(line, _)| line.to_owned()));
                }
                _ => {}
            }
        }
    }
    words
}

/// Whether a rule could hold this regex, on the original or on the standard view; else why not.
pub fn check_regex(text: &str, raw: bool) -> Result<(), String> {
    let view = if raw { View::Raw } else { View::Standard };
    patterns::check(text, view).map(drop).map_err(|problem| problem.message)
}
