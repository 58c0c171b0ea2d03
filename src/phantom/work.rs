//! Work in equal parts on named threads, with progress and the first error.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use super::Error;

/// How far the writing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Key of the study being written.
    pub study: String,
    /// Parts done in this study.
    pub done: usize,
    /// Parts of this study.
    pub total: usize,
}

/// Threads and the ear for progress.
pub struct Work<'a> {
    threads: usize,
    study: &'static str,
    listener: &'a dyn Fn(Progress),
}

impl<'a> Work<'a> {
    /// Work for one study.
    pub fn new(study: &'static str, listener: &'a dyn Fn(Progress)) -> Self {
        let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(16);
        Self { threads, study, listener }
    }
}

/// Does parts 0 to `count` - 1, each once; stops at the first error. Progress is told on the calling thread.
pub fn each(work: &Work, count: usize, part: &(dyn Fn(usize) -> Result<(), Error> + Sync)) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<Error>> = Mutex::new(None);
    let (tell, told) = sync_channel::<()>(64);
    std::thread::scope(|scope| {
        for number in 0..work.threads.min(count) {
            let (next, failed, tell) = (&next, &failed, tell.clone());
            let run = move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    if let Err(error) = part(index) {
                        next.store(count, Ordering::Relaxed);
                        if let Ok(mut slot) = failed.lock() {
                            slot.get_or_insert(error);
                        }
                        return;
                    }
                    if tell.send(()).is_err() {
                        return;
                    }
                }
            };
            let spawned = std::thread::Builder::new().name(format!("dokuei-phantom-{number}")).spawn_scoped(scope, run);
            if let Err(source) = spawned {
                // The threads that did start do all parts; without any there is nobody.
                tracing::warn!(%source, number, "no thread for phantom work");
                break;
            }
        }
        drop(tell);
        let mut done = 0;
        for () in &told {
            done += 1;
            (work.listener)(Progress { study: work.study.to_owned(), done, total: count });
        }
        match failed.lock().ok().and_then(|mut slot| slot.take()) {
            Some(error) => Err(error),
            None if done < count => Err(Error::Threads),
            None => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_and_errors_stop() {
        let seen = Mutex::new(vec![0; 50]);
        let told = AtomicUsize::new(0);
        let listener = |_: Progress| {
            told.fetch_add(1, Ordering::Relaxed);
        };
        let work = Work::new("x", &listener);
        each(&work, 50, &|i| {
            seen.lock().expect("lock")[i] += 1;
            Ok(())
        })
        .expect("done");
        assert!(seen.into_inner().expect("lock").iter().all(|n| *n == 1));
        assert_eq!(told.load(Ordering::Relaxed), 50);
        let result = each(&work, 50, &|i| if i == 7 { Err(Error::Threads) } else { Ok(()) });
        assert!(result.is_err());
    }
}
