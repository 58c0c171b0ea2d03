//! The center's signed receipt for a submitted report.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the center confirms. `signature` is base64 of a detached DER CMS by the center over the RFC 8785
/// JSON of this object without the member `signature`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Report id at the center.
    pub report_id: String,
    /// Version number of this report, from 1.
    pub version: u32,
    /// Assignment answered.
    pub assignment_id: String,
    /// SHA-256 (hex) of the signed bytes of `report.json`.
    pub sha256: String,
    /// User id of the signer, as the certificate says.
    pub signer: String,
    /// When the center had it whole.
    pub received_at: Timestamp,
    /// The center's name.
    pub center: String,
    /// See the type.
    #[serde(default)]
    pub signature: String,
}
