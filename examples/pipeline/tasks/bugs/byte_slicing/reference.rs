    match text.char_indices().nth(n) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
