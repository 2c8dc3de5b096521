// This version panics when a character of several bytes stands at the cut:
//
//     pub fn shorten(text: &str, n: usize) -> &str { &text[..n] }
//
// Mended: the first `n` characters, or all of them when there are fewer:
pub fn shorten(text: &str, n: usize) -> &str {
