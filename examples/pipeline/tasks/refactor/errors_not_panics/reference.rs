    line.split(',').map(|word| word.trim().parse()).collect()
}
