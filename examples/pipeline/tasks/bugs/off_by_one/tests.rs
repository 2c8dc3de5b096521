#[test]
fn the_last_one_counts() {
    assert_eq!(largest(&[1, 2, 3]), Some(3));
    assert_eq!(largest(&[3, 2, 1]), Some(3));
    assert_eq!(largest(&[-4]), Some(-4));
    assert_eq!(largest(&[]), None);
}
