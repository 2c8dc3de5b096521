/// The greatest number that divides both `a` and `b`; gcd(0, n) is n.
pub fn gcd(a: u64, b: u64) -> u64 {
