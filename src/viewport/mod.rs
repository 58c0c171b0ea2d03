//! What a viewport shows, apart from how it is drawn: layout, view and data presentation, tools,
//! annotations. Pure state; no pixels, no device, no clock.

mod annotation;
mod layout;
mod presentation;

pub use annotation::{Annotation, AnnotationId, Measured, Shape};
pub use layout::{Layout, ViewId};
pub use presentation::{DataPresentation, Tool, ViewPresentation, Zoom};
