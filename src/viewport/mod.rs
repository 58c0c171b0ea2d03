//! What a viewport shows, apart from how it is drawn: layout, view and data presentation, tools,
//! annotations. Pure state; no pixels, no device, no clock.

mod action;
mod annotation;
mod fidelity;
mod geometry;
mod layout;
mod object;
mod orientation;
mod presentation;
pub mod tool;

pub use action::Action;
pub use annotation::{Annotation, AnnotationId, Measured, Shape};
pub use fidelity::Fidelity;
pub use geometry::{Geometry, ZOOM_RANGE};
pub use layout::{Layout, ViewId};
pub use object::ObjectContent;
pub use orientation::{edge_letters, scale_bar_mm};
pub use presentation::{DataPresentation, Tool, ViewPresentation, Zoom};
