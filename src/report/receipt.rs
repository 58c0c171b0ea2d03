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

impl Receipt {
    /// The bytes that the center signed: RFC 8785 JSON of the receipt without its `signature` member.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, super::manifest::PackageError> {
        let mut value = serde_json::to_value(self).map_err(|e| super::manifest::PackageError::Syntax(e.into()))?;
        if let Some(object) = value.as_object_mut() {
            object.remove("signature");
        }
        super::manifest::canonical(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_not_part_of_what_is_signed() {
        let mut receipt = Receipt {
            report_id: "r".into(),
            version: 1,
            assignment_id: "a".into(),
            sha256: "00".into(),
            signer: "reader1".into(),
            received_at: Timestamp::UNIX_EPOCH,
            center: "読影センター".into(),
            signature: String::new(),
        };
        let before = receipt.signed_bytes().expect("bytes");
        receipt.signature = "MII".into();
        assert_eq!(receipt.signed_bytes().expect("bytes"), before);
        assert!(!String::from_utf8_lossy(&before).contains("signature"));
        receipt.version = 2;
        assert_ne!(receipt.signed_bytes().expect("bytes"), before);
    }
}
