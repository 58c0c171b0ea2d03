//! The whole machine: actions and events in, state and commands out. No window, no engine.

mod access;
mod archives;
mod day;
mod fixtures;
mod listing;
mod masks;
mod restoring;
mod safety;
mod viewing;
mod writing;
