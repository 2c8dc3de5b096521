#[test]
fn the_longer_one() {
    let owned = String::from("longer");
    assert_eq!(longest("short", &owned), "longer");
    assert_eq!(longest("ab", "cd"), "ab");
    assert_eq!(longest("", ""), "");
}
