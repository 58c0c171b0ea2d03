//! One assignment: a study (or several) that this reader is asked to read.

use crate::study::{ExamKind, Patient, StudyUid};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// The legal kind of the service; decides title and section words, is part of the signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 遠隔画像診断: an insured medical act.
    Diagnosis,
    /// 遠隔読影: support; responsibility stays with the requesting physician.
    Opinion,
}

/// How urgent, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 至急.
    Stat,
    /// 当日.
    Urgent,
    /// 翌診療日.
    NextClinicDay,
    /// 通常.
    Routine,
}

/// What the reader is for this assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Single or first reader.
    Primary,
    /// Second reader of a double reading.
    Second,
    /// Third reader who resolves.
    Arbiter,
}

/// Where the assignment stands (reading-center contract, "Worklist").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentState {
    /// Given to the reader, not yet answered.
    Assigned,
    /// The reader will do it.
    Accepted,
    /// Being read under a lease.
    InProgress,
    /// The signed report is with the center.
    Submitted,
    /// Closed by the center.
    Finalized,
    /// The reader said no.
    Declined,
    /// Given to somebody else.
    Reassigned,
    /// Cannot be read; went back to the facility with a reason.
    Returned,
    /// Withdrawn.
    Cancelled,
}

/// Why an assignment cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// The request form lacks what is needed.
    RequestIncomplete,
    /// Images named are not there.
    ImageMissing,
    /// Images cannot be read.
    ImageUnreadable,
    /// Perhaps another patient's pictures: stops all signing.
    WrongPatientSuspected,
}

/// Why a reader gives an assignment back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// Ill.
    Illness,
    /// Too much work.
    Overload,
    /// Conflict of interest.
    Conflict,
    /// Technical trouble.
    Technical,
    /// Outside the reader's field.
    Declined,
    /// Cannot be done in time.
    DeadlineRisk,
}

/// A facility with its code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facility {
    /// Name.
    pub name: String,
    /// 保険医療機関コード or the center's own code.
    pub code: String,
}

/// Contrast medium as requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// No contrast exam.
    #[default]
    None,
    /// Plain only.
    Plain,
    /// Contrast only.
    Enhanced,
    /// Both.
    PlainAndEnhanced,
}

/// The request form 依頼票. Debug output of the assignment hides it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Request number of the facility.
    #[serde(default)]
    pub request_id: String,
    /// Accession number.
    #[serde(default)]
    pub accession: String,
    /// Exam as text, e.g. `CT 胸腹部造影`.
    #[serde(default)]
    pub exam: String,
    /// Body parts.
    #[serde(default)]
    pub body_parts: Vec<String>,
    /// Contrast.
    #[serde(default)]
    pub contrast: Contrast,
    /// 検査目的: the question to answer.
    #[serde(default)]
    pub question: String,
    /// 臨床情報.
    #[serde(default)]
    pub clinical_information: String,
    /// 既往歴・経過.
    #[serde(default)]
    pub history: String,
    /// Requesting physician.
    #[serde(default)]
    pub physician: String,
    /// Number of images as the facility says it sent, if stated.
    #[serde(default)]
    pub images_sent: Option<u64>,
    /// 比較読影希望.
    #[serde(default)]
    pub comparison_wanted: bool,
    /// 検診 (true) or 診療.
    #[serde(default)]
    pub screening: bool,
}

/// How to sign in at a DICOMweb root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveAuth {
    /// The center's own root: its access token.
    CenterToken,
    /// Own credentials, by the name under which the discovery document or the user keeps them; the
    /// center's token is never sent there.
    Named,
}

/// A DICOMweb root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Base URL, without trailing slash, e.g. `https://…/dicomweb`.
    pub root: String,
    /// How to sign in there.
    pub auth: ArchiveAuth,
    /// Name of the credentials where `auth` is `named`.
    #[serde(default)]
    pub credentials: Option<String>,
}

/// A study named by an assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyToRead {
    /// Study Instance UID.
    pub study_uid: StudyUid,
    /// Where it lies.
    pub archive: Archive,
    /// Modalities in the study.
    #[serde(default)]
    pub modalities: Vec<String>,
    /// Study date.
    #[serde(default)]
    pub date: Option<Date>,
    /// Study description.
    #[serde(default)]
    pub description: String,
    /// Series as the center counts them.
    pub series: u64,
    /// Instances as the center counts them.
    pub instances: u64,
    /// Bytes.
    #[serde(default)]
    pub bytes: u64,
}

/// A report of an earlier exam, for reading beside the pictures.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PriorReport {
    /// The study it is about.
    #[serde(default)]
    pub study_uid: Option<StudyUid>,
    /// Date of the exam.
    #[serde(default)]
    pub date: Option<Date>,
    /// Title, e.g. `CT 胸部`.
    #[serde(default)]
    pub title: String,
    /// Text.
    pub text: String,
    /// Id at the center, where it is one of its reports.
    #[serde(default)]
    pub report_id: Option<String>,
}

/// The rule a deadline came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum DueRule {
    /// Hours agreed in the contract.
    ContractHours {
        /// Hours after receipt.
        hours: u32,
    },
    /// Management-fee class with the next-clinic-day rule.
    NextClinicDay {
        /// Class number of a dated table.
        class: u32,
    },
    /// Business days (screening).
    BusinessDays {
        /// Days.
        days: u32,
    },
}

