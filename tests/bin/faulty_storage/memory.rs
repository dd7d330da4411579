//! The bytes of the disk: sparse, in memory, zero until written.
//!
//! Never grows beyond its size; what lies beyond reads as nothing and is not written.

use std::collections::BTreeMap;

const BLOCK: u64 = 4096;

/// A disk in memory.
#[derive(Debug)]
pub struct Memory {
    size: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK as usize]>>,
}

impl Memory {
    /// A disk of so many zero bytes.
    pub fn new(size: u64) -> Memory {
        Memory { size, blocks: BTreeMap::new() }
    }

    /// The bytes from `offset`, at most `length` of them.
    pub fn read(&self, offset: u64, length: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (block, range) in self.pieces(offset, length) {
            match self.blocks.get(&block) {
                Some(held) => bytes.extend_from_slice(&held[range]),
                None => bytes.resize(bytes.len() + range.len(), 0),
            }
        }
        bytes
    }

    /// Puts bytes at `offset`; returns how many had room.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        for (block, range) in self.pieces(offset, bytes.len() as u64) {
            let (now, later) = rest.split_at(range.len());
            let held = self.blocks.entry(block).or_insert_with(|| Box::new([0; BLOCK as usize]));
            held[range].copy_from_slice(now);
            rest = later;
        }
        bytes.len() - rest.len()
    }

    /// Makes a range zero again.
    pub fn clear(&mut self, offset: u64, length: u64) {
        for (block, range) in self.pieces(offset, length) {
            if range.len() as u64 == BLOCK {
                self.blocks.remove(&block);
            } else if let Some(held) = self.blocks.get_mut(&block) {
                held[range].fill(0);
            }
        }
    }

    /// The range, cut at the end of the disk and at the borders of blocks.
    fn pieces(
        &self,
        offset: u64,
        length: u64,
    ) -> impl Iterator<Item = (u64, std::ops::Range<usize>)> + use<> {
        let end = offset.saturating_add(length).min(self.size);
        let mut at = offset;
        std::iter::from_fn(move || {
            let block = at / BLOCK;
            let from = at % BLOCK;
            let to = BLOCK.min(from + end.checked_sub(at).filter(|left| *left > 0)?);
            at += to - from;
            Some((block, from as usize..to as usize))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_across_blocks_and_nothing_comes_from_beyond_the_end() {
        let mut memory = Memory::new(3 * BLOCK - 1);
        assert_eq!(memory.write(BLOCK - 2, b"abcd"), 4);
        assert_eq!(memory.read(BLOCK - 3, 6), b"\0abcd\0");
        assert_eq!(memory.write(3 * BLOCK - 3, b"abcd"), 2);
        assert_eq!(memory.read(3 * BLOCK - 3, 100), b"ab");
        assert_eq!(memory.read(u64::MAX, 100), b"");
        memory.clear(BLOCK - 1, 2 * BLOCK);
        assert_eq!(memory.read(BLOCK - 2, 3), b"a\0\0");
    }
}
