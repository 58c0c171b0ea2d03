//! Why a picture cannot be shown.

/// What is wrong, roughly: what the reader is told in their own language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnshownKind {
    /// It could not be fetched.
    Unfetched,
    /// The object is broken, or its pixels are.
    Damaged,
    /// The frame is not in the object.
    Missing,
    /// Nothing here decodes it.
    Unsupported,
    /// Its attributes contradict each other.
    Contradiction,
    /// Beyond what is taken into memory.
    TooLarge,
    /// Its file could not be read: the disk or the medium, not the picture.
    Unreadable,
}

/// Why a frame cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unshown {
    /// Roughly.
    pub kind: UnshownKind,
    /// In the decoder's or the center's own words, English as a rule.
    pub detail: String,
}

impl Unshown {
    /// A reason in words.
    pub fn new(kind: UnshownKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}
