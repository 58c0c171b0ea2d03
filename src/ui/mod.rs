//! The window: egui panels that draw the state and return actions.
//!
//! Draws `&App`, returns [`crate::app::Action`]s, never changes the app, never touches disk, network
//! or DICOM. State of widgets only (scroll, focus, text being composed) lives in the `*Local` structs here.

pub mod controls;
pub mod document_view;
pub mod fonts;
pub mod ime;
pub mod marks;
pub mod overlay;
pub mod picture;
pub mod rail;
pub mod report;
pub mod text;
pub mod theme;
pub mod viewport_panel;
