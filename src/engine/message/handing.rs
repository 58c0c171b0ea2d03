//! What a person does with signed reports that the center refused for good.

use super::{Failure, OutboxEntry};
use std::path::PathBuf;

/// Wishes.
#[derive(Clone, PartialEq, Eq)]
pub enum HandingCommand {
    /// Lists everything that waits or was handed over, of every reader of this profile (for whoever can open it).
    List,
    /// Writes the signed files of an entry into a fresh folder inside this one.
    Export {
        /// [`OutboxEntry::id`].
        id: i64,
        /// The folder chosen, as an absolute path.
        folder: PathBuf,
    },
    /// Closes a refused entry: the center knows, and it was settled there.
    HandOver {
        /// [`OutboxEntry::id`].
        id: i64,
        /// The reader's words; not empty.
        reason: String,
    },
}

impl std::fmt::Debug for HandingCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List => f.write_str("List"),
            Self::Export { id, .. } => f.debug_struct("Export").field("id", id).finish_non_exhaustive(),
            Self::HandOver { id, .. } => f.debug_struct("HandOver").field("id", id).finish_non_exhaustive(),
        }
    }
}

/// Facts.
#[derive(Debug, Clone)]
pub enum HandingEvent {
    /// Answer to [`HandingCommand::List`].
    Listed(Vec<OutboxEntry>),
    /// The files are on disk in this folder.
    Exported {
        /// [`OutboxEntry::id`].
        id: i64,
        /// The fresh folder.
        folder: PathBuf,
    },
    /// The entry is closed.
    HandedOver {
        /// [`OutboxEntry::id`].
        id: i64,
    },
    /// It could not be done; nothing was left behind.
    Failed {
        /// [`OutboxEntry::id`]; none: the list.
        id: Option<i64>,
        /// Why.
        failure: Failure,
    },
}
