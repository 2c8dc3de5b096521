#[test]
fn large_sums_fit() {
    assert_eq!(mean(&[200, 250]), 225);
    assert_eq!(mean(&[255; 1000]), 255);
    assert_eq!(mean(&[1, 2]), 1);
    assert_eq!(mean(&[]), 0);
}
