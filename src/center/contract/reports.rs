//! Drafts, submissions and reports as the center gives them back.
//!
//! A submission (`POST …/reports`, `POST …/versions`) is `multipart/related; type="application/json"`. Each part carries
//! `Content-Type`, `Content-Length`, `Content-ID: <NAME>` and `Content-Location: NAME`: first [`PART_REPORT`] (the exact signed
//! bytes), then [`PART_SIGNATURE`] (detached DER CMS), then each attachment by the name that `report.json` gives it. The answer
//! is 201 with `report::Receipt`; all or nothing.

use crate::report::{Predecessor, Receipt};
use crate::study::StudyUid;
use crate::study::hidden_debug;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Name of the signed part; `application/json`.
pub const PART_REPORT: &str = "report.json";
/// Name of the signature; `application/pkcs7-signature`.
pub const PART_SIGNATURE: &str = "signature.p7s";

/// `PUT /v1/assignments/{id}/draft` with `If-Match` (or `If-None-Match: *` for the first). The center keeps the draft as it is;
/// it reads nothing in it. Debug output hides it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftPut {
    /// A `report::Draft`.
    pub draft: Value,
}

/// Answer to a PUT (without `draft`) and to a GET (with it); also member `current` of a 412 problem. Debug output hides it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftEnvelope {
    /// Version; also the HTTP ETag.
    pub etag: String,
    /// When the center got it.
    pub saved_at: Timestamp,
    /// The draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Value>,
}

hidden_debug!(DraftPut, DraftEnvelope);

/// What a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionKind {
    /// 確定.
    Original,
    /// 追記: the old text stays.
    Addendum,
    /// 訂正: replaces, with a reason.
    Amendment,
}

/// An attachment of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentLink {
    /// Name, as `report.json` gives it.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// SHA-256 (hex).
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Path below the base URL.
    pub url: String,
}

/// One signed version.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportVersion {
    /// From 1.
    pub version: u32,
    /// What it is.
    pub kind: VersionKind,
    /// The version it follows.
    #[serde(default)]
    pub predecessor: Option<Predecessor>,
    /// Why an addendum or amendment was made, as signed.
    #[serde(default)]
    pub reason: Option<String>,
    /// SHA-256 (hex) of `report.json`.
    pub sha256: String,
    /// User id of the signer.
    pub signer: String,
    /// Name of the signer, as the certificate says.
    pub signer_name: String,
    /// When the center had it whole.
    pub received_at: Timestamp,
    /// Path of the signed bytes.
    pub report_url: String,
    /// Path of the CMS.
    pub signature_url: String,
    /// Attachments.
    pub attachments: Vec<AttachmentLink>,
    /// The receipt as given.
    pub receipt: Receipt,
}

hidden_debug!(ReportVersion { version, kind, sha256 });

/// `GET /v1/reports/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Id; all versions share it.
    pub report_id: String,
    /// Assignment answered.
    pub assignment_id: String,
    /// Studies it is about.
    pub study_uids: Vec<StudyUid>,
    /// Versions, oldest first.
    pub versions: Vec<ReportVersion>,
}

/// `GET /v1/studies/{uid}/reports`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportList {
    /// Reports that this reader may see.
    pub reports: Vec<Report>,
}
