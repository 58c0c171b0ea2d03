//! Objects without a picture.

use super::Failure;
use crate::study::SopInstanceUid;
use std::path::PathBuf;

/// Why an object without a picture is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// Its bytes are not here yet.
    NotHere,
    /// It could not be fetched, and why; it may come later.
    Unfetched(String),
    /// It is here and says nothing that can be read, and why.
    Unreadable(String),
}

/// A wish: the document within an object (PDF, CDA …) as a file of its own, in a fresh folder inside this one.
#[derive(Clone, PartialEq, Eq)]
pub struct SaveDocument {
    /// The object.
    pub instance: SopInstanceUid,
    /// The folder chosen, as an absolute path.
    pub folder: PathBuf,
}

impl std::fmt::Debug for SaveDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaveDocument").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct DocumentSaved {
    /// The object.
    pub instance: SopInstanceUid,
    /// The file, or why there is none; nothing is left behind then.
    pub saved: Result<PathBuf, Failure>,
}
