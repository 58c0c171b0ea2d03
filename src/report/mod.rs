//! The report: template, draft and its edits, the gate before signing, and the bytes that are signed.
//!
//! Pure: no clock, no disk, no network. It never decides who may sign; that is the center's.

mod draft;
mod receipt;
mod template;

pub use draft::{Draft, Edit, Finding, FindingId, KeyImage, Predecessor, Value};
pub use receipt::Receipt;
pub use template::{Choice, Field, FieldKind, FindingSchema, Rule, Section, Template, Text};
