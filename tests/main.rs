//! Integration tests: one binary, since each one that links egui and wgpu is large.

mod architecture;
#[cfg(feature = "gui")]
mod pixels;
#[cfg(feature = "gui")]
mod shaders;
mod desktop;
mod support;
