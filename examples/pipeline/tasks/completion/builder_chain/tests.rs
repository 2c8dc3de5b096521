#[test]
fn short_words_go() {
    assert_eq!(long_words("The Quick ox", 3), vec!["the", "quick"]);
    assert!(long_words("", 1).is_empty());
    assert_eq!(long_words("\u{e9}t\u{e9} a", 3), vec!["\u{e9}t\u{e9}"]);
}
