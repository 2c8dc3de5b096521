#[test]
fn errors_are_results() {
    assert_eq!(numbers("1, 2,-3").unwrap(), vec![1, 2, -3]);
    assert!(numbers("1, two").is_err());
    assert!(numbers("").is_err());
}
