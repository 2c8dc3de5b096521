/// The words of a line in lower case, without those shorter than `min` letters, in their order.
pub fn long_words(line: &str, min: usize) -> Vec<String> {
    line.split_whitespace()
        .map(|word| word.to_lowercase())
