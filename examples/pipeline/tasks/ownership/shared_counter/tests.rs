#[test]
fn nothing_is_lost() {
    assert_eq!(count_together(4, 250), 1000);
    assert_eq!(count_together(0, 5), 0);
    assert_eq!(count_together(1, 1), 1);
}
