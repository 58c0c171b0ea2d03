//! The report: template, draft and its edits, the gate before signing, and the bytes that are signed.
//!
//! Pure: no clock, no disk, no network. It never decides who may sign; that is the center's.

mod draft;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod gate;
mod history;
mod html;
pub mod manifest;
pub mod page;
mod receipt;
mod template;
pub mod templates;

pub use draft::{Draft, Edit, Finding, FindingId, KeyImage, PRIORS, Predecessor, Value};
pub use history::History;
pub use html::{HtmlError, measured_text, render_html};
pub use receipt::Receipt;
pub use template::{Choice, Field, FieldKind, FindingSchema, Rule, Section, Template, Text};
