#[test]
fn asking_is_counted() {
    let mut counter = Counter::default();
    counter.add(5);
    assert_eq!(counter.get(), 5);
    assert_eq!(counter.get(), 5);
    assert_eq!(counter.times_asked(), 2);
}
