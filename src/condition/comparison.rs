//! Comparisons with a number, as they are typed: `< 30`, `>= 6`, `3`.

use std::{fmt, str::FromStr};

/// A relation to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    relation: Relation,
    /// The bits of a finite number, so that comparisons can be compared.
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [(&str, Relation); 5] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Less),
    (">", Relation::More),
    ("=", Relation::Equal),
];

/// The text is no comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a comparison is a number after one of < <= = >= >, or a number alone")]
pub struct InvalidComparison;

impl Comparison {
    /// Whether `value` stands in the relation to the number.
    pub fn holds(self, value: f64) -> bool {
        let number = f64::from_bits(self.number);
        match self.relation {
            Relation::Less => value < number,
            Relation::AtMost => value <= number,
            Relation::Equal => value.total_cmp(&number).is_eq(),
            Relation::AtLeast => value >= number,
            Relation::More => value > number,
        }
    }

    /// Whether the text begins as only a comparison does.
    pub(super) fn begins(text: &str) -> bool {
        text.trim_start().starts_with(['<', '>', '='])
    }
}

impl FromStr for Comparison {
    type Err = InvalidComparison;

    fn from_str(text: &str) -> Result<Self, InvalidComparison> {
        let text = text.trim();
        let signed = SIGNS.iter().find_map(|&(sign, of)| Some((of, text.strip_prefix(sign)?)));
        let (relation, number) = signed.unwrap_or((Relation::Equal, text));
        let number: f64 = number.trim().parse().map_err(|_| InvalidComparison)?;
        if !number.is_finite() {
            return Err(InvalidComparison);
        }
        // There is one zero.
        Ok(Self { relation, number: (number + 0.0).to_bits() })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().find(|(_, relation)| *relation == self.relation);
        let (sign, _) = sign.expect("every relation has its sign");
        write!(f, "{sign} {}", f64::from_bits(self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_read_and_hold_as_they_are_written() {
        for (text, below, at, above) in [
            ("< 30", true, false, false),
            ("<=30", true, true, false),
            ("30", false, true, false),
            (" = 30 ", false, true, false),
            (">= 30", false, true, true),
            (">30.0", false, false, true),
        ] {
            let read: Comparison = text.parse().expect("a comparison");
            let found = [29.5, 30.0, 30.5].map(|value| read.holds(value));
            assert_eq!(found, [below, at, above], "{text}");
            assert_eq!(read.to_string().parse(), Ok(read), "{text}");
        }
        assert_eq!("-0".parse::<Comparison>(), "= 0".parse());
        for text in ["", "<", "< x", "=< 3", "many", "NaN", "< inf", "3 4"] {
            assert_eq!(text.parse::<Comparison>(), Err(InvalidComparison), "{text}");
        }
    }
}
