//! What to draw: one viewport's rectangle and the picture in it.

use super::PageError;
use crate::imaging::{Frame, Look, Resampling};
use crate::viewport::Fidelity;
use glam::DAffine2;
use std::sync::Arc;

/// A frame as it lies in a viewport.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Stored values. The page on the device belongs to this very allocation.
    pub frame: Arc<Frame>,
    /// From screen positions of the viewport to pixel positions: [`crate::viewport::Geometry`].
    pub pixel_from_screen: DAffine2,
    /// Window or LUT, polarity, and what is drawn over.
    pub look: Look,
    /// How values between pixels are made.
    pub resampling: Resampling,
}

/// One viewport. Black where the picture is not.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Left and top edge in the framebuffer, physical pixels; negative where the viewport reaches beyond it.
    pub origin_px: [i32; 2],
    /// Width and height, physical pixels.
    pub size_px: [u32; 2],
    /// The picture, if there is one.
    pub picture: Option<Picture>,
}

/// What came of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What the reader is seeing.
    pub fidelity: Fidelity,
    /// Why there is no picture, if the device cannot hold it or is gone.
    pub failure: Option<PageError>,
}

impl Shown {
    /// More will come with the next screen frame: ask for one.
    pub fn unfinished(&self) -> bool {
        matches!(self.fidelity, Fidelity::Arriving(_))
    }
}
