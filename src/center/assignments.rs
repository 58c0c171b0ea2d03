//! Worklist, transitions and leases.

use super::CenterError;
use super::client::{Call, CenterClient};
use super::contract::{AssignmentPage, Decline, Release, RenewLease, Return, Start, paths};
use crate::study::hidden_debug;
use crate::worklist::{Assignment, DeclineReason, Lease, ReturnReason};
use jiff::Timestamp;
use reqwest::Method;

/// More pages than any worklist has: a center that never ends is in error.
const MAX_PAGES: usize = 1000;

/// The whole worklist.
#[derive(Debug, Clone)]
pub struct WholeWorklist {
    /// Assignments in the center's order.
    pub assignments: Vec<Assignment>,
    /// Where an event stream without a gap begins.
    pub last_event_id: u64,
    /// The center's clock.
    pub server_time: Timestamp,
}

/// A step of an assignment.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Accept.
    Accept,
    /// Start or go on.
    Start,
    /// Put aside.
    Suspend,
    /// Give back.
    Release,
    /// Say no.
    Decline(DeclineReason, String),
    /// Cannot be read.
    Return(ReturnReason, String),
}

hidden_debug!(Step);

/// An id from outside goes into a path only if it can do no harm there.
pub(super) fn safe_id(id: &str) -> Result<&str, CenterError> {
    let safe = !id.is_empty()
        && id.len() <= 128
        && !id.starts_with('.')
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if safe {
        Ok(id)
    } else {
        Err(CenterError::Protocol("an id with other characters than A-Z a-z 0-9 . _ -".to_owned()))
    }
}

impl CenterClient {
    /// All assignments of this reader, page by page.
    pub async fn worklist(&self) -> Result<WholeWorklist, CenterError> {
        let mut assignments = Vec::new();
        let mut cursor: Option<String> = None;
        let mut first: Option<(u64, Timestamp)> = None;
        for _ in 0..MAX_PAGES {
            let path = match &cursor {
                None => paths::ASSIGNMENTS.to_owned(),
                Some(cursor) => {
                    let query =
                        url::form_urlencoded::Serializer::new(String::new()).append_pair("cursor", cursor).finish();
                    format!("{}?{query}", paths::ASSIGNMENTS)
                }
            };
            let page: AssignmentPage = self.json(&Call::get(path)).await?;
            // The first page's mark: what changes while we page is told again by the stream.
            let (last_event_id, server_time) = *first.get_or_insert((page.last_event_id, page.server_time));
            assignments.extend(page.assignments);
            match page.next_cursor {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(WholeWorklist { assignments, last_event_id, server_time }),
            }
        }
        Err(CenterError::Protocol("the worklist does not end".to_owned()))
    }

    /// One assignment as it is now.
    pub async fn assignment(&self, id: &str) -> Result<Assignment, CenterError> {
        self.json(&Call::get(paths::assignment(safe_id(id)?))).await
    }

    /// Makes a step; gives the assignment after it.
    pub async fn step(&self, id: &str, step: &Step) -> Result<Assignment, CenterError> {
        self.step_with(id, step, None).await
    }

    /// As [`Self::step`], under a key that the caller keeps: the same step sent again counts once.
    pub async fn step_once(&self, id: &str, step: &Step, key: &str) -> Result<Assignment, CenterError> {
        self.step_with(id, step, Some(key)).await
    }

    async fn step_with(&self, id: &str, step: &Step, key: Option<&str>) -> Result<Assignment, CenterError> {
        let id = safe_id(id)?;
        let post = |action: &str| Call::new(Method::POST, paths::transition(id, action));
        let call = match step {
            Step::Accept => post("accept").json(&Start {})?,
            Step::Start => post("start").json(&Start {})?,
            Step::Suspend => post("suspend").json(&Start {})?,
            Step::Release => post("release").json(&Release { reason: None, text: String::new() })?,
            Step::Decline(reason, text) => post("decline").json(&Decline { reason: *reason, text: text.clone() })?,
            Step::Return(reason, text) => post("return").json(&Return { reason: *reason, text: text.clone() })?,
        };
        self.json(&call.idempotent(key)?).await
    }

    /// Makes a lease last longer.
    pub async fn renew_lease(&self, assignment: &str, lease: &str) -> Result<Lease, CenterError> {
        let call = Call::new(Method::POST, paths::lease(safe_id(assignment)?))
            .json(&RenewLease { lease_id: lease.to_owned() })?;
        self.json(&call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_their_place() {
        assert!(safe_id("a-1_B.2").is_ok());
        for bad in ["", "../x", "..", "a/b", "a?b", "a b", "日", &"x".repeat(129)] {
            assert!(safe_id(bad).is_err(), "{bad}");
        }
    }
}
