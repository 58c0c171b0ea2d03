//! Audit records (DICOM PS3.15 A.5, IHE ITI-20) as the workstation reports them: ids only, no clinical text.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// DCM 110120.
    ApplicationStart,
    /// DCM 110121.
    ApplicationStop,
    /// DCM 110122.
    Login,
    /// DCM 110123.
    Logout,
    /// DCM 110112.
    WorklistQuery,
    /// DCM 110103 R: images viewed.
    StudyOpened,
    /// DCM 110104: images received.
    StudyReceived,
    /// DCM 110103 C: report signed.
    ReportSigned,
    /// DCM 110104: report sent.
    ReportSubmitted,
    /// DCM 110106: signed files of a refused report were written outside the sealed store.
    ReportExported,
    /// DCM 110106: the document within an object was written outside the sealed store.
    DocumentExported,
    /// DCM 110113: a refused report was settled with the center by a person; its signed bytes stay.
    ReportHandedOver,
    /// The center's own: an assignment was released, withdrawn or given to another reader by its IT person.
    AssignmentAdministered,
    /// DCM 110113: refused or suspicious.
    SecurityAlert,
}

/// How it ended (EventOutcomeIndicator).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// 0.
    Success,
    /// 4.
    MinorFailure,
    /// 8.
    SeriousFailure,
}

/// One record. `previous` is the SHA-256 (hex) of the record before, so that a gap or edit shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Counts from 1 per terminal.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who (user id), empty before sign-in.
    pub user: String,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Study Instance UID, assignment id or report id concerned.
    #[serde(default)]
    pub object: Option<String>,
    /// SHA-256 (hex) of the record before; 64 zeros for the first.
    pub previous: String,
}
