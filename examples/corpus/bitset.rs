//! A set of small integers, one bit each.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitXor, Not};

const WORD_BITS: usize = u64::BITS as usize;

/// A set of integers below a fixed limit.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BitSet {
    words: Vec<u64>,
    limit: usize,
}

impl BitSet {
    pub fn new(limit: usize) -> Self {
        Self { words: vec![0; limit.div_ceil(WORD_BITS)], limit }
    }

    pub fn full(limit: usize) -> Self {
        !&Self::new(limit)
    }

    #[inline]
    fn place(&self, value: usize) -> (usize, u64) {
        assert!(value < self.limit, "{value} is not below the limit {}", self.limit);
        (value / WORD_BITS, 1 << (value % WORD_BITS))
    }

    /// Adds a value; returns whether it is new.
    pub fn insert(&mut self, value: usize) -> bool {
        let (word, mask) = self.place(value);
        let is_new = self.words[word] & mask == 0;
        self.words[word] |= mask;
        is_new
    }

    /// Removes a value; returns whether it was there.
    pub fn remove(&mut self, value: usize) -> bool {
        let (word, mask) = self.place(value);
        let was_there = self.words[word] & mask != 0;
        self.words[word] &= !mask;
        was_there
    }

    pub fn contains(&self, value: usize) -> bool {
        value < self.limit && {
            let (word, mask) = self.place(value);
            self.words[word] & mask != 0
        }
    }

    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(a, b)| a & !b == 0)
    }

    /// Values in ascending order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { words: &self.words, index: 0, current: self.words.first().copied().unwrap_or(0) }
    }

    fn combine(&self, other: &Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        assert_eq!(self.limit, other.limit, "sets of different limits");
        let words = self.words.iter().zip(&other.words).map(|(&a, &b)| operation(a, b)).collect();
        Self { words, limit: self.limit }
    }
}

pub struct Iter<'a> {
    words: &'a [u64],
    index: usize,
    current: u64,
}

impl Iterator for Iter<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.current == 0 {
            self.index += 1;
            self.current = *self.words.get(self.index)?;
        }
        let bit = self.current.trailing_zeros() as usize;
        self.current &= self.current - 1; // clears the lowest bit that is set
        Some(self.index * WORD_BITS + bit)
    }
}

impl<'a> IntoIterator for &'a BitSet {
    type Item = usize;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Extend<usize> for BitSet {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, values: I) {
        for value in values {
            self.insert(value);
        }
    }
}

macro_rules! set_operator {
    ($trait:ident, $method:ident, $operation:expr) => {
        impl $trait for &BitSet {
            type Output = BitSet;

            fn $method(self, other: &BitSet) -> BitSet {
                self.combine(other, $operation)
            }
        }
    };
}

set_operator!(BitAnd, bitand, |a, b| a & b);
set_operator!(BitOr, bitor, |a, b| a | b);
set_operator!(BitXor, bitxor, |a, b| a ^ b);

impl Not for &BitSet {
    type Output = BitSet;

    fn not(self) -> BitSet {
        let mut words: Vec<u64> = self.words.iter().map(|word| !word).collect();
        let used = self.limit % WORD_BITS;
        if let (Some(last), true) = (words.last_mut(), used != 0) {
            *last &= (1 << used) - 1; // bits at and above the limit stay clear
        }
        BitSet { words, limit: self.limit }
    }
}

impl fmt::Debug for BitSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

/// Primes below `limit`, by the sieve of Eratosthenes.
pub fn primes(limit: usize) -> BitSet {
    let mut sieve = BitSet::full(limit);
    for small in 0..limit.min(2) {
        sieve.remove(small);
    }
    let mut factor = 2;
    while factor * factor < limit {
        if sieve.contains(factor) {
            for multiple in (factor * factor..limit).step_by(factor) {
                sieve.remove(multiple);
            }
        }
        factor += 1;
    }
    sieve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sieve() {
        assert_eq!(primes(30).iter().collect::<Vec<_>>(), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert_eq!(primes(1000).len(), 168);
        assert!(primes(1).is_empty());
    }

    #[test]
    fn complement_respects_the_limit() {
        let mut set = BitSet::new(70);
        set.extend([0, 64, 69]);
        assert_eq!((!&set).len(), 67);
        assert!((&set & &!&set).is_empty());
        assert!(set.is_subset(&BitSet::full(70)));
    }
}
