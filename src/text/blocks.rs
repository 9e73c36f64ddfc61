//! A table over all characters that is filled in as texts need it, 256 characters at a time.
//!
//! Working out what is known of a character costs a microsecond or so; looking it up costs two loads.
//! A process that sees only English fills in a block or two.

use std::sync::OnceLock;

const BLOCK: usize = 256;

/// What is known of every character, worked out block by block.
pub(super) struct Blocks<T> {
    blocks: [OnceLock<Box<[T]>>; 0x11_0000 / BLOCK],
    make: fn(char) -> T,
}

impl<T> Blocks<T> {
    /// An empty table; `make` works out what is known of one character.
    #[expect(clippy::large_stack_arrays, reason = "it is built into a static")]
    pub(super) const fn new(make: fn(char) -> T) -> Self {
        Self { blocks: [const { OnceLock::new() }; 0x11_0000 / BLOCK], make }
    }

    /// What is known of `ch`.
    pub(super) fn get(&self, ch: char) -> &T {
        let code = ch as usize;
        let block = self.blocks[code / BLOCK].get_or_init(|| self.fill(code / BLOCK));
        &block[code % BLOCK]
    }

    #[cold]
    fn fill(&self, block: usize) -> Box<[T]> {
        let codes = block * BLOCK..(block + 1) * BLOCK;
        // Surrogates have a place and no character; nothing asks for theirs.
        let char_at = |code| u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('\0');
        codes.map(|code| (self.make)(char_at(code))).collect()
    }
}
