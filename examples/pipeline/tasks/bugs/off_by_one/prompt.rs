// This version never looks at the last element:
//
//     pub fn largest(items: &[i32]) -> Option<i32> {
//         let mut best = *items.first()?;
//         for i in 1..items.len() - 1 {
//             if items[i] > best { best = items[i]; }
//         }
//         Some(best)
//     }
//
// Mended:
pub fn largest(items: &[i32]) -> Option<i32> {
