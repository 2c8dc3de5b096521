//! A fixed number of threads that take jobs from one queue.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

type Job = Box<dyn FnOnce() + Send + 'static>;

/// Counters that may be read while the pool works.
#[derive(Debug, Default)]
pub struct PoolStats {
    finished: AtomicUsize,
    panicked: AtomicUsize,
}

impl PoolStats {
    pub fn finished(&self) -> usize {
        self.finished.load(Ordering::Relaxed)
    }

    pub fn panicked(&self) -> usize {
        self.panicked.load(Ordering::Relaxed)
    }
}

/// Dropping the pool waits for the jobs that were accepted.
pub struct WorkerPool {
    sender: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
    stats: Arc<PoolStats>,
}

impl WorkerPool {
    /// Starts `threads` threads with a queue of `queue_limit` jobs.
    pub fn new(threads: usize, queue_limit: usize) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(queue_limit);
        let receiver = Arc::new(Mutex::new(receiver));
        let stats = Arc::new(PoolStats::default());
        let workers = (0..threads.max(1))
            .map(|number| {
                let receiver = Arc::clone(&receiver);
                let stats = Arc::clone(&stats);
                thread::Builder::new()
                    .name(format!("worker-{number}"))
                    .spawn(move || work(&receiver, &stats))
            })
            .collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self { sender: Some(sender), workers, stats })
    }

    /// Hands a job over; blocks while the queue is full.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) {
        if let Some(sender) = &self.sender {
            sender.send(Box::new(job)).expect("workers outlive the sender");
        }
    }

    /// Applies `f` to every item and returns the results in the order of the items.
    pub fn map<T, R, F>(&self, items: Vec<T>, f: F) -> Vec<R>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: Fn(T) -> R + Send + Sync + 'static,
    {
        let count = items.len();
        let f = Arc::new(f);
        let (results, inbox) = mpsc::channel();
        for (index, item) in items.into_iter().enumerate() {
            let (f, results) = (Arc::clone(&f), results.clone());
            self.submit(move || {
                // A receiver that is gone means that nobody waits for the result any more.
                let _ = results.send((index, f(item)));
            });
        }
        drop(results);
        let mut slots: Vec<Option<R>> = (0..count).map(|_| None).collect();
        for (index, result) in inbox {
            slots[index] = Some(result);
        }
        slots.into_iter().flatten().collect()
    }

    pub fn stats(&self) -> &PoolStats {
        &self.stats
    }
}

fn work(receiver: &Mutex<Receiver<Job>>, stats: &PoolStats) {
    loop {
        // The guard is dropped at the end of this statement: the queue is not locked during a job.
        let next = receiver.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv();
        let Ok(job) = next else { break };
        match panic::catch_unwind(AssertUnwindSafe(job)) {
            Ok(()) => stats.finished.fetch_add(1, Ordering::Relaxed),
            Err(_) => stats.panicked.fetch_add(1, Ordering::Relaxed),
        };
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        drop(self.sender.take()); // ends the loops of the workers
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() {
        let pool = WorkerPool::new(3, 4).unwrap();
        let squares = pool.map((0u64..50).collect(), |x| x * x);
        assert!(squares.iter().enumerate().all(|(i, &x)| x == (i * i) as u64));
    }
}
