#[test]
fn words_are_counted() {
    let counts = word_counts("a b a  c a");
    assert_eq!(counts.get("a"), Some(&3));
    assert_eq!(counts.get("b"), Some(&1));
    assert_eq!(counts.len(), 3);
    assert!(word_counts(" ").is_empty());
}
