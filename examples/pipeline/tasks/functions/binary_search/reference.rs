    let mut low = 0;
    let mut high = items.len();
    while low < high {
        let middle = low + (high - low) / 2;
        if items[middle] == wanted {
            return Some(middle);
        }
        if items[middle] < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    None
}
