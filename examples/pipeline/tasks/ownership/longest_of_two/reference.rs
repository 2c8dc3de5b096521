    if b.len() > a.len() {
        b
    } else {
        a
    }
}
