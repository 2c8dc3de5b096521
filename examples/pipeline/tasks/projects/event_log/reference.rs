    for line in lines.iter().filter(|line| !line.is_empty()) {
        for sink in sinks {
            sink.write(line);
        }
    }
}
