/// The index of `wanted` in a slice in ascending order, or None. Looks at about log2(n) elements.
pub fn find_sorted(items: &[i32], wanted: i32) -> Option<usize> {