/// A deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Why then.
    #[serde(flatten)]
    pub rule: DueRule,
}

/// The right to work on an assignment for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Lease id; sent with a submission.
    pub id: String,
    /// Who holds it (user id).
    pub owner: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// One assignment as the center sends it to its reader. Debug output hides patient and request.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Opaque id.
    pub id: String,
    /// Version; also the HTTP ETag.
    pub etag: String,
    /// Role of this reader.
    pub role: Role,
    /// State.
    pub state: AssignmentState,
    /// Legal kind.
    pub kind: Kind,
    /// Priority.
    pub priority: Priority,
    /// What kind of exam.
    pub exam_kind: ExamKind,
    /// When the center got the request.
    pub received_at: Timestamp,
    /// When it last changed (for `updated_since`).
    pub updated_at: Timestamp,
    /// Deadline.
    pub due: Due,
    /// Requesting facility.
    pub facility: Facility,
    /// Facility that answers for the report (受信側), for the mandatory header.
    #[serde(default)]
    pub reading_facility: Facility,
    /// Patient as the request names them.
    pub patient: Patient,
    /// The request form.
    pub request: Request,
    /// Studies to read.
    pub studies: Vec<StudyToRead>,
    /// Earlier studies for comparison.
    #[serde(default)]
    pub prior_studies: Vec<StudyToRead>,
    /// Earlier reports.
    #[serde(default)]
    pub prior_reports: Vec<PriorReport>,
    /// Templates to choose from, best first.
    pub template_ids: Vec<String>,
    /// Messages of the coordinator.
    #[serde(default)]
    pub messages: Vec<String>,
    /// Reason and text where the assignment was returned or declined.
    #[serde(default)]
    pub reason: Option<String>,
    /// Current lease, if it is this reader's.
    #[serde(default)]
    pub lease: Option<Lease>,
    /// Preferred reader (担当医).
    #[serde(default)]
    pub preferred_reader: Option<String>,
    /// Id of the newest report version, once submitted.
    #[serde(default)]
    pub report_id: Option<String>,
}

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assignment").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// A transition that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{action} is not possible in state {state:?}")]
pub struct TransitionError {
    /// The state it is in.
    pub state: AssignmentState,
    /// What was asked.
    pub action: &'static str,
}

impl AssignmentState {
    fn go(self, action: &'static str, from: &[Self], to: Self) -> Result<Self, TransitionError> {
        if from.contains(&self) { Ok(to) } else { Err(TransitionError { state: self, action }) }
    }
    /// The reader accepts.
    pub fn accept(self) -> Result<Self, TransitionError> {
        self.go("accept", &[Self::Assigned], Self::Accepted)
    }
    /// The reader begins (or goes on) reading and gets a lease.
    pub fn start(self) -> Result<Self, TransitionError> {
        self.go("start", &[Self::Assigned, Self::Accepted, Self::InProgress], Self::InProgress)
    }
    /// The reader puts it aside; the draft stays.
    pub fn suspend(self) -> Result<Self, TransitionError> {
        self.go("suspend", &[Self::InProgress], Self::Accepted)
    }
    /// The reader gives it back unread after accepting.
    pub fn release(self) -> Result<Self, TransitionError> {
        self.go("release", &[Self::Accepted, Self::InProgress], Self::Assigned)
    }
    /// The reader says no.
    pub fn decline(self) -> Result<Self, TransitionError> {
        self.go("decline", &[Self::Assigned, Self::Accepted], Self::Declined)
    }
    /// Cannot be read.
    pub fn return_unread(self) -> Result<Self, TransitionError> {
        self.go("return", &[Self::Assigned, Self::Accepted, Self::InProgress], Self::Returned)
    }
    /// A signed report came in.
    pub fn submit(self) -> Result<Self, TransitionError> {
        self.go("submit", &[Self::InProgress], Self::Submitted)
    }
    /// Still the reader's to do.
    pub fn open(self) -> bool {
        matches!(self, Self::Assigned | Self::Accepted | Self::InProgress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AssignmentState as S;

    #[test]
    fn transitions_follow_the_contract() {
        assert_eq!(S::Assigned.accept(), Ok(S::Accepted));
        assert_eq!(S::Accepted.start(), Ok(S::InProgress));
        assert_eq!(S::InProgress.suspend(), Ok(S::Accepted));
        assert_eq!(S::InProgress.submit(), Ok(S::Submitted));
        assert_eq!(S::InProgress.return_unread(), Ok(S::Returned));
        assert!(S::Assigned.submit().is_err());
        assert!(S::Submitted.start().is_err());
        assert!(S::Cancelled.accept().is_err());
        assert!(S::InProgress.decline().is_err());
    }

    #[test]
    fn wire_words() {
        assert_eq!(serde_json::to_string(&Priority::NextClinicDay).expect("json"), "\"next_clinic_day\"");
        assert_eq!(serde_json::to_string(&S::InProgress).expect("json"), "\"in_progress\"");
        assert_eq!(
            serde_json::to_string(&ReturnReason::WrongPatientSuspected).expect("json"),
            "\"wrong_patient_suspected\""
        );
        let due = Due { at: Timestamp::UNIX_EPOCH, rule: DueRule::NextClinicDay { class: 2 } };
        assert_eq!(
            serde_json::to_string(&due).expect("json"),
            r#"{"at":"1970-01-01T00:00:00Z","rule":"next_clinic_day","class":2}"#
        );
    }
}
