pub mod item {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Item {
        pub name: String,
        pub cents: u64,
    }
}

pub mod store {
    use super::item::Item;

    #[derive(Default)]
    pub struct Store {
        items: Vec<(Item, u32)>,
    }

    impl Store {
        /// Adds `n` of an item; of a name that is there already the number grows and the price stays.
        pub fn add(&mut self, item: Item, n: u32) {
            match self.items.iter_mut().find(|(known, _)| known.name == item.name) {
                Some((_, count)) => *count += n,
                None => self.items.push((item, n)),
            }
        }

        /// What everything in the store is worth, in cents.
        pub fn worth(&self) -> u64 {
