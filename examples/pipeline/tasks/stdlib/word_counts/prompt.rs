use std::collections::BTreeMap;

/// How often each word stands in a text.
pub fn word_counts(text: &str) -> BTreeMap<String, usize> {
