        high
    } else {
        value
    }
}
