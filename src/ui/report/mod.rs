//! The report beside the pictures, and the way to the signature.

mod field;
mod findings;
mod panel;
mod sign;
mod signed;
mod versions;

pub use panel::{ReportLocal, report_panel_ui};
pub use sign::{SignLocal, sign_dialog_ui};
