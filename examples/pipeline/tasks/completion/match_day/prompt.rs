/// The number of days of a month (1 to 12) in a year that is no leap year; 0 for no month.
pub fn days_of_month(month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
