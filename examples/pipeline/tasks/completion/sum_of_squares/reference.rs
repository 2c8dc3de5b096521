        sum += number * number;
    }
    sum
}
