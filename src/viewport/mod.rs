//! What a viewport shows, apart from how it is drawn: layout, view and data presentation, tools,
//! annotations. Pure state; no pixels, no device, no clock.

mod action;
mod annotation;
mod fidelity;
mod geometry;
pub mod laid;
mod layout;
pub mod mask;
mod object;
mod oddity;
mod orientation;
mod presentation;
pub mod segmentation;
pub mod state_object;
pub mod tool;

pub use action::Action;
pub use annotation::{Annotation, AnnotationId, Measured, Shape};
pub use fidelity::Fidelity;
pub use geometry::{Geometry, ZOOM_RANGE};
pub use laid::{Area, Laid, LaidText, Outline, Span, Under, rgb_by_number, rgb_of_lab};
pub use layout::{Layout, ViewId};
pub use object::{Encapsulated, ObjectContent};
pub use oddity::Oddity;
pub use orientation::{edge_letters, scale_bar_mm};
pub use presentation::{DataPresentation, Tool, ViewPresentation, Zoom};
