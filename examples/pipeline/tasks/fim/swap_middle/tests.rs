#[test]
fn order_is_turned() {
    let mut items = [1, 2, 3, 4];
    reverse(&mut items);
    assert_eq!(items, [4, 3, 2, 1]);
    let mut odd = ["a", "b", "c"];
    reverse(&mut odd);
    assert_eq!(odd, ["c", "b", "a"]);
    reverse::<u8>(&mut []);
}
