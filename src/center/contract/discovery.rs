//! The enrolment file and the discovery document: all the set-up that a reader's terminal needs.

use super::UserRole;
use crate::worklist::Archive;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `format` of an enrolment file of this version.
pub const ENROLMENT_FORMAT: &str = "dokuei-enrolment-1";

/// The enrolment file (`.dokuei-enrol`): one per reader and terminal, made by the center. Debug output hides the code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentFile {
    /// [`ENROLMENT_FORMAT`].
    pub format: String,
    /// The center's name for people.
    pub center: String,
    /// Base URL without trailing slash, `https` only.
    pub base_url: String,
    /// PEM of the CA that the terminal trusts for this center, and nothing else for it.
    pub ca_certificate: String,
    /// User id to sign in with.
    pub user: String,
    /// One-time code; proves at the first signing-certificate request that the file came from the center.
    pub enrolment_code: String,
    /// The code's end.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for EnrolmentFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolmentFile")
            .field("center", &self.center)
            .field("base_url", &self.base_url)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method")]
pub enum SignInMethod {
    /// Password and time-based one-time password at the token endpoint.
    #[serde(rename = "password+totp")]
    PasswordTotp {
        /// Token endpoint.
        token_endpoint: String,
    },
    /// OpenID Connect, authorization code with PKCE.
    #[serde(rename = "oidc")]
    Oidc {
        /// Issuer.
        issuer: String,
        /// Client id of the workstation.
        client_id: String,
    },
}

/// A DICOMweb root with what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DicomwebRoot {
    /// Where, and how to sign in there.
    #[serde(flatten)]
    pub archive: Archive,
    /// Results (STOW-RS) may be stored there.
    pub stores_results: bool,
}

/// An attachment that the center accepts with a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRule {
    /// Media type, e.g. `text/html`.
    pub media_type: String,
    /// A submission without one is refused.
    pub required: bool,
}

/// Limits of this center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest submission, bytes.
    pub submission_bytes: u64,
    /// Largest draft, bytes.
    pub draft_bytes: u64,
    /// How long a lease lasts without renewal, seconds.
    pub lease_seconds: u32,
    /// Most records in one audit batch.
    pub audit_batch: u32,
}

/// `GET /.well-known/reading-center`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// The center's name for people.
    pub name: String,
    /// Versions of this contract that are spoken, e.g. `["1"]`.
    pub api_versions: Vec<String>,
    /// Ways to sign in, best first.
    pub sign_in: Vec<SignInMethod>,
    /// Roles that exist here.
    pub roles: Vec<UserRole>,
    /// DICOMweb roots.
    pub dicomweb: Vec<DicomwebRoot>,
    /// A device certificate (mutual TLS) is required.
    pub device_certificate_required: bool,
    /// Time-stamping authority (RFC 3161), if one is to be used.
    #[serde(default)]
    pub tsa_url: Option<String>,
    /// PEM of the CAs that certify readers' signing keys and the center's receipts.
    pub ca_certificates: Vec<String>,
    /// Attachments wanted and accepted.
    pub attachments: Vec<AttachmentRule>,
    /// Limits.
    pub limits: Limits,
    /// Optional parts of the contract that this center has, e.g. `events`, `drafts`, `addenda`, `audit`; what is not named
    /// is not there.
    pub features: Vec<String>,
    /// The center's clock.
    pub server_time: Timestamp,
}
