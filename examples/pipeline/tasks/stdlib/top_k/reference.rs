    for number in numbers {
        heap.push(Reverse(number));
        if heap.len() > k {
            heap.pop();
        }
    }
    let mut largest: Vec<u32> = heap.into_iter().map(|Reverse(n)| n).collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    largest
}
