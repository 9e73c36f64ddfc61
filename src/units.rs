//! Sizes and durations as people write them: `8MiB`, `250ms`.

use std::{fmt, str::FromStr, time::Duration};

/// A number of bytes, written `512KiB`, `8MiB` or `1024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub usize);

/// A duration, written `250ms`, `5s`, `10m` or `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// The text is no size or duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number with a unit is expected")]
pub struct InvalidUnit;

impl FromStr for Bytes {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, InvalidUnit> {
        let (number, unit) = split(text)?;
        let factor = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(InvalidUnit),
        };
        let bytes = number.checked_mul(factor).ok_or(InvalidUnit)?;
        usize::try_from(bytes).map(Self).map_err(|_| InvalidUnit)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let whole = units.iter().find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size));
        match whole {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Period {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, InvalidUnit> {
        let (number, unit) = split(text)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(InvalidUnit),
        };
        number
            .checked_mul(milliseconds)
            .map(|ms| Self(Duration::from_millis(ms)))
            .ok_or(InvalidUnit)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
        match units.iter().find(|(size, _)| ms >= *size && ms.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{}{unit}", ms / size),
            None => write!(f, "{ms}ms"),
        }
    }
}

fn split(text: &str) -> Result<(u64, &str), InvalidUnit> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..digits].parse().map_err(|_| InvalidUnit)?;
    Ok((number, text[digits..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_shown() {
        for text in ["512KiB", "8MiB", "1000", "3GiB"] {
            assert_eq!(text.parse::<Bytes>().expect("a size").to_string(), text);
        }
        for text in ["5ms", "10m", "90s", "2h"] {
            assert_eq!(text.parse::<Period>().expect("a duration").to_string(), text);
        }
        assert_eq!("8 MiB".parse(), Ok(Bytes(8 << 20)));
        for wrong in ["", "MiB", "8MB", "-1", "99999999999999999999GiB"] {
            assert_eq!(wrong.parse::<Bytes>(), Err(InvalidUnit), "{wrong}");
        }
        assert_eq!("5".parse::<Period>(), Err(InvalidUnit));
    }
}
