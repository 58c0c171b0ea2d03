//! Integration tests: one binary, since each one that links egui and wgpu is large.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tests say what they did not run")]

mod architecture;
#[cfg(feature = "gui")]
mod closing_window;
mod contract;
mod desktop;
mod dicomweb_client;
mod engine;
mod fuzz_corpus;
mod hostile;
mod linked_scroll;
mod media_memory;
mod offline;
mod orthanc;
#[cfg(feature = "gui")]
mod other_objects;
mod passwords;
mod phantom_truth;
#[cfg(feature = "gui")]
mod pixels;
mod programs;
mod reading_day;
#[cfg(feature = "gui")]
mod reading_window;
mod real_data;
#[cfg(feature = "gui")]
mod report_panel;
#[cfg(feature = "gui")]
mod report_versions;
#[cfg(feature = "gui")]
mod screens;
#[cfg(feature = "gui")]
mod shaders;
mod support;
#[cfg(feature = "gui")]
mod viewports;

/// Counts what a thread keeps (`support::memory`).
#[global_allocator]
static ALLOCATOR: support::memory::Counting = support::memory::Counting;
