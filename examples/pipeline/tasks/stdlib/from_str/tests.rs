#[test]
fn versions_are_read() {
    assert_eq!("1.2".parse::<Version>(), Ok(Version { major: 1, minor: 2 }));
    assert_eq!("0.10".parse::<Version>(), Ok(Version { major: 0, minor: 10 }));
    assert!("1".parse::<Version>().is_err());
    assert!("1.x".parse::<Version>().is_err());
    assert!("1.2.3".parse::<Version>().is_err());
}
