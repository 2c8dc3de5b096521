use std::num::ParseIntError;

// This version ends the program at the first word that is no number:
//
//     pub fn numbers(line: &str) -> Vec<i32> {
//         line.split(',').map(|w| w.trim().parse().unwrap()).collect()
//     }
//
// The same, with the first error as a result:
pub fn numbers(line: &str) -> Result<Vec<i32>, ParseIntError> {
