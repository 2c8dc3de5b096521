/// Whether the letters and digits of `text` read the same from both ends, whatever their case.
pub fn is_palindrome(text: &str) -> bool {
