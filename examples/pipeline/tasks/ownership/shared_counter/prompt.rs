use std::sync::{Arc, Mutex};
use std::thread;

/// Counts to `threads` times `each` with that many threads, which share one counter.
pub fn count_together(threads: usize, each: usize) -> usize {
    let counter = Arc::new(Mutex::new(0));
