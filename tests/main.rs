//! Integration tests: one binary, since each one that links egui and wgpu is large.

mod architecture;
mod desktop;
mod support;
