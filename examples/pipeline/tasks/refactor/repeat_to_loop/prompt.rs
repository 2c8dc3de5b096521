// Three lines that say the same of three places:
//
//     total += if row[0] < 0 { 0 } else { row[0] };
//     total += if row[1] < 0 { 0 } else { row[1] };
//     total += if row[2] < 0 { 0 } else { row[2] };
//
// The same for rows of any length, with a loop or an iterator:
pub fn positive_total(row: &[i64]) -> i64 {
