//! What several tests need and none is about.

#[cfg(feature = "gui")]
pub mod app;
pub mod chaos;
pub mod dicom;
pub mod memory;
pub mod process;
pub mod reader;
pub mod reading_center;
pub mod recorder;
#[cfg(feature = "gui")]
pub mod screen;
pub mod terminal;
pub mod window;
