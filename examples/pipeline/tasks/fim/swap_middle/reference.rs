        items.swap(i, n - 1 - i);
