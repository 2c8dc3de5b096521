            self.items
                .iter()
                .map(|(item, n)| item.cents * u64::from(*n))
                .sum()
        }
    }
}
