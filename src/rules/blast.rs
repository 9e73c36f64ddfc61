//! `blast_radius` on a rule: it may hit more of the decent posts than others, for a while.

use std::ops::Range;

use super::expiry::{self, ExpiryFile};
use crate::yaml::{Node, Reader};

/// Tenths of a percent of a benign corpus that any enforced rule may hit.
pub(super) const USUAL: usize = 5;
/// The most that a file may ask for: beyond it a rule is wrong, not wide.
const MOST: usize = 30;

/// What a rule is allowed, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlastRadius {
    /// Tenths of a percent of a benign corpus.
    pub max: usize,
    /// The day from which the rule acts as shadow.
    pub until: ExpiryFile,
}

impl BlastRadius {
    /// Reads `{max: 1.2%, until: 2027-03-01, note: …}`.
    pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Option<Self> {
        let mut keys = reader.keys(node)?;
        let max = keys.require("max", reader);
        let until = keys.require("until", reader);
        keys.take("note").map(|node| reader.filled(node));
        reader.finish(&keys);
        let max = max.and_then(|node| share(reader, node));
        let until = until.and_then(|node| expiry::read(reader, node));
        Some(Self { max: max?, until: until? })
    }
}

/// The earlier of two dates, where there are any.
pub(super) fn earlier(one: Option<ExpiryFile>, other: Option<ExpiryFile>) -> Option<ExpiryFile> {
    one.into_iter().chain(other).min_by_key(|expiry| expiry.date)
}

/// A share such as `1.2%`, in tenths of a percent.
fn share(reader: &Reader<'_>, node: &Node) -> Option<usize> {
    let text = reader.filled(node)?;
    let tenths = tenths(text).filter(|tenths| (USUAL..=MOST).contains(tenths));
    if tenths.is_none() {
        let range: &Range<usize> = &node.range;
        let message = format!("`{text}` is no share that a rule may ask for");
        reader.error_help(range, "R053", message, "write one from 0.5% to 3%, such as 1.2%");
    }
    tenths
}

fn tenths(text: &str) -> Option<usize> {
    let number = text.strip_suffix('%')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digit = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse());
    let (whole, part): (usize, usize) = (digit(whole)?.ok()?, digit(part)?.ok()?);
    (part < 10).then(|| whole.saturating_mul(10).saturating_add(part))
}

#[cfg(test)]
mod tests {
    use super::tenths;

    #[test]
    fn a_share_is_a_percentage_with_one_digit_behind_the_point() {
        for (text, expected) in [
            ("1.2%", Some(12)),
            ("3%", Some(30)),
            ("0.5%", Some(5)),
            ("1.25%", None),
            ("1.2", None),
            ("-1%", None),
            ("%", None),
        ] {
            assert_eq!(tenths(text), expected, "{text}");
        }
    }
}
