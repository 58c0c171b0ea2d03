//! Two of the three structs of a view: how it lies on the screen, and how values become grey.
//! (The third, which frames it shows, is a display set and a position.)

use crate::imaging::{Frame, Look};
use crate::study::Voi;
use serde::{Deserialize, Serialize};

/// Scale of the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub enum Zoom {
    /// Whole picture in the viewport.
    #[default]
    Fit,
    /// Screen pixels per image pixel (of the smaller spacing direction).
    PixelScale(f64),
    /// A part of the picture (columns, rows) in the viewport; [`ViewPresentation::pan_px`] brings it to the middle.
    Area([f64; 2]),
}

/// Position of the picture in its viewport.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewPresentation {
    /// Scale.
    pub zoom: Zoom,
    /// Shift of the picture's centre, in image pixels (column, row).
    pub pan_px: [f64; 2],
    /// Quarter turns clockwise, 0 to 3.
    pub quarter_turns: u8,
    /// Mirrored left-right (before rotation).
    pub flip_horizontal: bool,
    /// Mirrored top-bottom (before rotation).
    pub flip_vertical: bool,
    /// -1: flush left, 0: centred, 1: flush right. Mammograms lie with the chest wall at the inner edge.
    #[serde(default)]
    pub justify: i8,
}

/// How values become grey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DataPresentation {
    /// The reader's window, or one of the frame's own choices; `None` = the frame's first choice, else a window
    /// from its values.
    pub voi: Option<Voi>,
    /// Inverted by the reader.
    pub invert: bool,
    /// Overlay planes are not drawn.
    #[serde(default)]
    pub hide_overlays: bool,
    /// Shutters are open: the reader looks behind them.
    #[serde(default)]
    pub open_shutters: bool,
}

impl DataPresentation {
    /// How a frame is shown under the window in force.
    pub fn look(&self, frame: &Frame, voi: Voi) -> Look {
        let (overlays, shutters) = (!self.hide_overlays, !self.open_shutters);
        Look { overlays, shutters, ..Look::of(frame, voi, self.invert) }
    }
}

/// What the left mouse button does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Tool {
    /// Drag through the stack.
    #[default]
    Scroll,
    /// Drag window centre and width.
    Window,
    /// Drag the picture.
    Pan,
    /// Drag the scale.
    Zoom,
    /// Draw a length.
    Length,
    /// Read a value.
    Probe,
    /// Draw an ellipse.
    Ellipse,
}
