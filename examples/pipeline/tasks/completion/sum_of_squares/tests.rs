#[test]
fn squares_are_added() {
    assert_eq!(sum_of_squares(&[]), 0);
    assert_eq!(sum_of_squares(&[3]), 9);
    assert_eq!(sum_of_squares(&[1, -2, 3]), 14);
}
