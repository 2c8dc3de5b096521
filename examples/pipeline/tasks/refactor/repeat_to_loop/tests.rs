#[test]
fn negative_ones_count_nothing() {
    assert_eq!(positive_total(&[1, -2, 3]), 4);
    assert_eq!(positive_total(&[-1, -1]), 0);
    assert_eq!(positive_total(&[]), 0);
    assert_eq!(positive_total(&[5; 100]), 500);
}
