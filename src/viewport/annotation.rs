//! Measurements drawn on a frame: kept with the draft, in pixel coordinates of the frame.

use crate::study::FrameRef;
use serde::{Deserialize, Serialize};

/// Number of an annotation within one draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AnnotationId(pub u64);

/// Geometry in pixels of the frame, (column, row); whole numbers are pixel centres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "shape")]
pub enum Shape {
    /// Distance between two points.
    Length {
        /// One end.
        a: [f64; 2],
        /// Other end.
        b: [f64; 2],
    },
    /// Value of one pixel.
    Probe {
        /// Where.
        at: [f64; 2],
    },
    /// Mean and SD inside an ellipse.
    Ellipse {
        /// Centre.
        center: [f64; 2],
        /// Half axes.
        half: [f64; 2],
    },
}

/// What an annotation measured, from stored values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "measured")]
pub enum Measured {
    /// A length; mm where the spacing is known, else pixels.
    Length {
        /// Value.
        value: f64,
        /// `mm` or `px`.
        unit: String,
    },
    /// One value; `None` for padding, colour or outside.
    Value {
        /// Modality value.
        value: Option<f64>,
        /// Unit, e.g. `HU`.
        unit: String,
    },
    /// Region statistics.
    Region {
        /// Mean.
        mean: f64,
        /// Sample standard deviation.
        sd: f64,
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Area, mm².
        area_mm2: Option<f64>,
        /// Pixels counted.
        count: u64,
        /// Unit of mean and SD.
        unit: String,
    },
}

/// One annotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// Its number.
    pub id: AnnotationId,
    /// The frame it lies on.
    pub frame: FrameRef,
    /// Where.
    pub shape: Shape,
    /// What it says; `None` until the frame's pixels are there.
    pub measured: Option<Measured>,
}
