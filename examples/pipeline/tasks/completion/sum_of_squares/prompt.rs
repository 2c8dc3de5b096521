/// The sum of the squares of all numbers.
pub fn sum_of_squares(numbers: &[i64]) -> i64 {
    let mut sum = 0;
    for number in numbers {
