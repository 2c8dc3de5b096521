    row.iter().map(|&n| n.max(0)).sum()
}
