//! Header names of the contract.

/// On every POST: the same key with the same body gives the same answer, with another body 422.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// On a submission: the id of the lease under which the report was written.
pub const LEASE: &str = "reading-center-lease";
/// On an answer that repeats an earlier one for the same idempotency key: `true`.
pub const REPLAYED: &str = "idempotency-replayed";
/// On a reconnecting event stream: the last event's id (`since` wins where both are given).
pub const LAST_EVENT_ID: &str = "last-event-id";
