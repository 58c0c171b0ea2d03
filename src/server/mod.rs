//! The reference reading center behind `dokuei-center`: the contract of `center::contract` over SQLite and files.
//!
//! Owns users, sessions, the center's CA, assignments, leases, drafts, reports, audit records and the center's own DICOMweb root.
//! It never decides anything clinical, and it never changes what was signed.
//!
//! [`start`] runs a center in the caller's tokio runtime (tests, `dokuei demo`); [`Center`] alone serves the command line.

pub mod assign;
mod assignments;
mod audit;
mod auth;
pub mod backup;
mod certificates;
mod db;
pub mod demo;
mod dicomweb;
mod discovery;
mod drafts;
mod error;
mod events;
pub mod export;
mod files;
pub mod import;
mod intake;
mod multipart;
mod own_study;
mod owner;
mod pki;
pub mod prune;
mod reports;
mod router;
mod run;
mod state;
mod submission;
pub mod users;
mod wire;
mod work;

pub use error::Error;
pub use run::{Handle, Stopper, serve, serve_until_signal, serve_within, start};
pub use state::{Center, Config};
