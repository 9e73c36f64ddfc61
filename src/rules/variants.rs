//! Spellings that the literals of a pack share: `{name}` inside a literal stands for each of them.
//!
//! Literals are expanded at load, so a variant costs a scan nothing more than the literals written out.

use std::ops::Range;

use super::patterns::Problem;
use crate::{
    diagnostic::nearest,
    yaml::{Node, Reader},
};

/// Most variants of a pack.
const VARIANTS_MAX: usize = 1000;
/// Most spellings of one variant.
const SPELLINGS_MAX: usize = 200;
/// Most literals that one entry may stand for.
const EXPANDED_MAX: usize = 1000;

/// One name with its spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The name, as it stands between braces.
    pub name: String,
    /// What it stands for, taken as it is written.
    pub spellings: Vec<String>,
}

/// Reads `variants`.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Vec<Variant> {
    let entries = reader.keys(node).map_or(&[][..], |keys| keys.entries());
    if entries.len() > VARIANTS_MAX {
        too_many(reader, &node.range, entries.len(), "variants", VARIANTS_MAX);
        return Vec::new();
    }
    let mut variants = Vec::new();
    for entry in entries {
        let name = entry.key.as_str();
        if name.trim().is_empty() || name.trim() != name || name.contains(['{', '}']) {
            let message = format!("`{name}` cannot be the name of a variant");
            let help = "a name has no braces, and no spaces around it";
            reader.error_help(&entry.key_range, "R037", message, help);
        }
        let spellings: Vec<String> =
            reader.texts(&entry.value).into_iter().map(str::to_owned).collect();
        if spellings.is_empty() || spellings.len() > SPELLINGS_MAX {
            too_many(reader, &entry.value.range, spellings.len(), "spellings", SPELLINGS_MAX);
        }
        variants.push(Variant { name: name.to_owned(), spellings });
    }
    variants
}

fn too_many(reader: &Reader<'_>, range: &Range<usize>, found: usize, what: &str, most: usize) {
    reader.error(range, "R038", format!("{found} {what} stand here; 1 to {most} may"));
}

/// Every literal that an entry stands for; doubled braces stand for a brace.
pub(super) fn expand(variants: &[Variant], text: &str) -> Result<Vec<String>, Problem> {
    let mut made = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        append(&mut made, &rest[..at]);
        rest = &rest[at..];
        if let Some(after) = ["{{", "}}"].iter().find_map(|double| rest.strip_prefix(double)) {
            append(&mut made, &rest[..1]);
            rest = after;
            continue;
        }
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let Some((name, after)) = inside else { return Err(open_brace()) };
        let Some(variant) = variants.iter().find(|variant| variant.name == name) else {
            return Err(unknown(variants, name));
        };
        let literals = made.len().saturating_mul(variant.spellings.len());
        if literals > EXPANDED_MAX {
            return Err(too_wide());
        }
        let spelled = |before: &String| {
            let spellings = variant.spellings.iter();
            spellings.map(|spelling| format!("{before}{spelling}")).collect::<Vec<_>>()
        };
        made = made.iter().flat_map(spelled).collect();
        rest = after;
    }
    append(&mut made, rest);
    made.sort_unstable();
    made.dedup();
    Ok(made)
}

fn append(made: &mut [String], text: &str) {
    for literal in made {
        literal.push_str(text);
    }
}

fn open_brace() -> Problem {
    problem("R037", "a brace stands here that is no variant's", "write `{{` or `}}` for a brace")
}

fn unknown(variants: &[Variant], name: &str) -> Problem {
    let near = nearest(name, variants.iter().map(|variant| variant.name.as_str()));
    let help = near.map_or_else(
        || "declare it under `variants` at the top of the pack; `{{` is a brace".to_owned(),
        |near| format!("did you mean `{{{near}}}`?"),
    );
    problem("R037", &format!("there is no variant `{name}` in this pack"), &help)
}

fn too_wide() -> Problem {
    let message = format!("this entry stands for more than {EXPANDED_MAX} literals");
    problem("R038", &message, "use fewer variants in one entry, or give them fewer spellings")
}

fn problem(code: &'static str, message: &str, help: &str) -> Problem {
    Problem { code, message: message.to_owned(), help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variants() -> Vec<Variant> {
        let variant = |name: &str, spellings: &[&str]| Variant {
            name: name.to_owned(),
            spellings: spellings.iter().map(|s| (*s).to_owned()).collect(),
        };
        let many: Vec<String> = (0..40).map(|i| i.to_string()).collect();
        vec![
            variant("加", &["加", "+", "jia"]),
            variant("微信", &["微信", "vx"]),
            Variant { name: "many".to_owned(), spellings: many },
        ]
    }

    #[test]
    fn a_literal_stands_for_every_spelling_of_its_variants() {
        let expanded = |text: &str| expand(&variants(), text).expect("it expands");
        assert_eq!(expanded("plain"), ["plain"]);
        assert_eq!(expanded("{加}{微信}"), ["+vx", "+微信", "jiavx", "jia微信", "加vx", "加微信"]);
        assert_eq!(expanded("a {{加}} }}b"), ["a {加} }b"]);
        assert_eq!(expanded("{微信}{{{微信}}}").len(), 4);
    }

    #[test]
    fn what_cannot_be_expanded_is_told() {
        let refused = |text: &str| expand(&variants(), text).expect_err("it is refused");
        assert_eq!(refused("{many}{many}").code, "R038");
        assert_eq!(refused("{mani}").help, "did you mean `{many}`?");
        for text in ["a { b", "a } b", "{加", "{}", "{other}", "{加}}"] {
            assert_eq!(refused(text).code, "R037", "{text}");
        }
    }
}
