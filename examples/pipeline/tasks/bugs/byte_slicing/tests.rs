#[test]
fn characters_stay_whole() {
    assert_eq!(shorten("hello", 2), "he");
    assert_eq!(shorten("\u{fc}ber", 1), "\u{fc}");
    assert_eq!(shorten("abc", 9), "abc");
    assert_eq!(shorten("", 0), "");
}
