//! The window: egui panels that draw the state and return actions.
//!
//! Draws `&App`, returns [`crate::app::Action`]s, never changes the app, never touches disk, network
//! or DICOM. State of widgets only (scroll, focus, text being composed) lives in the `*Local` structs here.

pub mod archive_dialog;
pub mod choices;
pub mod chooser;
pub mod completeness_dialog;
mod corners;
pub mod document_view;
pub mod failure;
pub mod fonts;
pub mod format;
mod hands;
mod icons;
mod identity;
pub mod ime;
pub mod input;
pub mod laid;
pub mod marks;
pub mod names;
pub mod notices;
pub mod object_panel;
mod object_save;
mod oddities;
mod outbox_dialog;
mod outbox_panel;
pub mod overlay;
pub mod palette;
pub mod picture;
pub mod platform;
pub mod rail;
pub mod reading;
pub mod reading_bar;
pub mod reading_grid;
pub mod report;
pub mod request_panel;
pub mod return_dialog;
mod scale_bar;
pub mod screen;
pub mod settings_dialog;
pub mod shell;
pub mod sign_in;
mod strokes;
pub mod text;
pub mod theme;
pub mod top_bar;
pub mod tray;
pub mod viewport_panel;
mod why;
pub mod widgets;
pub mod worklist_panel;
pub mod worklist_row;

pub use shell::{Shell, UiError, UiOptions, Wake, run};
