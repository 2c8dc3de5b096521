/// A counter that knows how often it was asked.
#[derive(Default)]
pub struct Counter {
    value: u64,
