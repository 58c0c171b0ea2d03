//! Places where a write can fail. The secrets file and the store announce each of their writes here before they make it,
//! so that a test can let any one of them fail (no space) or end the process there, without a branch in product code.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Asked before every write to the disk.
pub trait Faults: Send + Sync {
    /// `point` names the write (`draft.put`, `object.rename`, `commit` …). An error stands for the write's failure.
    fn before_write(&self, point: &'static str) -> io::Result<()>;
}

/// The ordinary case: the disk itself decides.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn before_write(&self, _point: &'static str) -> io::Result<()> {
        Ok(())
    }
}

/// What happens at the chosen write.
pub enum Fault {
    /// The write fails so.
    Fail(io::ErrorKind),
    /// This is called (a test ends its process here).
    Call(Box<dyn Fn() + Send + Sync>),
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fail(kind) => f.debug_tuple("Fail").field(kind).finish(),
            Self::Call(_) => f.write_str("Call(…)"),
        }
    }
}

/// Lets the n-th write after arming fail, or all writes at one point; counts and names the writes.
#[derive(Debug, Default)]
pub struct FaultPlan {
    failing: Mutex<Option<(&'static str, io::ErrorKind)>>,
    armed: Mutex<Option<(u64, Fault)>>,
    count: AtomicU64,
    seen: Mutex<Vec<&'static str>>,
}

impl FaultPlan {
    /// Counts from now on; the write number `nth` (from 0) meets `fault`.
    pub fn arm(&self, nth: u64, fault: Fault) {
        self.restart();
        *lock(&self.armed) = Some((nth, fault));
    }

    /// Every write at `point` fails so, until [`FaultPlan::heal`].
    pub fn fail_at(&self, point: &'static str, kind: io::ErrorKind) {
        *lock(&self.failing) = Some((point, kind));
    }

    /// Ends what [`FaultPlan::fail_at`] began.
    pub fn heal(&self) {
        *lock(&self.failing) = None;
    }

    /// Counts from now on without any fault.
    pub fn restart(&self) {
        *lock(&self.armed) = None;
        lock(&self.seen).clear();
        self.count.store(0, Ordering::SeqCst);
    }

    /// The writes since the last [`FaultPlan::arm`] or [`FaultPlan::restart`], in order.
    pub fn seen(&self) -> Vec<&'static str> {
        lock(&self.seen).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Faults for FaultPlan {
    fn before_write(&self, point: &'static str) -> io::Result<()> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        lock(&self.seen).push(point);
        if let Some((failing, kind)) = *lock(&self.failing)
            && failing == point
        {
            return Err(io::Error::new(kind, "injected fault"));
        }
        match &*lock(&self.armed) {
            Some((nth, Fault::Fail(kind))) if *nth == number => Err(io::Error::new(*kind, "injected fault")),
            Some((nth, Fault::Call(call))) if *nth == number => {
                call();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
