//! A queue of fixed capacity that overwrites nothing and allocates once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What became of an attempt to put something in.
#[derive(Debug, PartialEq, Eq)]
pub enum PushError<T> {
    /// The queue is full; the value comes back.
    Full(T),
    /// Nobody will take anything any more; the value comes back.
    Closed(T),
}

struct State<T> {
    items: VecDeque<T>,
    is_closed: bool,
}

/// A queue for several producers and several consumers.
pub struct RingBuffer<T> {
    state: Mutex<State<T>>,
    not_empty: Condvar,
    not_full: Condvar,
    capacity: usize,
}

impl<T> RingBuffer<T> {
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "capacity must not be zero");
        Self {
            state: Mutex::new(State { items: VecDeque::with_capacity(capacity), is_closed: false }),
            not_empty: Condvar::new(),
            not_full: Condvar::new(),
            capacity,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code panics while it holds the lock, so the state behind a poisoned one is whole.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Puts `item` in if there is room right now.
    pub fn try_push(&self, item: T) -> Result<(), PushError<T>> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(PushError::Closed(item));
        }
        if state.items.len() == self.capacity {
            return Err(PushError::Full(item));
        }
        state.items.push_back(item);
        drop(state);
        self.not_empty.notify_one();
        Ok(())
    }

    /// Waits for room, at most `patience`.
    pub fn push(&self, item: T, patience: Duration) -> Result<(), PushError<T>> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        while !state.is_closed && state.items.len() == self.capacity {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(PushError::Full(item));
            }
            state = match self.not_full.wait_timeout(state, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        if state.is_closed {
            return Err(PushError::Closed(item));
        }
        state.items.push_back(item);
        self.not_empty.notify_one();
        Ok(())
    }

    /// Waits for an item; `None` once the buffer is closed and drained.
    pub fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                self.not_full.notify_one();
                return Some(item);
            }
            if state.is_closed {
                return None;
            }
            state = self.not_empty.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    /// Refuses new items; what is inside can still be taken.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.not_empty.notify_all();
        self.not_full.notify_all();
    }

    /// Takes items until the buffer is closed and drained.
    pub fn drain(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn everything_arrives_once() {
        let buffer = RingBuffer::new(2);
        let total: u32 = thread::scope(|scope| {
            let consumer = scope.spawn(|| buffer.drain().sum());
            for n in 1..=100u32 {
                buffer.push(n, Duration::from_secs(10)).unwrap();
            }
            buffer.close();
            consumer.join().unwrap()
        });
        assert_eq!(total, 5050);
        assert_eq!(buffer.try_push(1), Err(PushError::Closed(1)));
    }

    #[test]
    fn full_means_full() {
        let buffer = RingBuffer::new(1);
        assert_eq!(buffer.try_push('a'), Ok(()));
        assert_eq!(buffer.push('b', Duration::ZERO), Err(PushError::Full('b')));
    }
}
