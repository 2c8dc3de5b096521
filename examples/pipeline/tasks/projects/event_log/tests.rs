#[test]
fn every_sink_gets_every_line() {
    let memory = Memory::default();
    let count = Count::default();
    broadcast(&["a", "", "b"], &[&memory, &count]);
    assert_eq!(*memory.lines.borrow(), vec!["a", "b"]);
    assert_eq!(*count.n.borrow(), 2);
    broadcast(&["c"], &[]);
}
