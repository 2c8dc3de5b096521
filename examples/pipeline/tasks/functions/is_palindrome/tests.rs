#[test]
fn reads_the_same() {
    assert!(is_palindrome("A man, a plan, a canal: Panama"));
    assert!(is_palindrome(""));
    assert!(!is_palindrome("Rust"));
    assert!(is_palindrome("12 21"));
}
