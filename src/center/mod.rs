//! The way to a reading center: what both sides say ([`contract`]) and, on the workstation, how it is asked.
//!
//! Hands bytes and wire types up; it never parses DICOM, never decides what to fetch and never touches the disk.

mod assignments;
mod audit;
mod client;
pub mod contract;
pub mod dicomweb;
mod error;
mod events;
mod origin;
mod reports;
mod session;

pub use assignments::{Step, WholeWorklist};
pub use client::{AnswerLanguage, CenterClient, Patience, Trust};
pub use error::CenterError;
pub use events::{CenterEvent, EventStream};
pub use origin::Origin;
pub use reports::{DraftSent, Part, Submission};
pub use session::{AccessToken, Session, refresh_token_name};
