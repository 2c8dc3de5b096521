#[test]
fn the_largest_are_kept() {
    assert_eq!(top_k(vec![5, 1, 9, 3, 9], 3), vec![9, 9, 5]);
    assert_eq!(top_k(0..1000, 2), vec![999, 998]);
    assert_eq!(top_k(vec![1], 4), vec![1]);
    assert!(top_k(vec![1, 2], 0).is_empty());
}
