//! What is odd about an object without a picture, as data: the panel says it in the reader's language, `Display` in
//! English.

use crate::imaging::Trouble;
use crate::study::document::DocumentOddity;
use serde::{Serialize, Serializer};

/// One oddity of an object, or a part of it that is left out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Oddity {
    /// Of a structured report.
    #[error(transparent)]
    Document(#[from] DocumentOddity),
    /// Of a table, shutter or overlay plane.
    #[error(transparent)]
    Picture(#[from] Trouble),
    /// A presentation state for nothing.
    #[error("it names no pictures that it is for")]
    NoPictures,
    /// Image Rotation.
    #[error("a rotation by {degrees}° is not applied: only quarter turns are")]
    Rotation {
        /// As stated.
        degrees: i64,
    },
    /// Mask Subtraction Sequence; what of it is not done.
    #[error("the mask subtraction is not applied: {what}")]
    Mask {
        /// Operation or attribute.
        what: String,
    },
    /// Presentation LUT Shape.
    #[error("the presentation LUT shape {0} is not known")]
    PresentationShape(String),
    /// Compound Graphic Sequence.
    #[error("{count} compound graphics are not drawn; their plain forms are, where the state has them")]
    CompoundGraphics {
        /// Items.
        count: usize,
    },
    /// Graphics and texts beyond the limit.
    #[error("more than {most} graphics and texts: the rest is left out")]
    GraphicsLeftOut {
        /// The limit.
        most: usize,
    },
    /// Frames of a segmentation beyond the limit.
    #[error("{declared} frames: only the first {read} are read")]
    FramesLeftOut {
        /// There.
        declared: usize,
        /// Read.
        read: usize,
    },
    /// A frame of a segmentation is damaged.
    #[error("frame {number}: {reason}")]
    SegmentFrame {
        /// Counted from 1.
        number: usize,
        /// In the decoder's words.
        reason: String,
    },
    /// A frame of a segmentation belongs to none of its segments.
    #[error("frame {number} names no segment of the object")]
    NoSegment {
        /// Counted from 1.
        number: usize,
    },
    /// Contours beyond the limit.
    #[error("more contours than are drawn: the rest is left out")]
    ContoursLeftOut,
    /// Contours that cannot be drawn.
    #[error("{count} contours are damaged or of no structure and are not drawn")]
    Contours {
        /// How many.
        count: usize,
    },
}

impl Serialize for Oddity {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
