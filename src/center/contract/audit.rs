//! Audit intake: batches of hash-chained records.

use crate::worklist::AuditEvent;
use serde::{Deserialize, Serialize};

/// Most records in one batch.
pub const MAX_AUDIT_BATCH: usize = 1000;

/// `POST /v1/audit-events`. Records in order of `sequence` without gap. Records that the center holds already are passed over
/// when they are the same; a gap or a differing hash gives 409 `audit-chain-broken` with the center's head, and nothing is kept.
///
/// A record's hash is the SHA-256 (hex) of its RFC 8785 JSON; `previous` of the next record names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditBatch {
    /// The terminal whose chain this is: a random id made once per installation.
    pub terminal: String,
    /// Records.
    pub records: Vec<AuditEvent>,
}

/// Answer, and answer of `GET /v1/audit-events?terminal=…`: the last record that the center holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Its number; 0 where there is none.
    pub sequence: u64,
    /// Its hash; 64 zeros where there is none.
    pub hash: String,
}
