//! Dokuei 読影, the reading workstation for remote radiologists, and its reference reading center.
//!
//! ```text
//! reader ─▶ ui ─Action─▶ app ─Command · Demand─▶ engine ─▶ dicom · store · center · vault
//!           ▲             ▲                        │
//!           └── draws ────┴──────── Event ◀────────┘        render: ui hands it a scene, it draws
//! ```
//!
//! `ui` draws the state and returns actions; `app` is a pure state machine; everything below `engine` is a
//! plain library, and only `engine` owns threads. Modules import only modules listed before them
//! (`tests/architecture.rs` is the wall; `docs/architecture.md` is the map).

pub mod app;
pub mod center;
pub mod cli;
pub mod dicom;
pub mod engine;
pub mod imaging;
pub mod phantom;
#[cfg(feature = "gui")]
pub mod render;
pub mod report;
pub mod server;
pub mod store;
pub mod study;
#[cfg(feature = "gui")]
pub mod ui;
pub mod vault;
pub mod viewport;
pub mod worklist;
