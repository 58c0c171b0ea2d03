//! What waits on this terminal for the center.

use jiff::Timestamp;

/// What waits in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Number, in order of signing.
    pub id: i64,
    /// Assignment it answers.
    pub assignment: String,
    /// Who signed (user id).
    pub user: String,
    /// SHA-256 (hex) of the signed bytes.
    pub sha256: String,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// A person must act; the reason.
    pub wedged: Option<String>,
    /// Closed by the reader, with the words for it; it is not sent any more.
    pub handed: Option<String>,
}

/// A flag "wrong patient suspected" that the center does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagEntry {
    /// Assignment id.
    pub assignment: String,
    /// When it was set.
    pub set_at: Timestamp,
    /// The center refused it: a person must act; its reason.
    pub refused: Option<String>,
}
