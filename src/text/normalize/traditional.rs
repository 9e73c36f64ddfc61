//! Traditional Chinese characters as Simplified ones, one for one.
//!
//! Words that differ beyond single characters (軟體, 软件) are the rules' matter.

use std::{collections::HashMap, sync::LazyLock};

static PAIRS: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let lines = include_str!("traditional.txt").lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| {
        let mut chars = line.chars();
        Some((chars.next()?, chars.next()?))
    };
    lines.filter_map(pair).collect()
});

/// The Simplified form of a Traditional character, if it has another.
pub(super) fn simplified(ch: char) -> Option<char> {
    PAIRS.get(&ch).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_leads_to_its_end_in_one_step() {
        assert_eq!(PAIRS.len(), 4105);
        assert!(PAIRS.values().all(|&simple| simplified(simple).is_none()));
        assert_eq!("轉賬髮".chars().filter_map(simplified).collect::<String>(), "转账发");
        assert_eq!(simplified('微'), None);
    }
}
