    if numbers.is_empty() {
        return 0;
    }
    let sum: u64 = numbers.iter().map(|&n| u64::from(n)).sum();
    (sum / numbers.len() as u64) as u8
}
