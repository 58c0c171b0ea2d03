//! Threads, priorities, retries: turns commands and demand into events. The only module that owns threads.
//!
//! `run` starts and stops everything and hands commands out; `transfer` brings studies here, `pictures` makes
//! frames of them, `link` keeps worklist and leases, `drafts`, `sign` and `outbox` carry reports, `session`
//! who is here, `enrolment` which center, `keys` the signing keys. It never draws and never decides what the reader wants.

mod archives;
mod audit;
mod cache;
mod config;
mod disk;
mod drafts;
mod enrolment;
mod export;
mod flags;
mod handing;
mod inner;
mod keys;
mod lanes;
mod library;
mod link;
mod local;
pub mod message;
mod objects;
mod outbox;
mod people;
mod pictures;
mod pool;
mod queue;
mod reports;
mod run;
mod session;
mod sign;
mod transfer;

pub use crate::worklist::clock::{Clock, ManualClock, SystemClock};
pub use config::{Budgets, Config, SecretChoice, Timing};
pub use run::{Engine, EngineError};

/// A lock that a panicking job cannot take away from the others: the state behind it is always whole.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
