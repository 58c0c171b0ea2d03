//! The threads `dokuei-pool-N`: parse, decode, seal, render. Most urgent job first.

use super::lock;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// How urgent a job is; smaller is sooner. Jobs of one urgency run in the order of their coming.
pub(super) type Urgency = u32;

/// What the reader waits for with open eyes.
pub(super) const AT_ONCE: Urgency = 0;
/// Received instances.
pub(super) const ARRIVING: Urgency = 100_000;
/// Thumbnails.
pub(super) const LEISURE: Urgency = 200_000;

type Work = Box<dyn FnOnce() + Send>;

struct Job {
    urgency: Urgency,
    number: u64,
    work: Work,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        (self.urgency, self.number) == (other.urgency, other.number)
    }
}
impl Eq for Job {}
impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Job {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // The heap gives the greatest first.
        (other.urgency, other.number).cmp(&(self.urgency, self.number))
    }
}

#[derive(Default)]
struct Queue {
    jobs: BinaryHeap<Job>,
    count: u64,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// A handle to the pool.
#[derive(Clone, Default)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    /// Starts `threads` workers.
    pub(super) fn start(threads: usize) -> std::io::Result<(Self, Vec<JoinHandle<()>>)> {
        let pool = Self::default();
        let workers = (1..=threads.max(1))
            .map(|n| {
                let shared = Arc::clone(&pool.shared);
                std::thread::Builder::new().name(format!("dokuei-pool-{n}")).spawn(move || work(&shared))
            })
            .collect::<Result<_, _>>()?;
        Ok((pool, workers))
    }

    /// Adds a job. After [`Pool::close`] it is dropped.
    pub(super) fn submit(&self, urgency: Urgency, work: impl FnOnce() + Send + 'static) {
        let mut queue = lock(&self.shared.queue);
        if queue.closed {
            return;
        }
        queue.count += 1;
        let number = queue.count;
        queue.jobs.push(Job { urgency, number, work: Box::new(work) });
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// Runs `work` in the pool; `None` when the pool closed before.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, wait) = oneshot::channel();
        self.submit(urgency, move || {
            let _nobody_waits = answer.send(work());
        });
        wait.await.ok()
    }

    /// Drops what waits and lets the workers end after what they are doing.
    pub(super) fn close(&self) {
        let mut queue = lock(&self.shared.queue);
        queue.closed = true;
        let dropped = std::mem::take(&mut queue.jobs);
        drop(queue);
        drop(dropped);
        self.shared.changed.notify_all();
    }
}

fn work(shared: &Shared) {
    loop {
        let job = {
            let mut queue = lock(&shared.queue);
            loop {
                if let Some(job) = queue.jobs.pop() {
                    break job;
                }
                if queue.closed {
                    return;
                }
                queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // A panic in one job (a defect, or a codec's) must not cost the reader all further pictures.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job.work)).is_err() {
            tracing::error!("a job of the pool panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn urgent_jobs_overtake_and_a_panic_ends_only_its_job() {
        let (pool, workers) = Pool::start(1).expect("starts");
        let (hold, held) = sync_channel::<()>(0);
        pool.submit(AT_ONCE, move || held.recv().expect("released"));
        let (done, order) = sync_channel(10);
        for (urgency, name) in [(LEISURE, "thumb"), (ARRIVING, "part"), (5, "b"), (5, "c"), (AT_ONCE, "a")] {
            let done = done.clone();
            pool.submit(urgency, move || {
                assert!(name != "part", "a defect");
                done.send(name).expect("listened to");
            });
        }
        hold.send(()).expect("waits");
        let seen: Vec<_> = (0..4).map(|_| order.recv().expect("done")).collect();
        assert_eq!(seen, ["a", "b", "c", "thumb"]);
        pool.close();
        pool.submit(AT_ONCE, || panic!("never runs"));
        for worker in workers {
            worker.join().expect("ends");
        }
    }
}
