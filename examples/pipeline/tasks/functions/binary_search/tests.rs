#[test]
fn finds_what_is_there() {
    let items: Vec<i32> = (0..1000).map(|n| n * 3).collect();
    for (index, item) in items.iter().enumerate() {
        assert_eq!(find_sorted(&items, *item), Some(index));
        assert_eq!(find_sorted(&items, *item + 1), None);
    }
    assert_eq!(find_sorted(&[], 1), None);
}
