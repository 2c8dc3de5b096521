//! A prefix tree over strings, with completion and longest-prefix search.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Node<V> {
    children: BTreeMap<char, Node<V>>,
    value: Option<V>,
}

/// A map from strings that can also answer questions about their beginnings.
#[derive(Debug)]
pub struct Trie<V> {
    root: Node<V>,
    len: usize,
}

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self { root: Node { children: BTreeMap::new(), value: None }, len: 0 }
    }
}

impl<V> Trie<V> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn insert(&mut self, key: &str, value: V) -> Option<V> {
        let mut node = &mut self.root;
        for c in key.chars() {
            node = node
                .children
                .entry(c)
                .or_insert_with(|| Node { children: BTreeMap::new(), value: None });
        }
        let old = node.value.replace(value);
        self.len += usize::from(old.is_none());
        old
    }

    fn descend(&self, prefix: &str) -> Option<&Node<V>> {
        prefix.chars().try_fold(&self.root, |node, c| node.children.get(&c))
    }

    pub fn get(&self, key: &str) -> Option<&V> {
        self.descend(key)?.value.as_ref()
    }

    /// The longest key that `text` begins with, and its value.
    pub fn longest_prefix<'t>(&self, text: &'t str) -> Option<(&'t str, &V)> {
        let mut node = &self.root;
        let mut best = node.value.as_ref().map(|value| ("", value));
        for (at, c) in text.char_indices() {
            match node.children.get(&c) {
                Some(child) => node = child,
                None => break,
            }
            if let Some(value) = &node.value {
                best = Some((&text[..at + c.len_utf8()], value));
            }
        }
        best
    }

    /// Keys that begin with `prefix`, in order, at most `limit` of them.
    pub fn complete(&self, prefix: &str, limit: usize) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(node) = self.descend(prefix) {
            collect(node, &mut prefix.to_owned(), limit, &mut found);
        }
        found
    }
}

fn collect<V>(node: &Node<V>, path: &mut String, limit: usize, found: &mut Vec<String>) {
    if found.len() == limit {
        return;
    }
    if node.value.is_some() {
        found.push(path.clone());
    }
    for (&c, child) in &node.children {
        path.push(c);
        collect(child, path, limit, found);
        path.pop();
    }
}

impl<'k, V> FromIterator<(&'k str, V)> for Trie<V> {
    fn from_iter<I: IntoIterator<Item = (&'k str, V)>>(pairs: I) -> Self {
        let mut trie = Self::new();
        for (key, value) in pairs {
            trie.insert(key, value);
        }
        trie
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completes_and_matches() {
        let trie: Trie<u32> =
            [("impl", 1), ("import", 2), ("in", 3), ("i", 4)].into_iter().collect();
        assert_eq!(trie.complete("im", 10), ["impl", "import"]);
        assert_eq!(trie.complete("", 2), ["i", "impl"]);
        assert_eq!(trie.longest_prefix("inner"), Some(("in", &3)));
        assert_eq!(trie.longest_prefix("outer"), None);
        assert_eq!((trie.get("imp"), trie.len()), (None, 4));
    }
}
