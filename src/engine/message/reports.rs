//! Reports on their way from preview to receipt.

use crate::report::Receipt;
use std::sync::Arc;

/// A report frozen for signing: exactly what will be signed.
#[derive(Clone)]
pub struct Prepared {
    /// Names it in [`Command::Sign`].
    pub id: u64,
    /// Assignment.
    pub assignment: String,
    /// Draft revision it was made from.
    pub revision: u64,
    /// The exact bytes of `report.json`.
    pub report_json: Arc<[u8]>,
    /// The HTML rendering (an attachment).
    pub html: Arc<str>,
    /// SHA-256 (hex) of `report_json`.
    pub sha256: String,
    /// Key images as they go along, by the names of their attachments.
    pub pictures: Vec<PreviewPicture>,
}

/// A key image that goes with a report.
#[derive(Clone)]
pub struct PreviewPicture {
    /// Name of the attachment.
    pub name: String,
    /// Width and height, pixels.
    pub size: [u32; 2],
    /// RGB bytes.
    pub rgb: Arc<[u8]>,
}

impl std::fmt::Debug for PreviewPicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreviewPicture").field("size", &self.size).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A signed report as the center or this terminal holds it.
#[derive(Clone)]
pub struct ReportOnFile {
    /// Report id at the center; empty while only in the outbox.
    pub report_id: String,
    /// Version.
    pub version: u32,
    /// SHA-256 (hex) of the signed bytes.
    pub sha256: String,
    /// Signed bytes.
    pub report_json: Arc<[u8]>,
    /// HTML rendering.
    pub html: Arc<str>,
    /// The verdict of the signature check, made just now.
    pub verdict: String,
    /// The check succeeded.
    pub valid: bool,
    /// Receipt, once the center has it.
    pub receipt: Option<Receipt>,
}

impl std::fmt::Debug for ReportOnFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportOnFile").field("report_id", &self.report_id).finish_non_exhaustive()
    }
}
