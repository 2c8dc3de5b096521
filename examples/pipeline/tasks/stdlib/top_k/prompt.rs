use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The `k` largest numbers in descending order; memory for k numbers, whatever the length.
pub fn top_k(numbers: impl IntoIterator<Item = u32>, k: usize) -> Vec<u32> {
    let mut heap: BinaryHeap<Reverse<u32>> = BinaryHeap::new();
