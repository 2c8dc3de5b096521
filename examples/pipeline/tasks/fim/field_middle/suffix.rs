}

impl Counter {
    pub fn add(&mut self, n: u64) {
        self.value += n;
    }

    pub fn get(&mut self) -> u64 {
        self.asked += 1;
        self.value
    }

    pub fn times_asked(&self) -> u64 {
        self.asked
    }
}
