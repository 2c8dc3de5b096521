/// Turns the order of the elements round, in place.
pub fn reverse<T>(items: &mut [T]) {
    let n = items.len();
    for i in 0..n / 2 {
