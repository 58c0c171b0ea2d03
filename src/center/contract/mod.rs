//! The contract, version 1: paths, wire types and problem types that workstation and center share.
//!
//! `assets/reading-center.openapi.yaml` is the source of truth; `tests/contract.rs` holds both sides to it. Where a wire type is
//! also a type of the domain (assignment, lease, receipt, audit record) it lives in `worklist` or `report` and travels as it
//! stands there.

mod audit;
mod auth;
mod discovery;
mod events;
pub mod headers;
pub mod paths;
mod problem;
mod reports;
mod worklist;

pub use audit::{AuditBatch, AuditHead, MAX_AUDIT_BATCH};
pub use auth::{SigningCertificate, SigningCertificateRequest, TokenRequest, TokenResponse, User, UserRole};
pub use discovery::{AttachmentRule, DicomwebRoot, Discovery, ENROLMENT_FORMAT, EnrolmentFile, Limits, SignInMethod};
pub use events::{AssignmentChanged, EVENT_ASSIGNMENT, EVENT_PING, EVENT_RESYNC, Ping, Resync};
pub use problem::{Language, PROBLEM_MEDIA_TYPE, Problem, ProblemType};
pub use reports::{
    AttachmentLink, DraftEnvelope, DraftPut, PART_REPORT, PART_SIGNATURE, Report, ReportList, ReportVersion,
    VersionKind,
};
pub use worklist::{AssignmentPage, Decline, Release, RenewLease, Return, Start};
