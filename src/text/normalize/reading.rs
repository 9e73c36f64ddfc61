//! Which of two readings of an ambiguous sign is taken: `1` is i or l, `и` is u or n.

/// One of the two readings of a whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    second: bool,
    /// Whether there was a choice.
    pub(super) ambiguous: bool,
}

impl Reading {
    /// The likelier letter everywhere.
    pub(super) const FIRST: Self = Self { second: false, ambiguous: false };
    /// The other letter everywhere.
    pub(super) const SECOND: Self = Self { second: true, ambiguous: false };

    /// Whether this is the second reading, of a text that has two.
    pub(super) fn is_second(&mut self) -> bool {
        self.ambiguous = true;
        self.second
    }

    /// The letter that this reading takes.
    pub(super) fn choose(&mut self, first: char, second: char) -> char {
        self.ambiguous |= first != second;
        if self.second { second } else { first }
    }
}
