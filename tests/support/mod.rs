//! What several tests need and none is about.

#[cfg(feature = "gui")]
pub mod app;
pub mod process;
pub mod reader;
pub mod window;
