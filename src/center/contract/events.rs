//! Server-sent events of `GET /v1/events?since=…`.

use crate::worklist::AssignmentState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `event:` of a change of an assignment; its `id:` counts up and is what `since` names.
pub const EVENT_ASSIGNMENT: &str = "assignment";
/// `event:` of a sign of life, sent when nothing else was for some seconds; it has no `id:`.
pub const EVENT_PING: &str = "ping";
/// `event:` that tells the client to read the worklist anew (its `since` is unknown here, or it was too slow).
pub const EVENT_RESYNC: &str = "resync";

/// `data:` of [`EVENT_ASSIGNMENT`]. Ids and state only: the assignment itself is read by `GET`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentChanged {
    /// Assignment.
    pub assignment_id: String,
    /// Its version after the change.
    pub etag: String,
    /// Its state after the change, as this reader may know it.
    pub state: AssignmentState,
    /// When.
    pub updated_at: Timestamp,
}

/// `data:` of [`EVENT_PING`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// The center's clock.
    pub server_time: Timestamp,
}

/// `data:` of [`EVENT_RESYNC`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// `since` to go on with after reading the worklist.
    pub last_event_id: u64,
}
