    asked: u64,
