//! The thread `dokuei-store`: the one owner of the database. Others send it work and wait, or do not wait.

use crate::store::{Objects, Store, StoreError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait; whoever sends more waits with them.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// A handle to the store's thread.
#[derive(Clone)]
pub(super) struct Disk {
    jobs: mpsc::Sender<Job>,
    objects: Objects,
}

/// The store's thread is gone: the engine is stopping.
fn stopped() -> StoreError {
    StoreError::Io(std::io::Error::other("the store is closed"))
}

impl Disk {
    /// Starts the thread; it ends (and closes the store) when every handle is gone.
    pub(super) fn start(mut store: Store) -> Result<(Self, JoinHandle<()>), StoreError> {
        let objects = store.objects();
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new()
            .name("dokuei-store".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut store);
                }
            })
            .map_err(StoreError::Io)?;
        Ok((Self { jobs, objects }, thread))
    }

    /// The sealed files.
    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Runs `work` on the store's thread, in the order of calls.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            // Nobody waits any more where the receiver is gone; the work is done all the same.
            let _nobody_waits = answer.send(work(store));
        });
        self.jobs.send(job).await.map_err(|_| stopped())?;
        wait.await.map_err(|_| stopped())?
    }

    /// The same from a thread that may block (pool).
    pub(super) fn call_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            let _nobody_waits = answer.send(work(store));
        });
        self.jobs.blocking_send(job).map_err(|_| stopped())?;
        wait.blocking_recv().map_err(|_| stopped())?
    }
}
