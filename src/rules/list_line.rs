//! A line of a list: an entry, and after a tab what narrows it, as `key=value`.

use std::ops::Range;

use super::{
    expiry,
    file::{EntryFile, EntryKind, EntryOptions},
    patterns::Problem,
};
use crate::{diagnostic::nearest, post::Field, text::View};

/// What may stand after a tab.
const KEYS: [&str; 7] = ["as", "view", "fields", "case", "not_after", "not_before", "expires"];
/// How a line may match; a bare one is a word.
const KINDS: [EntryKind; 6] = [
    EntryKind::Word,
    EntryKind::Text,
    EntryKind::Prefix,
    EntryKind::Suffix,
    EntryKind::Exact,
    EntryKind::Domain,
];

/// The entry of a line; what it does not say is said by the entry that names the list.
pub(super) fn entry(line: &str, range: Range<usize>, of: &EntryFile) -> Result<EntryFile, Problem> {
    let mut parts = line.split('\t').map(str::trim).filter(|part| !part.is_empty());
    let text = parts.next().unwrap_or_default();
    let (mut kind, mut options) = (EntryKind::Word, of.options.clone());
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            return Err(unreadable(part, "write `key=value` after a tab"));
        };
        let (key, value) = (key.trim(), value.trim());
        if key == "as" {
            kind = choice(value, &KINDS, EntryKind::as_str)?;
        } else {
            option(&mut options, key, value)?;
        }
    }
    Ok(EntryFile { kind, text: text.to_owned(), range, options })
}

fn option(options: &mut EntryOptions, key: &str, value: &str) -> Result<(), Problem> {
    let all = || value.split(',').map(str::trim).filter(|one| !one.is_empty());
    let texts = || all().map(str::to_owned).collect();
    match key {
        "view" => {
            let views = [View::Raw, View::Standard, View::Skeleton];
            options.view = Some(choice(value, &views, View::as_str)?);
        }
        "fields" => {
            let fields = all().map(|field| choice(field, &Field::ALL, Field::as_str));
            options.fields = fields.collect::<Result<_, _>>()?;
        }
        "case" => {
            options.case = choice(value, &[false, true], |yes| if yes { "true" } else { "false" })?;
        }
        "not_after" => options.not_after = texts(),
        "not_before" => options.not_before = texts(),
        "expires" => {
            let date = expiry::date(value);
            let no_date = || unreadable(value, "write a day such as 2027-01-01");
            options.expires = Some(date.ok_or_else(no_date)?);
        }
        _ => {
            let help = nearest(key, KEYS).map_or_else(
                || format!("known here: {}", KEYS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(unreadable(key, &help));
        }
    }
    Ok(())
}

fn choice<T: Copy>(word: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, Problem> {
    let found = all.iter().copied().find(|&value| name(value) == word);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|&value| name(value)).collect();
        unreadable(word, &format!("one of: {}", names.join(", ")))
    })
}

fn unreadable(what: &str, help: &str) -> Problem {
    let message = format!("`{what}` cannot be read in this line");
    Problem { code: "R013", message, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<EntryFile, Problem> {
        let options = EntryOptions { case: true, ..EntryOptions::default() };
        let list = EntryFile { kind: EntryKind::List, text: "l".into(), range: 0..1, options };
        entry(line, 0..1, &list)
    }

    #[test]
    fn a_line_narrows_its_entry_after_a_tab() {
        let plain = read("two words").expect("a line");
        assert_eq!(
            (plain.kind, &*plain.text, plain.options.case),
            (EntryKind::Word, "two words", true)
        );
        let line = "微\tnot_after=显, 细\tcase=false\tfields=title,body\texpires=2027-01-01";
        let narrowed = read(line).expect("a line");
        assert_eq!(narrowed.text, "微");
        assert_eq!(narrowed.options.not_after, ["显", "细"]);
        assert_eq!(narrowed.options.fields, [Field::Title, Field::Body]);
        assert!(!narrowed.options.case && narrowed.options.expires.is_some());
        assert_eq!(read("evil.example\tas=domain").map(|e| e.kind), Ok(EntryKind::Domain));
        assert_eq!(read("a=b").map(|e| e.text), Ok("a=b".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_in_a_line_is_told() {
        for (line, help) in [
            ("word\tnot_afer=x", "did you mean `not_after`?"),
            ("word\tcase", "write `key=value` after a tab"),
            ("word\tview=phone", "one of: raw, standard, skeleton"),
            ("word\texpires=soon", "write a day such as 2027-01-01"),
            ("word\tas=regex", "one of: word, text, prefix, suffix, exact, domain"),
        ] {
            let refused = read(line).expect_err("it cannot be read");
            assert_eq!((refused.code, &*refused.help), ("R013", help), "{line}");
        }
    }
}
