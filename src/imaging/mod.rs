//! Pixel truth on the CPU: stored values and what they mean.
//!
//! Owns the grey pipeline (modality transform → VOI → presentation, PS3.4 N.2), region statistics and the
//! encoding of key images. Numbers for the report come from here, never from the screen or the GPU.
//! It never parses DICOM and never talks to a device.

mod display;
mod encode;
mod frame;
mod look;
mod lut;
mod resample;
mod roi;
mod trouble;
mod voi;

pub use display::{
    Display, MASK_OVERLAY, MASK_SHUTTER, Overlay, OverlayKind, RealWorldMap, RealWorldTransform, Shutter,
};
pub use encode::{EncodeError, encode_jpeg, encode_png, letterbox};
pub use frame::{Frame, FrameError, Modality, Padding, Photometric, Pixels};
pub use look::{Look, Presentation, render_look, render_rgb};
pub use lut::Lut;
pub use resample::{MAX_TAPS, Resampling, footprint, render_placed};
pub use roi::{EllipseRoi, RoiStatistics, length_mm};
pub use trouble::{Table, Trouble, Weight};
pub use voi::{auto_window, normalise};
