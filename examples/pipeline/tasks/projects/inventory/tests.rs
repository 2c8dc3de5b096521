#[test]
fn the_store_knows_its_worth() {
    let mut store = store::Store::default();
    assert_eq!(store.worth(), 0);
    let nail = item::Item { name: "nail".to_string(), cents: 2 };
    store.add(nail.clone(), 10);
    store.add(nail, 5);
    store.add(item::Item { name: "saw".to_string(), cents: 1999 }, 1);
    assert_eq!(store.worth(), 30 + 1999);
}
