#[test]
fn every_month_has_its_days() {
    let total: u32 = (1..=12).map(days_of_month).sum();
    assert_eq!(total, 365);
    assert_eq!(days_of_month(2), 28);
    assert_eq!(days_of_month(11), 30);
    assert_eq!((days_of_month(0), days_of_month(13)), (0, 0));
}
