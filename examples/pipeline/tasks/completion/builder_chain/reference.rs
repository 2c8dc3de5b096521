        .filter(|word| word.chars().count() >= min)
        .collect()
}
