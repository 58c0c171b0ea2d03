//! Worklist pages and the bodies of the transitions. Every transition answers with the whole assignment and its new `ETag`.

use crate::study::hidden_debug;
use crate::worklist::{Assignment, DeclineReason, ReturnReason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /v1/assignments?state=…&modality=…&due_before=…&updated_since=…&limit=…&cursor=…`, earliest deadline first.
/// `state` and `modality` take several values joined by commas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssignmentPage {
    /// The page.
    pub assignments: Vec<Assignment>,
    /// Cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Id of the newest event when the page was made: `since` for an event stream without a gap.
    pub last_event_id: u64,
    /// The center's clock.
    pub server_time: Timestamp,
}

/// Body of `accept`, `start` and `suspend`: an empty object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {}

/// Body of `decline`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// Why.
    pub reason: DeclineReason,
    /// In words.
    #[serde(default)]
    pub text: String,
}

/// Body of `release`: given back after accepting. The draft stays with its author.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Why, if there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeclineReason>,
    /// In words.
    #[serde(default)]
    pub text: String,
}

/// Body of `return`: cannot be read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// Why. `wrong_patient_suspected` stops all signing for the assignment.
    pub reason: ReturnReason,
    /// In words; required, since a person at the facility must act on it.
    pub text: String,
}

/// Body of `POST /v1/assignments/{id}/lease`; answered with the renewed `worklist::Lease`, or 409 `lease-lost`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewLease {
    /// The lease held.
    pub lease_id: String,
}

hidden_debug!(Decline { reason }, Release { reason }, Return { reason });
