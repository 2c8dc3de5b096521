#[test]
fn what_is_taken_is_gone() {
    let mut slot = Slot::default();
    assert_eq!(slot.take(), None);
    assert_eq!(slot.put("a".to_string()), None);
    assert_eq!(slot.put("b".to_string()), Some("a".to_string()));
    assert_eq!(slot.take(), Some("b".to_string()));
    assert_eq!(slot.take(), None);
}
