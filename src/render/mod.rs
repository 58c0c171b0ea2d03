//! The GPU: pages of stored values, and one pipeline from page to screen.
//!
//! Owns the device's facts, the page table with its memory budget, the bytes moved per screen frame, and the
//! shaders, each with a Rust twin of the same stem. It never decodes, never windows on the CPU, never decides
//! what is shown, and gives no numbers for the report: those come from [`crate::imaging`].

mod frame;
mod gpu;
mod page;
mod pipeline;
mod readback;
mod scene;
mod table;
mod upload;
mod voi;

pub use frame::{FRAME_SHADER, FrameUniform};
pub use gpu::{AdapterFacts, Gpu, GpuError, device_descriptor};
pub use page::{PageError, Pages};
pub use pipeline::{Renderer, Slot};
pub use readback::Offscreen;
pub use scene::{Picture, Scene, Shown};
pub use upload::{Budgets, UploadBudget};
pub use voi::{VOI_SHADER, VoiUniform};
