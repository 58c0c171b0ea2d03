//! The work: assignment, lease, deadline, and who may do what. Its types travel as JSON exactly as they
//! stand here (`assets/reading-center.openapi.yaml` names them); `docs/decisions` says why.

mod assignment;
mod audit;
pub mod calendar;
pub mod clock;
mod deadline;

pub use assignment::{
    Archive, ArchiveAuth, Assignment, AssignmentState, Contrast, DeclineReason, Due, DueRule, Facility, Kind, Lease,
    PriorReport, Priority, Request, ReturnReason, Role, StudyToRead, TransitionError,
};
pub use audit::{AuditAction, AuditEvent, AuditOutcome};
pub use deadline::{Remaining, remaining};
