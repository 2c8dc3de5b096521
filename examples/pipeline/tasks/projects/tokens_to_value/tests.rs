fn value(line: &str) -> Option<f64> {
    machine::compute(&lexer::tokens(line)?)
}

#[test]
fn lines_are_computed() {
    assert_eq!(value("3 4 +"), Some(7.0));
    assert_eq!(value("2 3 4 * -"), Some(-10.0));
    assert_eq!(value("8 2 /"), Some(4.0));
    assert_eq!(value("+"), None);
    assert_eq!(value("1 2"), None);
    assert_eq!(value("x"), None);
    assert_eq!(value(""), None);
}
