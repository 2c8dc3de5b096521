/// The longer of two texts; the first one when they are equally long.
pub fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {
