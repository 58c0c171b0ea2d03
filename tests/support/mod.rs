//! What several tests need and none is about.

pub mod process;
pub mod window;
