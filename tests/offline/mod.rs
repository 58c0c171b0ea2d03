//! What goes wrong between terminal, center and disk, and what must be true afterwards: a clear failure,
//! nothing lost, no report twice.

mod closing;
mod disk;
mod download;
mod enrolment;
mod killed;
mod killed_reading;
mod line;
mod long_series;
mod readers;
mod refused;
mod reporting;
mod session;

pub use killed::this_program;

/// A line of `/proc/self/status`, in bytes.
pub fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|l| l.strip_prefix(name)).expect("a line of the kernel's");
    let kib: usize = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().expect("a number");
    kib * 1024
}
