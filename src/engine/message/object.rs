//! Objects without a picture.

use super::Failure;
use crate::imaging::Frame;
use crate::study::{FrameRef, SopInstanceUid};
use crate::viewport::ObjectContent;
use std::path::PathBuf;
use std::sync::Arc;

/// Wishes.
#[derive(Debug, Clone)]
pub enum ObjectCommand {
    /// Reads an object (a report, a key object selection), for [`ObjectEvent::Read`].
    Read(SopInstanceUid),
    /// Saves the document within one, for [`ObjectEvent::Saved`].
    Save(SaveDocument),
    /// Makes a picture as a presentation state shows it, for [`ObjectEvent::Dressed`].
    Dress(Dress),
}

/// Facts.
#[derive(Debug, Clone)]
pub enum ObjectEvent {
    /// An object was read.
    Read {
        /// Which.
        instance: SopInstanceUid,
        /// What it says, or why it is not read.
        content: Result<Arc<ObjectContent>, Unread>,
    },
    /// The document within an object was saved, or not.
    Saved(DocumentSaved),
    /// A picture as the presentation state shows it; its warnings say what could not be done.
    Dressed {
        /// What was asked for.
        wish: Dress,
        /// The picture.
        frame: Arc<Frame>,
    },
}

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

/// A wish: a picture as a presentation state shows it, where that is work for every pixel (its mask is subtracted).
#[derive(Clone)]
pub struct Dress {
    /// The presentation state.
    pub content: Arc<ObjectContent>,
    /// Which frame.
    pub at: FrameRef,
    /// That frame.
    pub frame: Arc<Frame>,
    /// The frames of its mask, in the order in which the state needs them.
    pub masks: Vec<Arc<Frame>>,
}

impl Dress {
    /// The same frame of the same masks under the same state; nothing is compared but places in memory.
    pub fn same(&self, other: &Self) -> bool {
        let masks = self.masks.len() == other.masks.len()
            && self.masks.iter().zip(&other.masks).all(|(a, b)| Arc::ptr_eq(a, b));
        masks
            && Arc::ptr_eq(&self.content, &other.content)
            && Arc::ptr_eq(&self.frame, &other.frame)
            && self.at == other.at
    }
}

impl std::fmt::Debug for Dress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dress").field("at", &self.at).finish_non_exhaustive()
    }
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
