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
