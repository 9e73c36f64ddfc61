//! Spans that say which text they belong to.
//!
//! A highlight computed on folded text is wrong in the original; with the text in the type the two
//! cannot be mixed up. Offsets are `u32`: a post is far below 4 GiB ([`crate::post::TEXT_BYTES_MAX`]).

use std::{fmt, marker::PhantomData, ops::Range};

/// The text as the author wrote it, counted in UTF-8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Original {}

/// A folded view of the text, counted in UTF-8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Normalized {}

/// The text as the author wrote it, counted in UTF-16 code units, as browsers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Utf16 {}

/// A half-open range of offsets into one kind of text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span<Of> {
    start: u32,
    end: u32,
    of: PhantomData<Of>,
}

impl<Of> Span<Of> {
    /// A span from `start` up to `end`.
    ///
    /// # Panics
    /// When `start` is after `end`.
    pub fn new(start: u32, end: u32) -> Self {
        assert!(start <= end, "a span ends where it starts or later");
        Self { start, end, of: PhantomData }
    }

    /// A span over a byte range.
    ///
    /// # Panics
    /// When the range runs backwards or over 4 GiB, which the record limit excludes.
    pub fn from_range(range: Range<usize>) -> Self {
        Self::new(offset(range.start), offset(range.end))
    }

    /// The first offset inside.
    pub fn start(self) -> u32 {
        self.start
    }

    /// The first offset after.
    pub fn end(self) -> u32 {
        self.end
    }

    /// The length in the units of its text.
    pub fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether nothing lies inside.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies wholly inside.
    #[expect(clippy::needless_pass_by_value, reason = "a span is `Copy` for every text there is")]
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The same as a range, for slicing.
    pub fn range(self) -> Range<usize> {
        // A `u32` fits in the `usize` of every platform that librdkafka and this crate build on.
        self.start as usize..self.end as usize
    }
}

impl<Of> fmt::Debug for Span<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A text offset as `u32`.
///
/// # Panics
/// Over 4 GiB, which the record limit excludes.
pub fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("texts are limited far below 4 GiB")
}
