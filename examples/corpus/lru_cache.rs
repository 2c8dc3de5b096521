//! A cache that forgets what was not used for the longest time.
//!
//! Entries live in a vector and are linked by their indices, so that no `unsafe` is needed:
//! the most recently used entry is at the head, the candidate for eviction at the tail.

use std::collections::HashMap;
use std::hash::Hash;

const NONE: usize = usize::MAX;

struct Entry<K, V> {
    key: K,
    value: V,
    previous: usize,
    next: usize,
}

/// A map of at most `capacity` entries.
pub struct LruCache<K, V> {
    places: HashMap<K, usize>,
    entries: Vec<Entry<K, V>>,
    head: usize,
    tail: usize,
    capacity: usize,
    hits: u64,
    misses: u64,
}

impl<K: Hash + Eq + Clone, V> LruCache<K, V> {
    /// # Panics
    ///
    /// When `capacity` is zero.
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a cache needs room for one entry at least");
        Self {
            places: HashMap::with_capacity(capacity),
            entries: Vec::with_capacity(capacity),
            head: NONE,
            tail: NONE,
            capacity,
            hits: 0,
            misses: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Share of lookups that found something; `None` before the first one.
    pub fn hit_rate(&self) -> Option<f64> {
        let total = self.hits + self.misses;
        (total > 0).then(|| self.hits as f64 / total as f64)
    }

    fn unlink(&mut self, at: usize) {
        let (previous, next) = (self.entries[at].previous, self.entries[at].next);
        match previous {
            NONE => self.head = next,
            p => self.entries[p].next = next,
        }
        match next {
            NONE => self.tail = previous,
            n => self.entries[n].previous = previous,
        }
    }

    fn push_front(&mut self, at: usize) {
        self.entries[at].previous = NONE;
        self.entries[at].next = self.head;
        match self.head {
            NONE => self.tail = at,
            h => self.entries[h].previous = at,
        }
        self.head = at;
    }

    /// Looks up a value and makes it the most recently used one.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        let Some(&at) = self.places.get(key) else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        self.unlink(at);
        self.push_front(at);
        Some(&self.entries[at].value)
    }

    /// Looks up a value without touching the order.
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.places.get(key).map(|&at| &self.entries[at].value)
    }

    /// Stores a value; returns what it replaced or what had to make room for it.
    pub fn put(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some(&at) = self.places.get(&key) {
            let old = std::mem::replace(&mut self.entries[at].value, value);
            self.unlink(at);
            self.push_front(at);
            return Some((key, old));
        }
        if self.entries.len() < self.capacity {
            let at = self.entries.len();
            self.entries.push(Entry { key: key.clone(), value, previous: NONE, next: NONE });
            self.places.insert(key, at);
            self.push_front(at);
            return None;
        }
        let at = self.tail;
        self.unlink(at);
        let fresh = Entry { key: key.clone(), value, previous: NONE, next: NONE };
        let old = std::mem::replace(&mut self.entries[at], fresh);
        self.places.remove(&old.key);
        self.places.insert(key, at);
        self.push_front(at);
        Some((old.key, old.value))
    }

    /// Keys from the most to the least recently used.
    pub fn keys(&self) -> impl Iterator<Item = &K> + '_ {
        let mut at = self.head;
        std::iter::from_fn(move || {
            if at == NONE {
                return None;
            }
            let entry = &self.entries[at];
            at = entry.next;
            Some(&entry.key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evicts_the_least_recently_used() {
        let mut cache = LruCache::new(2);
        cache.put("a", 1);
        cache.put("b", 2);
        assert_eq!(cache.get(&"a"), Some(&1));
        assert_eq!(cache.put("c", 3), Some(("b", 2)));
        assert_eq!(cache.keys().copied().collect::<Vec<_>>(), ["c", "a"]);
        assert_eq!(cache.get(&"b"), None);
        assert_eq!(cache.hit_rate(), Some(0.5));
    }

    #[test]
    fn replaces_without_growing() {
        let mut cache = LruCache::new(1);
        assert!(cache.is_empty());
        cache.put(7, "old");
        assert_eq!(cache.put(7, "new"), Some((7, "old")));
        assert_eq!((cache.len(), cache.peek(&7)), (1, Some(&"new")));
    }
}
