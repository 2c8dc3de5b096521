/// `value`, but not below `low` and not above `high`.
pub fn clamp(value: i32, low: i32, high: i32) -> i32 {
    if value < low {
        low
    } else if 